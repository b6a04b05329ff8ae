"""What changed between two runs, or two lists: whose decision, kind or suggestion is another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.errors import AvsieveError
from avsieve.inspection.decided import Coded
from avsieve.inspection.sides import CLEAN, FLAGGED, Side
from avsieve.storage.atomic import atomic_path

FORMAT = "avsieve.compare/1"
"""Name of the structure that `Changes.as_json` returns; a change that breaks readers raises the number."""


@dataclass(frozen=True)
class SpeakerChanges:
    """Changes of one speaker: utterances of both sides, and how many of them changed in which way."""

    speaker: str
    utterances: int
    newly_flagged: int
    newly_kept: int
    other: int


@dataclass(frozen=True)
class Changes:
    """What changed from the first to the second.

    Attributes
    ----------
    first, second
        As the user named them.
    utterances, only_first, only_second
        In both, and in one alone.
    changed
        Utterances with another decision, kind or suggestion.
    newly_flagged, newly_kept
        Clean before and flagged after (of lists: kept, left out), and the other way round.
    kind_changed, suggestion_changed
        Flagged in both, with another kind; with another suggested speaker.
    transitions
        ``before -> after`` of every decision that changed, and of every kind where both flag: how many.
    settings
        Key -> before and after, of the settings that differ.
    speakers
        Those with changes, the most first.
    """

    first: str
    second: str
    utterances: int
    only_first: int
    only_second: int
    changed: int
    newly_flagged: int
    newly_kept: int
    kind_changed: int
    suggestion_changed: int
    transitions: dict[str, int]
    settings: dict[str, list[Any]]
    speakers: list[SpeakerChanges]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        return {"format": FORMAT, **asdict(self)}


def compare_sides(first: Side, second: Side) -> tuple[Changes, pa.Table]:
    """Compare two sides.

    Returns
    -------
    Changes
        Counts.
    pyarrow.Table
        A row per changed utterance, in the order of the first: ``utterance``, ``before``, ``after``, ``kind_before``,
        ``kind_after``, ``suggested_before``, ``suggested_after``, ``p_before``, ``p_after``; null where not known.

    Raises
    ------
    AvsieveError
        If no utterance is in both.
    """
    there = pc.index_in(first.utterance, value_set=second.utterance)
    at = there.fill_null(-1).to_numpy(zero_copy_only=False)
    a = np.flatnonzero(at >= 0)
    b = at[a]
    if not len(a):
        named = [side.utterance[0].as_py() if len(side.utterance) else "nothing" for side in (first, second)]
        raise AvsieveError(
            f"no utterance is in both {first.path} and {second.path} (first: {named[0]}; second: {named[1]}); name two "
            "runs or lists of the same corpus"
        )
    decision = _common(first.decision, second.decision, a, b)
    kind, suggested = _common(first.kind, second.kind, a, b), _common(first.suggested, second.suggested, a, b)
    flagged = [_is(decision, side, FLAGGED) for side in (1, 2)]
    clean = [_is(decision, side, CLEAN) for side in (1, 2)]
    both = flagged[0] & flagged[1]
    newly_flagged, newly_kept = clean[0] & flagged[1], flagged[0] & clean[1]
    other_decision = decision[1] != decision[2]
    # A list has no kinds and no suggestions: nothing changed in them.
    known = bool(len(first.kind.names) and len(second.kind.names))
    other_kind = both & (kind[1] != kind[2]) & known
    other_suggestion = both & (suggested[1] != suggested[2]) & known
    changed = other_decision | other_kind | other_suggestion
    speaker = Coded.of(pc.replace_substring_regex(first.utterance.take(pa.array(a)), r"/.*$", ""))
    changes = Changes(
        first=first.path,
        second=second.path,
        utterances=len(a),
        only_first=len(first.utterance) - len(a),
        only_second=len(second.utterance) - len(a),
        changed=int(changed.sum()),
        newly_flagged=int(newly_flagged.sum()),
        newly_kept=int(newly_kept.sum()),
        kind_changed=int(other_kind.sum()),
        suggestion_changed=int(other_suggestion.sum()),
        transitions=_transitions(decision, other_decision) | _transitions(kind, other_kind, "kind "),
        settings=_other_settings(first.settings, second.settings),
        speakers=_by_speaker(speaker, newly_flagged, newly_kept, changed),
    )
    rows = np.flatnonzero(changed)
    return changes, _table(first, second, a[rows], b[rows])


_Pair = tuple[np.ndarray, np.ndarray, np.ndarray]  # names (k,), and codes of both sides (m,), k where there is none


def _common(first: Coded, second: Coded, a: np.ndarray, b: np.ndarray) -> _Pair:
    """Return the texts of both sides by the same codes."""
    names = np.array(sorted({*first.names.tolist(), *second.names.tolist()}), dtype=object)
    position = {name: k for k, name in enumerate(names.tolist())}

    def codes(column: Coded, rows: np.ndarray) -> np.ndarray:
        new = np.array([*(position[name] for name in column.names.tolist()), len(names)], np.int64)
        return new[column.code[rows]]

    return names, codes(first, a), codes(second, b)


def _is(pair: _Pair, side: int, wanted: tuple[str, ...]) -> np.ndarray:
    return np.isin(pair[side], [k for k, name in enumerate(pair[0].tolist()) if name in wanted])


def _transitions(pair: _Pair, rows: np.ndarray, prefix: str = "") -> dict[str, int]:
    names = [*pair[0].tolist(), "-"]
    keys, counts = np.unique(pair[1][rows] * len(names) + pair[2][rows], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {
        f"{prefix}{names[key // len(names)]} -> {names[key % len(names)]}": int(n)
        for key, n in zip(keys[order].tolist(), counts[order].tolist(), strict=True)
    }


def _by_speaker(
    speaker: Coded, newly_flagged: np.ndarray, newly_kept: np.ndarray, changed: np.ndarray
) -> list[SpeakerChanges]:
    def count(rows: np.ndarray) -> np.ndarray:
        return np.bincount(speaker.code[rows], minlength=len(speaker.names))

    total, whole = np.bincount(speaker.code, minlength=len(speaker.names)), count(changed)
    flagged, kept = count(newly_flagged), count(newly_kept)
    order = np.lexsort((speaker.names.astype(str), -whole))
    other = whole - flagged - kept
    return [
        SpeakerChanges(str(speaker.names[k]), *(int(column[k]) for column in (total, flagged, kept, other)))
        for k in order[: int((whole > 0).sum())].tolist()
    ]


def _other_settings(first: dict[str, Any], second: dict[str, Any]) -> dict[str, list[Any]]:
    if not first or not second:
        return {}
    keys = sorted({*first, *second})
    return {k: [first.get(k), second.get(k)] for k in keys if first.get(k) != second.get(k)}


def _table(first: Side, second: Side, a: np.ndarray, b: np.ndarray) -> pa.Table:
    def texts(column: Coded, rows: np.ndarray) -> pa.Array:
        code = column.code[rows]
        named = np.array([*column.names.tolist(), None], dtype=object)
        return pa.array([x or None for x in named[code].tolist()], pa.string())

    def numbers(values: np.ndarray, rows: np.ndarray) -> pa.Array:
        return pa.array(np.round(values[rows].astype(np.float64), 6), pa.float64(), from_pandas=True)

    columns: dict[str, pa.Array] = {"utterance": first.utterance.take(pa.array(a))}
    columns |= {"before": texts(first.decision, a), "after": texts(second.decision, b)}
    for name in ("kind", "suggested"):
        columns |= {f"{name}_before": texts(getattr(first, name), a), f"{name}_after": texts(getattr(second, name), b)}
    columns |= {"p_before": numbers(first.probability, a), "p_after": numbers(second.probability, b)}
    return pa.table(columns)


def write_changed(path: str | Path, table: pa.Table) -> None:
    """Write the changed utterances as CSV, empty where a value is not known; whole or not at all."""
    with atomic_path(path) as partial:
        table.to_pandas().to_csv(partial, index=False, lineterminator="\n")
