"""How far a reviewer is, how fast, and how far judgements agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from avsieve.review.entry import Entry, Verdict
from avsieve.review.server.agreement import agreements
from avsieve.review.server.columns import Columns
from avsieve.review.server.queues import Queues
from avsieve.review.server.reviews import Reviews

_LAST, _PAUSE_S = 100, 120
"""Decisions that the rate is taken from, and seconds between two of them from which on it is a pause."""


class Progress:
    """Tells how far the review is.

    Parameters
    ----------
    estimate
        Gives lines on precision and recall by the reviews of a version; None where there is no plan to estimate by.
    """

    def __init__(
        self, columns: Columns, reviews: Reviews, queues: Queues, estimate: Callable[[int], list[str] | None]
    ) -> None:
        self._columns, self._reviews, self._queues, self._estimate = columns, reviews, queues, estimate
        self._at: tuple[int, dict[str, Any]] | None = None

    def of(self, queue: str, *, with_estimate: bool = False) -> dict[str, Any]:
        """Return the progress; ``left_in_queue`` is that of ``queue``. An estimate is begun where it is asked for."""
        if self._at is None or self._at[0] != self._reviews.version:
            self._at = (self._reviews.version, self._now())
        told = {"estimate": self._estimate(self._reviews.version)} if with_estimate else {}
        return {**self._at[1], **told, "queue": queue, "left_in_queue": self._queues.left(queue)}

    def _now(self) -> dict[str, Any]:
        reviews = self._reviews
        counts = np.bincount(reviews.mine[reviews.rows], minlength=len(Verdict)).tolist()
        return {
            "decided": int(((reviews.mine >= 0) | (reviews.others > 0)).sum()),
            "mine": len(reviews.rows),
            "by_decision": {str(name): count for name, count in zip(Verdict, counts, strict=True)},
            "rate_per_min": rate_per_min(reviews.own.in_force),
            "agreement": agreements(reviews, self._columns),
            "estimate": None,
        }


def rate_per_min(decisions: list[Entry]) -> float | None:
    """Return how many decisions a minute the last ones took, pauses left out; None where there are too few."""
    times = [datetime.fromisoformat(entry.time) for entry in decisions[-_LAST:] if entry.time and not entry.batch]
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    worked = [gap for gap in gaps if 0 <= gap <= _PAUSE_S]
    # The clock of the log has whole seconds: a single gap says little.
    return round(60 * len(worked) / sum(worked), 1) if len(worked) >= 3 and sum(worked) > 0 else None
