"""Where the reviews of a run lie: the logs, the plan, and the table that the logs are folded into."""

from __future__ import annotations

from pathlib import Path

from avsieve.storage import paths as P


def reviews_folder(results: str | Path) -> Path:
    """Return the usual folder: beside ``results``, so that a run made anew does not take it away, else in the run's."""
    results = Path(results)
    return results.resolve().parent / "reviews" if results.resolve().name == P.RESULTS else results / "reviews"
