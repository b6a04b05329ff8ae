"""Where a run has utterances that are known to be wrong: rank, probability, decision, and the share that is flagged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.errors import AvsieveError
from avsieve.inspection.anchors import Anchor
from avsieve.inspection.decided import Decided
from avsieve.inspection.groups import score_interval

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


def rank_anchors(anchors: list[Anchor], decided: Decided, name: str) -> Found:
    """Look the utterances up in the decisions of a run.

    Raises
    ------
    AvsieveError
        If the run, which messages call ``name``, has none of them.
    """
    wanted = [anchor.utterance for anchor in anchors]
    place = pc.index_in(pa.array(wanted, decided.utterance.type), value_set=decided.utterance)
    rows = place.fill_null(-1).to_numpy(zero_copy_only=False)
    if (rows < 0).all():
        raise AvsieveError(
            f"{name}: none of the {len(wanted):,} removed utterances is in the run (the first: {wanted[0]}; the run's: "
            f"{decided.utterance[0].as_py() if len(decided) else 'none'}); cleanse a list that has them, with the "
            "same ids"
        )
    probability = np.sort(decided.p_wrong[decided.judged])
    ranked = []
    for anchor, row in zip(anchors, rows.tolist(), strict=True):
        if row < 0:
            continue
        p = float(decided.p_wrong[row])
        judged = not np.isnan(p)
        above = len(probability) - int(np.searchsorted(probability, p, side="right"))
        below = int(np.searchsorted(probability, p, side="left"))
        ranked.append(
            Ranked(
                anchor.utterance,
                anchor.status,
                bool(decided.flagged[row]),
                above + 1 if judged else None,
                round(100 * below / len(probability), 2) if judged else None,
                round(p, 4) if judged else None,
                decided.kind.text(row) or None,
                decided.decision.text(row),
                decided.reason.text(row),
            )
        )
    sure = [r for r in ranked if r.status == "confirmed"]
    flagged, known = sum(r.flagged for r in sure), len(sure)
    ends: tuple[float | None, float | None] = (None, None)
    if known:
        low, high = score_interval(np.array([flagged]), np.array([known]))
        ends = (round(float(low[0]), 4), round(float(high[0]), 4))
    absent = sum(a.status == "confirmed" for a in anchors) - known
    ranked.sort(key=lambda r: (r.status, r.rank is None, r.rank or 0, r.utterance))
    return Found(len(probability), known, flagged, absent, flagged / known if known else None, *ends, ranked)
