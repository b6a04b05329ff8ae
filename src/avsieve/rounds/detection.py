"""Precision and recall of the rounds by the truth, and their differences, on the same utterances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from avsieve.report.detection import with_truth
from avsieve.rounds.agreement import NOISY
from avsieve.rounds.draws import Draws, figure

FIGURES = ("precision", "recall", "f1")


def against_truth(
    rounds: Mapping[str, pd.DataFrame], truth: pd.DataFrame, *, replicates: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Count hits of each round over the utterances that the truth knows and every round could judge.

    Parameters
    ----------
    rounds
        Name -> ``decisions.parquet``; the first is what the others are compared with.
    truth
        ``utterance`` and ``kind``.
    replicates, seed
        Draws of speakers.

    Returns
    -------
    Name -> ``judged``, ``wrong``, ``flagged``, ``hits``, ``precision``, ``recall`` and ``f1`` with their intervals,
    ``found_by_kind`` (true kind -> found, of how many) and, but for the first, ``precision_gain`` and so on: paired
    differences to the first. Empty where nothing can be compared.
    """
    known = {name: with_truth(rows, truth).set_index("utterance") for name, rows in rounds.items()}
    names = list(known)
    common = known[names[0]].index
    for rows in known.values():
        common = common.intersection(rows.index)
    if not len(common):
        return {}
    first = known[names[0]].loc[common]
    draws = Draws(first["speaker"].tolist(), replicates, seed)
    kind = first["kind_true"].to_numpy(dtype=object)
    wrong = kind != "clean"
    drawn: dict[str, dict[str, np.ndarray]] = {}
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        flagged = (known[name].loc[common, "decision"] == NOISY).to_numpy()
        drawn[name] = _figures(draws, flagged, wrong)
        counts = {
            "judged": len(common),
            "wrong": wrong.sum(),
            "flagged": flagged.sum(),
            "hits": (flagged & wrong).sum(),
        }
        found[name] = {
            **{key: int(value) for key, value in counts.items()},
            **{key: figure(values) for key, values in drawn[name].items()},
            "found_by_kind": {
                str(k): [int((flagged & (kind == k)).sum()), int((kind == k).sum())] for k in sorted(set(kind[wrong]))
            },
        }
        if name != names[0]:
            found[name] |= {f"{key}_gain": figure(drawn[name][key] - drawn[names[0]][key]) for key in FIGURES}
    return found


def _figures(draws: Draws, flagged: np.ndarray, wrong: np.ndarray) -> dict[str, np.ndarray]:
    hits, called, true = draws.sums(flagged & wrong), draws.sums(flagged), draws.sums(wrong)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"precision": hits / called, "recall": hits / true, "f1": 2 * hits / (called + true)}
