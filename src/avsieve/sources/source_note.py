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
# What tells one corpus from another of the same kind; the embedded one has only itself.
PLACE = {
    "tree": "root", "archive": "video", "urls": "table", "voxceleb": "tracks", "frames": "wavs",
    "embeddings": "train_list",
}  # fmt: skip


def write_note(folder: Path, kind: str, settings: Mapping[str, Any]) -> None:
    """Note beside the plan which source it is of.

    Parameters
    ----------
    settings
        The keys of the source; of a command line, its options.
    """
    write_json(folder / NOTE, _note(kind, settings))


def _note(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    name = PLACE.get(kind)
    if name is None:
        return {"kind": kind}
    value = settings[name]
    return {"kind": kind, name: [str(v) for v in value] if isinstance(value, list | tuple) else str(value)}


def refuse_other_source(results: str | Path, kind: str, settings: Mapping[str, Any]) -> None:
    """Stop before the results of one source are overwritten with those of another.

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
    wanted = _note(kind, settings)
    if found == wanted or (found.get("kind") == kind and _same(found.get(PLACE[kind]), wanted[PLACE[kind]])):
        return
    raise ConfigError(
        f"{results} holds a run of {_told(found)}, and the configuration names {_told(wanted)}: give it a folder of "
        f"its own (--directory), or remove {results}; to overwrite them, remove {note}"
    )


def _same(found: Any, wanted: Any) -> bool:
    """Tell whether two names are one file or folder."""
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
