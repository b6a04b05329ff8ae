"""The cleansing engine: similarities, evidence, posterior, decision; each step its own module."""
