"""Voices and faces damaged on purpose: what becomes of trials whose signals are bad."""
