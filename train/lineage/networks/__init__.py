"""The networks of the classical recipes, one module for each family."""
