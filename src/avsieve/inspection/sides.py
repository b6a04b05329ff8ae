"""What is compared: a run, or a list of which the flags alone are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.cleansing.published_lists import check_polarity, read_flags
from avsieve.inspection.decided import Coded, Decided, read_decided
from avsieve.inspection.figures import read_json
from avsieve.inspection.list_facts import read_listed
from avsieve.inspection.run_files import RunFiles, find_run
from avsieve.lists.layouts import layout_of

KEPT, LEFT_OUT = "kept", "left_out"
"""Decisions of a list: flag 1, and flag 0, which is noisy or incomplete."""
FLAGGED = ("noisy", LEFT_OUT)
CLEAN = ("clean", KEPT)


@dataclass(frozen=True)
class Side:
    """One of two that are compared.

    Attributes
    ----------
    path
        As the user named it.
    utterance
        Ids, an Arrow array (n,) of str.
    decision, kind, suggested
        Columns as in `Decided`. A list has the decisions `KEPT` and `LEFT_OUT`, and neither kinds nor suggestions.
    probability
        (n,) float32 that a label is wrong, NaN where it is not known.
    settings
        Those of a run's decision; empty for a list.
    """

    path: str
    utterance: pa.Array
    decision: Coded
    kind: Coded
    suggested: Coded
    probability: np.ndarray
    settings: dict[str, Any]


def side_of_run(path: Path, *, as_flags: bool = False) -> Side:
    """Return the side of a run; ``as_flags`` where the other side is a list: kept, or left out.

    Raises
    ------
    AvsieveError
        If it is no folder of a run.
    """
    run: RunFiles = find_run(path)
    found: Decided = read_decided(run.decisions)
    settings = read_json(run.summary, "the summary").get("settings", {})
    if as_flags:
        flags = side_of_flags(path, found.utterance, found.decision.is_("clean"))
        return Side(**{**vars(flags), "probability": found.p_wrong, "settings": settings})
    return Side(str(path), found.utterance, found.decision, found.kind, found.suggested, found.p_wrong, settings)


def side_of_list(path: Path, strip_prefix: str | None = None) -> Side | None:
    """Return the side of a list with flags; None where it has none, and the utterances of its corpus are needed.

    Raises
    ------
    ListError
        If it cannot be read, or its flag 1 is not clean.
    """
    if layout_of(path) != "clean":
        return None
    listed = read_listed(path, strip_prefix)
    clean = np.asarray(listed.clean)
    check_polarity(pd.DataFrame(listed.similarities | {"clean": clean}), str(path))
    return side_of_flags(path, listed.utterance, clean)


def side_of_flags(path: Path, utterance: Sequence[str] | pa.Array, clean: np.ndarray) -> Side:
    """Return the side of a list: ``utterance`` (n,) and whether it is ``clean``, (n,) bool."""
    n = len(clean)
    decision = Coded(np.array([LEFT_OUT, KEPT], dtype=object), np.asarray(clean, np.int32))
    none = Coded(np.array([], dtype=object), np.full(n, -1, np.int32))
    names = utterance if isinstance(utterance, pa.Array) else pa.array(utterance, pa.string())
    return Side(str(path), names, decision, none, none, np.full(n, np.nan, np.float32), {})


def flags_of(side: Side) -> pd.Series:
    """Return which utterances of a side are clean, a Series of bool by utterance, as `agreement.compare` takes it."""
    clean = np.logical_or.reduce([side.decision.is_(name) for name in CLEAN])
    return pd.Series(clean, index=pd.Index(side.utterance.to_numpy(zero_copy_only=False), name="utterance"))


def read_sides(
    first: Path,
    second: Path,
    every: Sequence[str] | None = None,
    *,
    lists: tuple[str | None, str | None] = (None, None),
    strip_prefix: str | None = None,
) -> tuple[Side, Side]:
    """Read both sides: runs as they are where both are runs, else what is kept and what is left out.

    Parameters
    ----------
    first, second
        Folders of runs, or lists.
    every
        All utterances; where not given, those of the other side, for a list that names only some of them.
    lists
        What lists without flags name (`avsieve.cleansing.published_lists.read_flags`).
    strip_prefix
        Beginning of the names in lists that is no part of an id.

    Raises
    ------
    AvsieveError
        If one cannot be read, or nothing tells which utterances there are.
    """
    paths = (first, second)
    runs = [path.is_dir() for path in paths]
    found = [
        side_of_run(path, as_flags=not all(runs)) if is_run else side_of_list(path, strip_prefix)
        for path, is_run in zip(paths, runs, strict=True)
    ]
    if every is None and None in found:
        every = next((side.utterance.to_pylist() for side in found if side is not None), None)
    sides = []
    for path, side, named in zip(paths, found, lists, strict=True):
        if side is None:
            flags = read_flags(path, every, lists=named, strip_prefix=strip_prefix)
            sides.append(side_of_flags(path, flags.index.tolist(), flags.to_numpy()))
        else:
            sides.append(side)
    return sides[0], sides[1]
