"""All that was flagged, as a table that can be searched and sorted: the first rows as HTML, the rest as data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from avsieve.report.detection import KIND_LABELS

MOST = 5000
"""Rows that the page holds; some 80 bytes each."""
PLAIN = 200
"""Rows that stand there without a script."""
_NUMBERS = ("p_wrong", "p_audio_wrong", "p_visual_wrong", "audio_similarity", "visual_similarity", "p_suggested")


@dataclass(frozen=True)
class FlaggedTable:
    """What was flagged, the most probable first.

    Attributes
    ----------
    total
        How many were flagged in all.
    shown
        How many of them the page holds.
    plain
        The first `PLAIN` of these, a dict each.
    data
        All of these as JSON that can stand in a script element.
    """

    total: int
    shown: int
    plain: list[dict[str, Any]]
    data: str


def flagged_table(decisions: pd.DataFrame, most: int = MOST) -> FlaggedTable:
    """Return the table of what was flagged."""
    flagged = decisions[decisions["decision"] == "noisy"]
    order = flagged["p_wrong"].fillna(-1).to_numpy()
    rows = flagged.iloc[np.lexsort((flagged["utterance"].to_numpy(str), -order))].head(most)
    columns: dict[str, list[Any]] = {
        "utterance": rows["utterance"].tolist(),
        "kind": [KIND_LABELS.get(kind, "") for kind in rows["kind"]],
        "suggested": [s if isinstance(s, str) else "" for s in rows["suggested_speaker"]],
    }
    for name in _NUMBERS:
        columns[name] = [None if np.isnan(v) else round(float(v), 3) for v in rows[name].to_numpy(float)]
    records = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return FlaggedTable(len(flagged), len(rows), records[:PLAIN], script_json(columns))


def script_json(value: Any) -> str:
    """Return JSON in which nothing can end a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
