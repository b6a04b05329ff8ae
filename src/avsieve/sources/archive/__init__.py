"""Clips in archives, zip or tar, whole or in parts, that are read in place."""
