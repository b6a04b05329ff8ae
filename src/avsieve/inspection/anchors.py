"""Utterances that the maintainers of a trial list removed by hand: wrong labels that people have confirmed.

VoxCeleb1's lists came in a second version, "cleaned": trials of utterances that were checked by hand and found wrong
are gone. An utterance all of whose trials are gone was removed. It is *confirmed* where one of them was with an
utterance that is still there, since nothing else explains why that trial went. Where all went with other removed
utterances it is only *suspected*: these explain it, too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avsieve.cleansing.anchor_ranks import Status
from avsieve.errors import AvsieveError, ListError
from avsieve.evaluation.trials import Trials, read_trials
from avsieve.lists.train_list import utterance_of
from avsieve.storage.atomic import write_text
from avsieve.storage.text_files import read_lines

_STRANGE = 0.01  # share of the cleaned trials that may be new


@dataclass(frozen=True)
class Anchor:
    """A removed utterance: its trials in the original list, how many are targets, and how many only it explains."""

    utterance: str
    status: Status
    trials: int
    targets: int
    only_here: int


@dataclass(frozen=True)
class Anchors:
    """The difference of two lists, in distinct trials.

    ``original`` and ``cleaned`` count the trials of each; ``removed`` are only in the original, ``removed_targets`` of
    these with the same person, ``explained`` those that touch a removed utterance; ``added`` are only in the cleaned.
    """

    original: int
    cleaned: int
    removed: int
    removed_targets: int
    explained: int
    added: int
    utterances: list[Anchor]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        return asdict(self)


def find_anchors(original: Path, cleaned: Path, strip_prefix: str | None = None) -> Anchors:
    """Compare two versions of a trial list.

    Parameters
    ----------
    strip_prefix
        Beginning of the names that is no part of an id; folders before ``speaker/video/utterance`` that all names of a
        list have are found without.

    Raises
    ------
    AvsieveError
        If nothing was removed, or the lists are not two versions of one.
    """
    before, after = (_read(path, strip_prefix) for path in (original, cleaned))
    names = pd.Index(before.utterances).append(pd.Index(after.utterances)).unique()
    old, new = _keys(before, names), _keys(after, names)
    gone, added = np.setdiff1d(old, new), np.setdiff1d(new, old)
    if len(added) > _STRANGE * len(new):
        _refuse(original, cleaned, old, new, added, names)
    if not len(gone):
        raise AvsieveError(
            f"{cleaned} has all {len(old):,} trials of {original}: nothing was removed; name two versions"
        )
    label, enrol, test = _parts(gone, len(names))
    kept = np.zeros(len(names), bool)
    kept[names.get_indexer(pd.Index(after.utterances))] = True
    lost_enrol, lost_test = ~kept[enrol], ~kept[test]
    # A trial of a removed utterance with one that stayed is explained by the removed one alone.
    alone = np.zeros(len(names), int)
    np.add.at(alone, enrol[lost_enrol & ~lost_test], 1)
    np.add.at(alone, test[lost_test & ~lost_enrol], 1)
    trials, targets = (_per_utterance(enrol[rows], test[rows], len(names)) for rows in (label >= 0, label > 0))
    removed = np.flatnonzero(~kept)
    found = [
        Anchor(str(names[k]), "confirmed" if alone[k] else "suspected", int(trials[k]), int(targets[k]), int(alone[k]))
        for k in removed
    ]
    if not found:
        raise AvsieveError(
            f"{len(gone):,} trials of {original} are not in {cleaned}, but every utterance still has others: trials "
            "were removed, not utterances; name the lists that were corrected by utterance"
        )
    explained = int((lost_enrol | lost_test).sum())
    order = sorted(found, key=lambda anchor: (anchor.status, anchor.utterance))
    return Anchors(len(old), len(new), len(gone), int(label.sum()), explained, len(added), order)


def _read(path: Path, strip_prefix: str | None) -> Trials:
    """Read a list whose names may have folders before them."""
    try:
        return read_trials(path, strip_prefix)
    except ListError:
        prefix = _leading(path) if strip_prefix is None and path.is_file() else None
        if prefix is None:
            raise
        return read_trials(path, prefix)


def _leading(path: Path) -> str | None:
    """Return the folders before ``speaker/video/utterance`` in the first line of a list; None where there are none."""
    for _, line in read_lines(path, "trial list"):
        for field in line.split():
            parts = utterance_of(field).split("/")
            if len(parts) > 3:
                return "/".join(parts[:-3]) + "/"
        return None
    return None


def _keys(trials: Trials, names: pd.Index) -> np.ndarray:
    """Return a number for each distinct trial, sorted."""
    place = names.get_indexer(pd.Index(trials.utterances)).astype(np.int64)
    key = (place[trials.enrol] * len(names) + place[trials.test]) * 2 + trials.is_target
    return np.unique(key)


def _parts(key: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return label, enrol and test of trials."""
    pair = key // 2
    return key % 2, pair // count, pair % count


def _per_utterance(enrol: np.ndarray, test: np.ndarray, count: int) -> np.ndarray:
    own = enrol == test
    return np.bincount(enrol, minlength=count) + np.bincount(test[~own], minlength=count)


def _refuse(
    original: Path, cleaned: Path, old: np.ndarray, new: np.ndarray, added: np.ndarray, names: pd.Index
) -> None:
    if not len(np.setdiff1d(old, new)):
        raise AvsieveError(
            f"{cleaned} has all trials of {original} and {len(added):,} more; expected fewer: exchange --original and "
            "--cleaned"
        )
    _, enrol, test = _parts(added[:1], len(names))
    relabelled = np.isin(added ^ 1, old)
    if relabelled.mean() > 0.5:
        why = "are there with the other label: are 1 and 0 exchanged in one of the lists?"
    else:
        why = "are not in it: have the ids other names, or are these lists of different trials?"
    raise AvsieveError(
        f"{len(added):,} of {len(new):,} trials of {cleaned} are not in {original} (first: {names[enrol[0]]} "
        f"{names[test[0]]}); they {why} Name two versions of one list with the same ids"
    )


def write_anchors(path: Path, utterances: list[Anchor], ranks: dict[str, dict[str, Any]] | None = None) -> None:
    """Write a table of the utterances, with where a run has them, if there are ``ranks`` by utterance."""
    rows = [asdict(anchor) | (ranks or {}).get(anchor.utterance, {}) for anchor in utterances]
    write_text(path, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
