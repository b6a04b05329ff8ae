"""What each shard was planned with: a note beside the plan, by which a later run sees whom another plan concerns.

`plan_shards` writes it. The text of a shard is a parameter of its `fetch_media`: as long as its utterances are the
same, the very text that it was fetched with, so that nothing reruns; else one that says what it holds now. The note is
no output of the rule, since Snakemake removes outputs before a job.

This module runs inside Snakemake and imports nothing but the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from avsieve.storage.atomic import write_text

FIRST = "utterances: as they were first planned"


@dataclass(frozen=True)
class ShardNote:
    """What is noted of a shard."""

    rows: str
    """Its utterances in words: how many, of how many speakers, and a digest of all that fetching reads of them."""
    told: str
    """The text for its `fetch_media`."""


@dataclass(frozen=True)
class PlanNote:
    """What is noted of a plan."""

    key: str
    """A digest of all that the plan was made from; with another one the utterances may be others."""
    of_all: str
    """The text of all shards, where it was not known which of them would change; else empty."""
    shards: Mapping[str, ShardNote]


def read_plan_note(path: str | Path) -> PlanNote | None:
    """Return the note, or None where there is none that can be read."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        shards = {name: ShardNote(**shard) for name, shard in value["shards"].items()}
        return PlanNote(value["key"], value["of_all"], shards)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def next_note(before: PlanNote | None, key: str, of_all: str, rows: Mapping[str, str]) -> PlanNote:
    """Return the note of a new plan.

    Parameters
    ----------
    before
        That of the plan which it replaces.
    key, of_all
        As in `PlanNote`.
    rows
        Shard -> its utterances in words, as in `ShardNote`.
    """
    known = before.shards if before is not None else {}

    def told(shard: str) -> str:
        if of_all:
            return of_all
        if before is None:
            return FIRST
        then = known.get(shard)
        return then.told if then is not None and then.rows == rows[shard] else f"utterances: {rows[shard]}"

    return PlanNote(key, of_all, {shard: ShardNote(text, told(shard)) for shard, text in rows.items()})


def note_plan(path: str | Path, key: str, of_all: str, rows: Mapping[str, str]) -> None:
    """Write the note of a new plan, atomically, in place of that of the plan before; see `next_note`."""
    note = next_note(read_plan_note(path), key, of_all, rows)
    write_text(path, json.dumps(asdict(note), sort_keys=True, ensure_ascii=False, indent=1) + "\n")
