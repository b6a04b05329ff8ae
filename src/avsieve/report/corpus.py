"""Which corpus a page is about, and of when: what stands in its title."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from avsieve.errors import AvsieveError


@dataclass(frozen=True)
class Corpus:
    """What a run was made of.

    Attributes
    ----------
    kind
        Of its source (``source.kind``), empty where nothing is known.
    places
        The folders, lists or tables that the configuration names; empty where there are none.
    decided_on
        Day of the decisions, UTC, ``2026-11-28``; empty where it is not known.
    """

    kind: str = ""
    places: tuple[str, ...] = ()
    decided_on: str = ""

    @property
    def name(self) -> str:
        """What it is called: ``tree /data/mp4``, ``synthetic corpus``."""
        more = f" and {len(self.places) - 2:,} more" if len(self.places) > 2 else ""
        return f"{self.kind} {', '.join(self.places[:2]) or 'corpus'}{more}" if self.kind else ""


def read_corpus(note: Path, decisions: Path) -> Corpus:
    """Read what a run was made of.

    Parameters
    ----------
    note
        ``plan/source.json``; it need not exist.
    decisions
        ``lists/decisions.parquet``. No table of a run holds a date, since equal inputs give equal bytes, so its time on
        disk is told.

    Raises
    ------
    AvsieveError
        If the note is no JSON object.
    """
    day = datetime.fromtimestamp(decisions.stat().st_mtime, UTC).strftime("%Y-%m-%d")
    if not note.is_file():
        return Corpus(decided_on=day)
    again = "plan the run again (snakemake --forcerun plan_shards)"
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AvsieveError(f"{note}: no JSON ({error}); {again}") from None
    if not isinstance(found, dict):
        raise AvsieveError(f"{note}: {type(found).__name__}; expected a JSON object: {again}")
    values = [value for name, value in found.items() if name != "kind"]
    places = tuple(str(part) for value in values for part in (value if isinstance(value, list) else [value]))
    return Corpus(str(found.get("kind", "")), places, day)
