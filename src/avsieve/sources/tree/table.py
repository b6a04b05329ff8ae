"""A table of clips, for folders that say nothing: which utterance is whose, and where its file lies."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from avsieve.errors import ListError
from avsieve.sources.columns import read_rows
from avsieve.storage.ids import id_part, is_valid_id

NEEDED, OPTIONAL = ("utterance", "path"), ("speaker", "video", "seconds")


class TableRow(NamedTuple):
    """A clip of a table."""

    path: str
    """As it stands: absolute, or relative to the root."""
    seconds: str = ""


def read_clip_table(path: Path) -> dict[str, TableRow]:
    """Read a CSV (commas, semicolons or tabs; UTF-8 or UTF-16) with a line of column names; blank lines do not count.

    ``utterance`` and ``path`` are needed. An utterance is ``speaker/video/utterance``, or the last part of that beside
    the columns ``speaker`` and, if there are videos, ``video``; ``seconds`` is its length, if known. Names that no id
    can have are written as `avsieve.storage.ids.id_part` does.

    Returns
    -------
    dict
        Each utterance's row by its id, in the order of the file.

    Raises
    ------
    ListError
        Naming the line: a value that is missing or does not fit, or an utterance that was listed before. Or as
        `avsieve.sources.columns.read_rows`.
    """
    found: dict[str, TableRow] = {}
    lines: dict[str, int] = {}
    for number, values in read_rows(path, "table for source.tree.table", NEEDED, OPTIONAL):
        where = f"{path}, line {number}"
        utterance = _id_of(where, values)
        if not values["path"]:
            raise ListError(f"{where}: no path; expected that of the clip's file")
        if utterance in found:
            raise ListError(f"{where}: utterance {utterance} is listed in line {lines[utterance]}; expected once")
        _check_seconds(where, values.get("seconds", ""))
        found[utterance] = TableRow(values["path"], values.get("seconds", ""))
        lines[utterance] = number
    if not found:
        raise ListError(f"{path}: no line below the names of the columns; expected one for each clip")
    return found


def _id_of(where: str, values: dict[str, str]) -> str:
    """Return the id that a line gives: its parts, with the columns `speaker` and `video` before them."""
    parts = values["utterance"].split("/")
    if not all(parts) or len(parts) > 3:
        raise ListError(
            f"{where}: utterance {values['utterance']!r}; expected speaker/video/utterance, or its last part"
        )
    speaker, video = values.get("speaker", ""), values.get("video", "")
    if len(parts) == 3:
        if speaker not in ("", parts[0]) or video not in ("", parts[1], f"{parts[0]}/{parts[1]}"):
            raise ListError(
                f"{where}: utterance {values['utterance']!r}, but speaker {speaker!r}, video {video!r}; they must match"
            )
    elif not speaker and len(parts) == 2:  # each clip its own video
        parts = [parts[0], parts[1], parts[1]]
    elif not speaker:
        raise ListError(f"{where}: no speaker of {values['utterance']!r}; expected it in the id, or a column speaker")
    elif len(parts) == 2:
        if video not in ("", parts[0]):
            raise ListError(f"{where}: utterance {values['utterance']!r}, but video {video!r}; they must match")
        parts = [speaker, *parts]
    else:
        parts = [speaker, video.removeprefix(f"{speaker}/") or parts[0], parts[0]]
    text = "/".join(parts)
    return text if is_valid_id(text) else "/".join(map(id_part, parts))


def _check_seconds(where: str, text: str) -> None:
    if not text:
        return
    try:
        float(text)
    except ValueError:
        raise ListError(f"{where}: seconds is {text!r}; expected a number, or nothing") from None
