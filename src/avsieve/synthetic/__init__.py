"""Talking heads of people who do not exist: the embedded corpus and the training data of the tiny models."""
