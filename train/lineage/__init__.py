"""The classical recipes: networks, losses and training step. The default recipe does not use it."""
