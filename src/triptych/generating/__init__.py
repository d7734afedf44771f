"""Writing data with language models that others serve."""
