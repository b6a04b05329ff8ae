"""The embedded corpus of made-up people."""
