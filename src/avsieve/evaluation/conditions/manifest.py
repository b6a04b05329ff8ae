"""The table of all damages: made once from the configuration and the trial lists, and read by every model.

A row says of one utterance what is done to it under a condition. What is drawn for it (whether it is chosen, its own
seed, a parameter between two numbers, another person) depends on the seed, the condition and the utterance alone:
another condition beside it changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from avsieve.evaluation.conditions.contract import (
    BOTH,
    EMBEDDING,
    ENROL,
    MISSING,
    OTHER_PERSON,
    TEST,
    Condition,
    ConditionPart,
    Level,
)
from avsieve.evaluation.conditions.draws import DIGITS, drawn_parameters
from avsieve.evaluation.conditions.registry import KINDS
from avsieve.evaluation.conditions.settings import Damage
from avsieve.evaluation.conditions.stand_ins import STAND_INS
from avsieve.evaluation.conditions.table import SCHEMA, write_damage
from avsieve.evaluation.trials import Trials, left_out, read_trials
from avsieve.storage.tables import read_table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidates:
    """The utterances that can be damaged, by their side, sorted."""

    sides: Mapping[str, list[str]]

    @classmethod
    def of(cls, lists: Sequence[Trials], known: Collection[str] | None = None) -> Candidates:
        """Collect those of all lists.

        Parameters
        ----------
        lists
            The trial lists.
        known
            The utterances of the run; others have no embedding to damage. All where not given.
        """
        found: dict[str, set[str]] = {ENROL: set(), TEST: set()}
        for trials in lists:
            names = np.array(trials.utterances, dtype=object)
            for side, rows in ((ENROL, trials.enrol), (TEST, trials.test)):
                found[side].update(names[np.unique(rows)])
        if known is not None:
            kept = set(known)
            unknown = (found[ENROL] | found[TEST]) - kept
            if unknown:
                logger.warning(
                    "%d utterances of the trials are not in the plan, for example %s: they are not damaged",
                    len(unknown), min(unknown),
                )  # fmt: skip
            found = {side: names & kept for side, names in found.items()}
        found[BOTH] = found[ENROL] | found[TEST]
        return cls({side: sorted(names) for side, names in found.items()})

    @cached_property
    def people(self) -> tuple[list[str], dict[str, slice]]:
        """All of them in the order of their speakers, and where each speaker's are."""
        ordered = sorted(self.sides[BOTH], key=lambda u: (u.split("/", 1)[0], u))
        places: dict[str, slice] = {}
        for k, utterance in enumerate(ordered):
            speaker = utterance.split("/", 1)[0]
            places[speaker] = slice(places[speaker].start if speaker in places else k, k + 1)
        return ordered, places

    def other(self, utterance: str, rng: np.random.Generator) -> str | None:
        """Draw an utterance of another speaker; None where there is none."""
        ordered, places = self.people
        own = places[utterance.split("/", 1)[0]]
        others = len(ordered) - (own.stop - own.start)
        if not others:
            return None
        k = int(rng.integers(others))
        return ordered[k if k < own.start else k + own.stop - own.start]


class Chosen(NamedTuple):
    """An utterance, and the seed of what is done to it."""

    utterance: str
    seed: int


def make_manifest(
    conditions: Sequence[Condition],
    candidates: Candidates,
    *,
    level: Level = "embedding",
    seed: int = 0,
) -> pa.Table:
    """Choose the utterances of every condition, and say what is done to them.

    Parameters
    ----------
    level
        Where a kind that needs signals is done: ``signal``, or ``embedding``, where a stand-in takes its place.

    Returns
    -------
    pyarrow.Table
        As `SCHEMA`, sorted by all columns in their order; equal input gives an equal table. ``side`` says in which role
        an utterance is damaged (``enrol``, ``test``, ``both``); ``parameters`` is JSON with sorted keys; ``version`` is
        the id of the damaged embedding, ``<utterance>@<condition>``, and empty where the modality is missing.
    """
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for condition in conditions:
        before = len(columns["condition"])
        for part, chosen in _assign(condition, candidates, seed):
            _add(columns, condition.name, part, chosen, candidates, level)
        if len(columns["condition"]) == before:
            logger.warning("%s: damages no utterance of the trials; it is left out", condition.name)
    table = pa.table(columns, schema=SCHEMA)
    return table.sort_by([(name, "ascending") for name in ("condition", "utterance", "side", "modality")])


def _assign(condition: Condition, candidates: Candidates, seed: int) -> Iterator[tuple[ConditionPart, list[Chosen]]]:
    """Yield each part of a condition with the utterances that are chosen for it."""
    if not condition.exclusive:
        for k, part in enumerate(condition.parts):
            order = _shuffled(candidates.sides[part.side], f"{seed}\0{condition.name}\0{k}")
            yield part, order[: round(part.share * len(order))]
        return
    order = _shuffled(candidates.sides[condition.parts[0].side], f"{seed}\0{condition.name}")
    ends = np.rint(np.cumsum([part.share for part in condition.parts]) * len(order)).astype(int)
    for part, begin, end in zip(condition.parts, [0, *ends[:-1]], ends, strict=True):
        yield part, order[begin:end]


def _shuffled(utterances: Sequence[str], salt: str) -> list[Chosen]:
    """Return the utterances in an order that depends on ``salt`` and each one's own name, with a seed each."""
    digests = [hashlib.blake2b(f"{salt}\0{u}".encode(), digest_size=16).digest() for u in utterances]
    order = sorted(range(len(utterances)), key=lambda i: digests[i][:8])
    return [Chosen(utterances[i], int.from_bytes(digests[i][8:], "little") >> 1) for i in order]


def _add(
    columns: dict[str, list[Any]],
    name: str,
    part: ConditionPart,
    chosen: Sequence[Chosen],
    candidates: Candidates,
    level: Level,
) -> None:
    """Add the rows of a part."""
    kind = KINDS[part.kind]
    own: Level = level if kind.signals else "embedding"
    drawn = part.kind == OTHER_PERSON or any(isinstance(value, list) for value in part.parameters.values())
    same = None if drawn else _text(_parameters(part, own, None))
    alone = 0
    for utterance, seed in chosen:
        text = same
        if text is None:
            rng = np.random.default_rng([seed, 1])  # not the numbers that the damage itself draws
            values = _parameters(part, own, rng)
            if part.kind == OTHER_PERSON:
                values["utterance"] = candidates.other(utterance, rng)
                if values["utterance"] is None:
                    alone += 1
                    continue
            text = _text(values)
        version = "" if part.kind == MISSING else f"{utterance}@{name}"
        row = (name, utterance, part.side, part.modality, part.kind, text, seed, own, version)
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
    if alone:
        logger.warning("%s: %d utterances stay as they are: the trials have no other speaker", name, alone)


def _parameters(part: ConditionPart, level: Level, rng: np.random.Generator | None) -> dict[str, Any]:
    """Return the parameters of a row: ranges and choices are drawn, and a stand-in has its similarity."""
    values = dict(part.parameters) if rng is None else drawn_parameters(part.parameters, rng)
    stand_in = STAND_INS.get(part.kind)
    if stand_in is None or level != EMBEDDING:
        return values
    similarity = stand_in.similarity(values) if part.similarity is None else part.similarity
    return values | {"similarity": round(similarity, DIGITS)}


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True)


def damage_trials(out: Path, lists: Sequence[Path], plan: Path, settings: Damage, *, level: Level) -> str:
    """Make the table of the configuration's conditions, write it, and say what is in it.

    Parameters
    ----------
    out
        Where it is written.
    lists, plan
        The trial lists, of which those that could not be made are passed over, and the plan.
    settings
        Conditions and seed.
    level
        See `make_manifest`; the settings' own has been decided by then.
    """
    trials = [read_trials(path) for path in lists if left_out(path) is None]
    candidates = Candidates.of(trials, read_table(plan, ["utterance"])["utterance"].tolist())
    table = make_manifest(settings.chosen, candidates, level=level, seed=settings.seed)
    return write_damage(out, table)
