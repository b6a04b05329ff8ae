"""The report of a run: one self-contained page, and a short table for the terminal."""
