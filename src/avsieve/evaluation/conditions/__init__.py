"""Conditions of an evaluation: how utterances are damaged, which ones, and the table that says so."""
