"""Names of sequences in tables and settings; nothing heavy is imported."""

from __future__ import annotations

import re

FRAMES = "frames"
"""The sequence of all faces of an utterance, as `HOPS` and other segmentations are those of a voice."""
HOPS = "hops"
"""The segmentation that scoring by segments uses; that of a table which names none."""
EIGHTHS, CENTRE = "eighths", "centre"
"""Segmentations that published fusion models read: eight equal parts, and the centre 3 s."""

_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,31}")


def is_plain(name: str) -> bool:
    """Tell whether a name has small letters, digits and underscores only, begins with a letter and is short."""
    return _PLAIN.fullmatch(name) is not None
