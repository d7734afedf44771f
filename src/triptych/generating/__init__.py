"""Writing data under control: recipes of components, of which one changes at a time."""
