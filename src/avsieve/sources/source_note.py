"""Whose results a folder holds: the plan's folder keeps a note of the source, and another one is refused there.

Runs inside Snakemake and imports nothing heavy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avsieve.errors import ConfigError
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_json

NOTE = Path(P.plan.source).name


def write_note(folder: Path, note: Mapping[str, Any]) -> None:
    """Write beside the plan which source it is of.

    Parameters
    ----------
    note
        As `avsieve.sources.contract.SourceContract.note` gives it.
    """
    write_json(folder / NOTE, dict(note))


def refuse_other_source(results: str | Path, wanted: Mapping[str, Any]) -> None:
    """Stop before the results of one source are overwritten with those of another.

    Parameters
    ----------
    wanted
        The note of the source that the configuration names.

    Raises
    ------
    ConfigError
        If there is a plan of another source, with what to do.
    """
    if not P.below(results, P.plan.utterances).is_file():
        return
    note = P.below(results, P.plan.source)
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # nothing is known about it
    if found == wanted or (found.keys() == wanted.keys() and all(_same(found[key], wanted[key]) for key in wanted)):
        return
    raise ConfigError(
        f"{results} holds a run of {_told(found)}, and the configuration names {_told(wanted)}: give it its own "
        f"folder (--directory), or remove {results}; to overwrite them, remove {note}"
    )


def _same(found: Any, wanted: Any) -> bool:
    """Tell whether two values are equal, or name one file or folder."""
    if found == wanted:
        return True
    if not isinstance(found, str) or not isinstance(wanted, str):
        return False
    try:
        return Path(found).samefile(wanted)
    except OSError:
        return False


def _told(note: Mapping[str, Any]) -> str:
    kind = note.get("kind")
    places = [f", {name} {value}" for name, value in note.items() if name != "kind"]
    return f"the source {kind}{''.join(places)}"
