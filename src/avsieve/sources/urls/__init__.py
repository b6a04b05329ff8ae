"""Clips from a table of URLs, downloaded into the store."""
