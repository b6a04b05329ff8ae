"""The table of all utterances: sorted, filtered, searched and paged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from avsieve.inspection.decided import KINDS, Coded
from avsieve.review.entry import Verdict
from avsieve.review.server.columns import MODALITIES, Columns
from avsieve.review.server.parameters import LARGEST, Parameters
from avsieve.review.server.refusal import RefusedError
from avsieve.review.server.reviews import Reviews

VERDICTS = tuple(Verdict)
MOST_ROWS = 500
"""Rows of a page at most."""
FILTERS = (
    "q", "speaker", "video", "kind", "modality", "flagged", "reviewed", "decision", "p_min", "p_max", "disagree",
)  # fmt: skip
NAMES = ("sort", "order", "offset", "limit", *FILTERS)
COLUMNS = {
    "utterance": ("utterance", "text"),
    "speaker": ("label", "text"),
    "video": ("video", "text"),
    "p": ("p wrong", "probability"),
    "p_audio": ("p voice wrong", "probability"),
    "p_visual": ("p face wrong", "probability"),
    "audio_sim": ("voice to label", "cosine"),
    "visual_sim": ("face to label", "cosine"),
    "flag": ("flagged", "flag"),
    "machine": ("machine says", "text"),
    "kind": ("what is wrong", "text"),
    "suggested": ("suggested", "text"),
    "p_suggested": ("p suggested", "probability"),
    "decision": ("mine", "text"),
    "others": ("others", "count"),
}
"""Name of a column -> its label, and what its values are."""
_OF_REVIEWS = ("decision", "others")
_KEPT = 16  # filtered orders that are kept: 4 bytes a row each


@dataclass(frozen=True)
class Query:
    """What a page of the table shows: ``where`` has the filters that were given, as texts or numbers."""

    sort: str
    descending: bool
    offset: int
    limit: int
    where: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, given: Parameters) -> Query:
        """Read it from a request.

        Raises
        ------
        RefusedError
            If a value cannot be.
        """
        where: dict[str, Any] = {name: given.text(name) for name in ("q", "speaker", "video")}
        where["kind"] = given.choice("kind", KINDS)
        where["modality"] = given.choice("modality", MODALITIES)
        where["flagged"] = given.choice("flagged", ("yes", "no"))
        where["reviewed"] = given.choice("reviewed", ("yes", "no", "mine"))
        where["decision"] = given.choice("decision", VERDICTS)
        where["disagree"] = given.choice("disagree", ("yes",))
        where |= {name: given.probability(name) for name in ("p_min", "p_max")}
        low, high = where["p_min"], where["p_max"]
        if low is not None and high is not None and low > high:
            raise RefusedError(f"p_min {low:g} is above p_max {high:g}; expected p_min to be the smaller one")
        return cls(
            given.choice("sort", tuple(COLUMNS), "p"),
            given.choice("order", ("asc", "desc"), "desc") == "desc",
            given.whole("offset", 0, 0, LARGEST),
            given.whole("limit", 100, 1, MOST_ROWS),
            tuple((name, value) for name, value in where.items() if value not in ("", None)),
        )


class Table:
    """The utterances of a run, in any order.

    Parameters
    ----------
    columns
        The run.
    other_flagged
        (n,) int8 of a second opinion: 1 flagged, 0 not, -1 where it does not know the utterance; None where there is
        none.
    """

    def __init__(self, columns: Columns, other_flagged: np.ndarray | None = None) -> None:
        self.columns = columns
        self._flagged = columns.decided.flagged
        self._other = other_flagged
        if other_flagged is None and columns.machine_flagged is not None:
            self._other = columns.machine_flagged.astype(np.int8)
        self._orders: dict[tuple[str, bool], np.ndarray] = {}
        self._found: OrderedDict[tuple[Any, ...], np.ndarray] = OrderedDict()

    @property
    def has_second_opinion(self) -> bool:
        """Whether there is something that flags may disagree with."""
        return self._other is not None

    def warm(self) -> None:
        """Sort as the first page will be."""
        self._orders.setdefault(("p", True), self._sorted_column("p", descending=True))

    def page(self, query: Query, reviews: Reviews) -> dict[str, Any]:
        """Return ``total``, ``offset`` and the ``rows`` of a page; beyond the end there are none.

        Raises
        ------
        RefusedError
            If a second opinion is asked for and there is none.
        """
        rows = self._rows(query, reviews)
        shown = rows[query.offset : query.offset + query.limit]
        return {"total": len(rows), "offset": query.offset, "rows": self.rows(shown, reviews)}

    def rows(self, rows: np.ndarray, reviews: Reviews) -> list[dict[str, Any]]:
        """Return some rows as JSON takes them."""
        d = self.columns.decided
        sims = self.columns.similarity
        return [
            {
                "row": row,
                "utterance": name,
                "speaker": d.speaker.text(row),
                "video": d.video.text(row),
                "p": number(d.p_wrong[row]),
                "p_audio": number(d.p_audio_wrong[row]),
                "p_visual": number(d.p_visual_wrong[row]),
                "audio_sim": number(sims["audio"][row]),
                "visual_sim": number(sims["visual"][row]),
                "flag": bool(self._flagged[row]),
                "machine": d.decision.text(row),
                "kind": d.kind.text(row),
                "suggested": d.suggested.text(row),
                "p_suggested": number(d.p_suggested[row]),
                "decision": reviews.decision_of(row),
                "others": int(reviews.others[row]),
            }
            for row, name in zip(rows.tolist(), d.names(rows), strict=True)
        ]

    def _rows(self, query: Query, reviews: Reviews) -> np.ndarray:
        order = self._order(query.sort, query.descending, reviews)
        if not query.where:
            return order
        version = reviews.version if _asks_reviews(query) else None
        key = (query.sort, query.descending, query.where, version)
        if key in self._found:
            self._found.move_to_end(key)
        else:
            found = order[self._mask(query, reviews)[order]]
            if len(self._found) >= _KEPT:
                self._found.popitem(last=False)
            self._found[key] = found
        return self._found[key]

    def _mask(self, query: Query, reviews: Reviews) -> np.ndarray:
        d, where = self.columns.decided, dict(query.where)
        masks: dict[str, Callable[[Any], np.ndarray]] = {
            "q": lambda text: pc.match_substring(d.utterance, text).to_numpy(zero_copy_only=False),
            "speaker": d.speaker.is_,
            "video": d.video.is_,
            "kind": d.kind.is_,
            "modality": lambda name: d.kind.is_("video") | d.kind.is_(name),
            "flagged": lambda answer: self._flagged == (answer == "yes"),
            "reviewed": lambda answer: _reviewed(answer, reviews),
            "decision": lambda name: reviews.mine == VERDICTS.index(name),
            "p_min": lambda value: d.p_wrong >= np.float32(value),
            "p_max": lambda value: d.p_wrong <= np.float32(value),
            "disagree": lambda _: self._disagreeing(),
        }
        mask = np.ones(len(d), bool)
        for name, value in where.items():
            mask &= masks[name](value)
        return mask

    def _disagreeing(self) -> np.ndarray:
        if self._other is None:
            raise RefusedError(
                "disagree 'yes': there is no second opinion to disagree with; start the server with --against LIST or "
                "--against RESULTS"
            )
        return (self._other >= 0) & (self._other != self._flagged)

    def _order(self, name: str, descending: bool, reviews: Reviews) -> np.ndarray:
        if name in _OF_REVIEWS:
            values = reviews.mine if name == "decision" else reviews.others
            return _sorted(values.astype(np.float32), descending)
        if (name, descending) not in self._orders:
            self._orders[name, descending] = self._sorted_column(name, descending=descending)
        return self._orders[name, descending]

    def _sorted_column(self, name: str, *, descending: bool) -> np.ndarray:
        d, sims = self.columns.decided, self.columns.similarity
        if name == "utterance":
            rows = self.columns.by_id
            rows = np.arange(len(d), dtype=np.int32) if rows is None else rows
            return rows[::-1] if descending else rows
        texts = {"speaker": d.speaker, "video": d.video, "machine": d.decision, "kind": d.kind}
        texts["suggested"] = d.suggested
        if name in texts:
            return _sorted(_ranks(texts[name]), descending)
        numbers = {
            "p": d.p_wrong, "p_audio": d.p_audio_wrong, "p_visual": d.p_visual_wrong, "p_suggested": d.p_suggested,
            "audio_sim": sims["audio"], "visual_sim": sims["visual"], "flag": self._flagged.astype(np.float32),
        }  # fmt: skip
        return _sorted(numbers[name], descending)


def number(value: float) -> float | None:
    """Return a number as JSON takes it: None for NaN, six decimals."""
    return None if value != value else round(float(value), 6)


def _reviewed(answer: str, reviews: Reviews) -> np.ndarray:
    if answer == "mine":
        return reviews.mine >= 0
    anybody = (reviews.mine >= 0) | (reviews.others > 0)
    return anybody if answer == "yes" else ~anybody


def _asks_reviews(query: Query) -> bool:
    return query.sort in _OF_REVIEWS or any(name in ("reviewed", "decision") for name, _ in query.where)


def _ranks(column: Coded) -> np.ndarray:
    """Return the place of each row's text in the order of the texts, (n,) float32; NaN where there is none."""
    rank = np.empty(len(column.names) + 1, np.float32)
    rank[np.argsort(column.names.astype(str), kind="stable")] = np.arange(len(column.names))
    rank[-1] = np.nan
    rank[:-1][column.names.astype(str) == ""] = np.nan
    return rank[column.code]


def _sorted(values: np.ndarray, descending: bool) -> np.ndarray:
    """Return the order of values, (n,) int32; those that are equal stay in theirs, and NaN comes last in both."""
    return np.argsort(-values if descending else values, kind="stable").astype(np.int32)
