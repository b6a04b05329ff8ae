"""Faces: find them, follow them over the frames of an utterance, align and embed them."""
