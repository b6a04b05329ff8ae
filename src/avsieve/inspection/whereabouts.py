"""Where the files of an utterance lie in a run, and what each stage said of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from avsieve.inspection.run_files import RunFiles
from avsieve.report.facts import STAGES
from avsieve.storage import paths as P
from avsieve.storage.indexed_tar import index_path
from avsieve.storage.reasons import DESCRIPTIONS, Reason
from avsieve.storage.tables import open_table, read_arrow

_TARS = {"faces": P.align.faces, "wav": P.extract.wav, "frames": P.extract.frames}
MODALITIES = ("audio", "visual")


@dataclass(frozen=True)
class Place:
    """Files of an utterance.

    Attributes
    ----------
    what
        ``clip``, ``sound``, ``faces``, ``wav``, ``frames``, ``audio embedding`` or ``visual embedding``.
    path
        The file that holds them.
    members
        Names of the members of a tar, in its order; empty for other files.
    offset, size
        Of the first member, or of the clip in its file, bytes; None where the whole file is meant.
    """

    what: str
    path: str
    members: list[str]
    offset: int | None
    size: int | None


@dataclass(frozen=True)
class StageSaid:
    """A row of a status table: the stage, its reason code, that code in words, the detail, and the stage's measures."""

    stage: str
    code: str
    meaning: str
    detail: str
    measures: dict[str, Any]


def plan_row(run: RunFiles, utterance: str) -> dict[str, Any] | None:
    """Return the row of the plan about an utterance; None where there is no plan or no such row."""
    path = run.below(P.plan.utterances)
    if not run.of_workflow or not path.is_file():
        return None
    with open_table(path, ["utterance", "shard", "subset"]) as file:
        row = pc.index(file.read(columns=["utterance"])["utterance"], utterance).as_py()
        if row < 0:
            return None
        found: dict[str, Any] = file.read().slice(row, 1).to_pylist()[0]
    return found


def places(run: RunFiles, utterance: str, shard: str) -> list[Place]:
    """Return where the files of an utterance lie; what the run does not have is left out.

    Raises
    ------
    AvsieveError
        If an index cannot be read.
    """
    found = _clip(run.below(P.media.index, shard=shard), utterance)
    for what, path in _TARS.items():
        tar = run.below(path, shard=shard)
        if tar.is_file() and index_path(tar).is_file():
            rows = rows_of(index_path(tar), utterance, ["name", "offset", "size"])
            if rows:
                members = [row["name"] for row in rows]
                found.append(Place(what, str(tar), members, rows[0]["offset"], rows[0]["size"]))
    for m in MODALITIES:
        table = run.below(P.embed.embeddings, modality=m, shard=shard)
        if table.is_file() and rows_of(table, utterance, ["utterance"]):
            found.append(Place(f"{m} embedding", str(table), [], None, None))
    return found


def said(run: RunFiles, utterance: str, shard: str) -> list[StageSaid]:
    """Return what the stages noted of an utterance, in their order."""
    found = []
    name = P.of(P.media.status, shard=shard).rpartition("/")[2]
    for stage in STAGES:
        path = P.below(run.folder, f"{P.RESULTS}/{stage}/{name}")
        for row in rows_of(path, utterance) if path.is_file() else []:
            code = row.pop("code")
            meaning = DESCRIPTIONS.get(Reason(code), "") if code in set(Reason) else ""
            measures = {k: v for k, v in row.items() if k not in ("utterance", "detail") and v is not None}
            found.append(StageSaid(stage, code, meaning, row.get("detail") or "", measures))
    return found


def rows_of(path: Path, utterance: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a table about one utterance, some columns or all.

    Raises
    ------
    AvsieveError
        If the table cannot be read or lacks a column.
    """
    found: list[dict[str, Any]] = read_arrow(path, columns, where=("utterance", utterance)).to_pylist()
    return found


def _clip(index: Path, utterance: str) -> list[Place]:
    if not index.is_file():
        return []
    found = []
    for row in rows_of(index, utterance):
        for what, stem in (("clip", ""), ("sound", "audio_")):
            if row.get(f"{stem}size"):
                found.append(Place(what, row[f"{stem}path"], [], row[f"{stem}offset"], row[f"{stem}size"]))
    return found
