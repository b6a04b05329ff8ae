"""Where a method has utterances that people removed by hand: rank, probability, decision, and the share it flags.

They are known to be wrong, and nothing else of a list is: what is measured is recall. `avsieve anchors` finds them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.cleansing.score_interval import score_interval
from avsieve.errors import AvsieveError
from avsieve.storage.ids import is_valid_id
from avsieve.storage.text_files import read_text

Status = Literal["confirmed", "suspected"]
CAVEAT = (
    "This is recall, not precision: only utterances that occurred in trials were checked, and only those found wrong "
    "are known. What else the run flags may be right or wrong; these lists do not tell."
)


@dataclass(frozen=True)
class Ranked:
    """A known wrong utterance in a run.

    ``rank`` is 1 for the highest probability of all judged, ``percentile`` the share of the judged (per cent) below it;
    None where it was not judged. ``kind`` says what is believed wrong, None of what is not flagged.
    """

    utterance: str
    status: str
    flagged: bool
    rank: int | None
    percentile: float | None
    p_wrong: float | None
    kind: str | None
    decision: str | None
    reason: str | None


@dataclass(frozen=True)
class Found:
    """What a run found of the known.

    ``known`` counts the confirmed utterances that are in the run, ``flagged`` those of them that are flagged;
    ``absent`` those that are not in it. ``recall`` has its 95 % score interval (Wilson 1927) ``low`` to ``high``, None
    where no confirmed one is in the run. ``judged`` counts the utterances among which they rank.
    """

    judged: int
    known: int
    flagged: int
    absent: int
    recall: float | None
    low: float | None
    high: float | None
    ranked: list[Ranked]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        return asdict(self) | {"caveat": CAVEAT}


@dataclass(frozen=True)
class Judged:
    """What is looked up: n utterances with what was made of them.

    Attributes
    ----------
    utterance
        (n,) str, an Arrow array.
    p_wrong
        (n,) float, NaN where there is none.
    flagged
        (n,) bool.
    words
        Gives the ``kind``, ``decision`` and ``reason`` of a row.
    """

    utterance: pa.Array
    p_wrong: np.ndarray
    flagged: np.ndarray
    words: Callable[[int], tuple[str | None, str | None, str | None]]


def read_anchor_table(path: str | Path) -> list[tuple[str, str]]:
    """Read what `avsieve anchors --out` writes: (utterance, status) of each row.

    Only ``utterance`` is needed; without a ``status`` all are confirmed. Other columns are passed over.

    Raises
    ------
    AvsieveError
        If there is no such column, no row, an utterance twice, or a value that cannot be.
    """
    reader = csv.DictReader(io.StringIO(read_text(path, "table of anchors"), newline=""))
    names = [name.strip() for name in reader.fieldnames or []]
    if "utterance" not in names:
        raise AvsieveError(
            f"{path}: columns {', '.join(names) or 'none'}; expected utterance and, if you like, status: "
            "avsieve anchors --original LIST --cleaned LIST --out FILE writes them"
        )
    reader.fieldnames = names
    found: dict[str, str] = {}
    for row in reader:
        utterance, status = ((row.get(name) or "").strip() for name in ("utterance", "status"))
        where = f"{path}, line {reader.line_num}"
        if not is_valid_id(utterance):
            raise AvsieveError(f"{where}: utterance {utterance!r}; expected an id, speaker/video/utterance")
        if status not in ("", *get_args(Status)):
            raise AvsieveError(f"{where}: status {status!r}; expected one of {', '.join(get_args(Status))}")
        if utterance in found:
            raise AvsieveError(f"{where}: {utterance} stands in an earlier line too; expected one row per utterance")
        found[utterance] = status or "confirmed"
    if not found:
        raise AvsieveError(f"{path}: no utterance; expected a row for each that is known to be wrong")
    return list(found.items())


def rank(anchors: Sequence[tuple[str, str]], judged: Judged, name: str) -> Found:
    """Look up utterances that are known to be wrong.

    Parameters
    ----------
    anchors
        (utterance, status) of each.
    judged
        What they are looked up in.
    name
        What messages call that.

    Raises
    ------
    AvsieveError
        If none of them is there.
    """
    place = pc.index_in(pa.array([a for a, _ in anchors], judged.utterance.type), value_set=judged.utterance)
    rows = place.fill_null(-1).to_numpy(zero_copy_only=False)
    if (rows < 0).all():
        raise AvsieveError(
            f"{name}: none of the {len(anchors):,} removed utterances is in the run (the first: {anchors[0][0]}; the "
            f"run's: {judged.utterance[0].as_py() if len(judged.utterance) else 'none'}); cleanse a list that has "
            "them, with the same ids"
        )
    probability = np.sort(judged.p_wrong[~np.isnan(judged.p_wrong)])
    ranked = [
        _ranked(utterance, status, row, judged, probability)
        for (utterance, status), row in zip(anchors, rows.tolist(), strict=True)
        if row >= 0
    ]
    sure = [r for r in ranked if r.status == "confirmed"]
    flagged, known = sum(r.flagged for r in sure), len(sure)
    ends: tuple[float | None, float | None] = (None, None)
    if known:
        low, high = score_interval(np.array([flagged]), np.array([known]))
        ends = (round(float(low[0]), 4), round(float(high[0]), 4))
    absent = sum(status == "confirmed" for _, status in anchors) - known
    ranked.sort(key=lambda r: (r.status, r.rank is None, r.rank or 0, r.utterance))
    return Found(len(probability), known, flagged, absent, flagged / known if known else None, *ends, ranked)


def _ranked(utterance: str, status: str, row: int, judged: Judged, probability: np.ndarray) -> Ranked:
    """Return one of them; ``probability`` are those of all that were judged, ascending."""
    p = float(judged.p_wrong[row])
    known = not np.isnan(p)
    above = len(probability) - int(np.searchsorted(probability, p, side="right"))
    below = int(np.searchsorted(probability, p, side="left"))
    kind, decision, reason = judged.words(row)
    return Ranked(
        utterance,
        status,
        bool(judged.flagged[row]),
        above + 1 if known else None,
        round(100 * below / len(probability), 2) if known else None,
        round(p, 4) if known else None,
        kind,
        decision,
        reason,
    )
