"""Finds named latent directions of a model: `python -m train directions`."""
