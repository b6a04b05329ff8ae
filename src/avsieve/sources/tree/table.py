"""A table of clips, for folders that say nothing: which utterance is whose, and where its file lies."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import NamedTuple

from avsieve.errors import ListError
from avsieve.storage.ids import id_part, is_valid_id

KNOWN = ("utterance", "speaker", "video", "path", "seconds")
NEEDED = ("utterance", "path")


class TableRow(NamedTuple):
    """A clip of a table."""

    path: str
    """As it stands: absolute, or relative to the root."""
    seconds: str = ""


def read_clip_table(path: Path) -> dict[str, TableRow]:
    """Read a CSV (commas, semicolons or tabs) with a line of column names.

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
        Naming the line: a column that is missing or unknown, a value that is missing or does not fit, or an utterance
        that was listed before.
    """
    if not path.is_file():
        raise ListError(f"{path}: no such table; source.tree.table names a CSV with the columns utterance and path")
    found: dict[str, TableRow] = {}
    lines: dict[str, int] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: no text in UTF-8 ({error.reason}); save the table as CSV in UTF-8") from None
    first = text.partition("\n")[0]
    separator = max("\t;,", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restkey="more", restval="")
    columns = [c.strip() for c in reader.fieldnames or []]
    reader.fieldnames = columns
    if any(c not in columns for c in NEEDED) or any(c not in KNOWN for c in columns):
        raise ListError(
            f"{path}, line 1: columns {', '.join(columns) or 'none'}; expected utterance and path and, where they are "
            "known, speaker, video and seconds"
        )
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if "more" in row:
            raise ListError(f"{where}: more values than the {len(columns)} columns; a comma in a name needs quotes")
        values = {name: (value or "").strip() for name, value in row.items()}
        if not any(values.values()):
            continue
        utterance = _id_of(where, values)
        if not values["path"]:
            raise ListError(f"{where}: no path; expected that of the clip's file")
        if utterance in found:
            raise ListError(f"{where}: utterance {utterance} is listed in line {lines[utterance]}; expected once")
        _check_seconds(where, values.get("seconds", ""))
        found[utterance] = TableRow(values["path"], values.get("seconds", ""))
        lines[utterance] = reader.line_num
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
                f"{where}: utterance {values['utterance']!r}, but speaker {speaker!r}, video {video!r}; they must agree"
            )
    elif not speaker and len(parts) == 2:  # each clip its own video
        parts = [parts[0], parts[1], parts[1]]
    elif not speaker:
        raise ListError(f"{where}: no speaker of {values['utterance']!r}; expected it in the id, or a column speaker")
    elif len(parts) == 2:
        if video not in ("", parts[0]):
            raise ListError(f"{where}: utterance {values['utterance']!r}, but video {video!r}; they must agree")
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
