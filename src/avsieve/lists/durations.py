"""The durations of the training utterances: from the list that the user gave, else from the media."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avsieve.lists.train_list import format_seconds
from avsieve.storage.tables import read_table


def durations_of(plan: str | Path, tables: Sequence[str | Path] = ()) -> tuple[list[str], list[str]]:
    """Return the training utterances of a plan and their durations as text.

    The plan's own text wins. Where it has none, ``duration_s`` of ``tables`` is written with 3 decimals; ``nan`` stands
    where nobody knows, since the medium could not be opened.
    """
    frame = read_table(plan, ["utterance", "subset", "seconds"])
    frame = frame[frame["subset"] == "train"]
    utterances, seconds = frame["utterance"].tolist(), frame["seconds"].fillna("").tolist()
    if "" in seconds:
        known: dict[str, float] = {}
        for path in tables:
            table = read_table(path, ["utterance", "duration_s"])
            known.update(zip(table["utterance"].tolist(), table["duration_s"].astype(float).tolist(), strict=True))
        seconds = [s or format_seconds(known.get(u, float("nan"))) for u, s in zip(utterances, seconds, strict=True)]
    return utterances, seconds
