"""Voices of synthetic people."""
