"""The embedded corpus of synthetic people."""
