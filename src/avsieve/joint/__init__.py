"""Voices and faces as signals: their batches, and systems whose encoders and fusion are trained together."""
