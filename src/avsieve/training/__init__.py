"""Training of encoders and fusion models from a list."""
