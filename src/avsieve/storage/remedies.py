"""What to do about a file of the results that is not what was written: the same words everywhere."""

from __future__ import annotations

from pathlib import Path


def make_anew(path: str | Path) -> str:
    """Return the remedy for a damaged file: Snakemake makes what is missing, and what follows from it, anew."""
    return f"remove it and run Snakemake again, which makes it anew (rm {path})"
