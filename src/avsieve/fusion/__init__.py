"""Fusion of voice and face: one small interface, one module per model."""
