"""Train a speaker or a face encoder on a list."""
