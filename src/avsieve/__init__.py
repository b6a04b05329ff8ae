"""AVSieve: find the wrong labels in audio-visual identity datasets, and prove what that is worth."""

__version__ = "0.1.0"
