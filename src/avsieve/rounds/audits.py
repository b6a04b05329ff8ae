"""Precision and recall of the rounds by labels that are broken on purpose: the same ones for every round.

What is broken is drawn once, from what the first round suspects, and the embeddings of each round take its places. So
the difference in what is found is paired. **It favours later rounds**: the labels are broken after the encoders were
trained, so no encoder has learnt a broken one, as it has those of the list's own errors that were left in it; and what
is put in a place comes from utterances that the encoder was trained on under their own label, which it knows well. Only
errors that were there before the training tell of confirmation (`avsieve.rounds.confirmation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avsieve.cleansing.audit import injection_into, load_tables, measure
from avsieve.cleansing.cleansed import Tables, cleanse
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.errors import AvsieveError
from avsieve.rounds.draws import Draws, figure


def audit_rounds(
    frame: pd.DataFrame,
    rounds: Iterator[tuple[str, Tables]],
    settings: Audit,
    cleansing: Cleansing,
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Audit every round with the same broken labels.

    Parameters
    ----------
    frame
        ``utterance`` and ``speaker``.
    rounds
        Name and embeddings of each round, the first round first; one at a time is in memory.
    replicates, seed
        Draws of speakers, for the paired differences.

    Returns
    -------
    Name -> ``measured`` and ``recall_by_kind`` as of `avsieve.cleansing.audit.audit`, ``injected`` (broken labels that
    every round could judge), ``found`` (how many of them it flags) and, but for the first, ``found_only_first``,
    ``found_only_here`` and ``found_gain`` (the difference of the shares). ``left_out`` alone where the list is too
    small to be audited.
    """
    found: dict[str, dict[str, Any]] = {}
    sides: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    injection = None
    for name, tables in rounds:
        before = cleanse(frame, tables, None, cleansing)
        if injection is None:
            try:
                injection = injection_into(before, frame, tables, settings)
            except AvsieveError as error:
                return {"left_out": str(error)}
        measured = measure(before, injection, tables, settings, cleansing)
        found[name] = {key: measured.figures[key] for key in ("measured", "recall_by_kind")}
        sides[name] = measured.known, measured.flagged
    if injection is None:
        return {"left_out": "there is no round"}
    known = np.logical_and.reduce([known for known, _ in sides.values()])
    draws = Draws(injection.frame["speaker"].tolist(), replicates, seed)
    first = next(iter(sides.values()))[1] & known
    for number, (name, (_, flagged)) in enumerate(sides.items()):
        hit = flagged & known
        found[name] |= {"injected": int(known.sum()), "found": int(hit.sum())}
        if number:
            found[name] |= {
                "found_only_first": int((first & ~hit).sum()),
                "found_only_here": int((hit & ~first).sum()),
                "found_gain": figure(draws.share(hit.astype(float) - first, known)),
            }
    return found


def tables_of(names: Sequence[str], embeddings: Mapping[str, Sequence[Sequence[Path]]]) -> Iterator[tuple[str, Tables]]:
    """Read the embeddings of the rounds in turn: modality -> the shards' files of each."""
    for number, name in enumerate(names):
        yield name, load_tables({m: of[number] for m, of in embeddings.items()})
