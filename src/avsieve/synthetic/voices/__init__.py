"""Voices of people who do not exist."""
