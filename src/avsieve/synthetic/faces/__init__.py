"""Faces of people who do not exist."""
