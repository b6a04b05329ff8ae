"""Verification: trial lists, scores by matrix work, error rates with one stated definition, and their intervals."""
