"""Synthetic talking heads: the embedded corpus and the training data of the small models."""
