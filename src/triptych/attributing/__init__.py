"""Which component of a recipe moved which axis: data sets made by known recipes, as the cells of a designed study."""
