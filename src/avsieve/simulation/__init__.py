"""A public simulator of VoxCeleb2-shaped embeddings with label noise whose truth is known."""
