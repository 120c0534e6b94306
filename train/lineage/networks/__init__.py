"""The networks of the classical recipes, a file for each family."""
