"""A contact sheet: faces of the worst speakers, videos or utterances beside trusted faces of the same label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from avsieve.errors import AvsieveError
from avsieve.inspection.decided import Decided
from avsieve.inspection.details import surest
from avsieve.inspection.faces import faces_of
from avsieve.inspection.groups import Group
from avsieve.inspection.run_files import RunFiles
from avsieve.inspection.text import percent
from avsieve.inspection.worst import Worst
from avsieve.storage.atomic import atomic_path

ENDINGS = (".png", ".jpg", ".jpeg")
SIDE = 80  # pixels of a face
FACES, TRUSTED = 8, 4  # in a row: of what is shown, and of the label
_TEXT, _LINE, _EDGE, _GAP = 300, 16, 8, 24  # pixels: width of the caption, height of a line, margins
_QUALITY = 90
_WHITE, _BLACK, _GREY = (255, 255, 255), (0, 0, 0), (110, 110, 110)
_WRONG = {"video": "voice and face", "audio": "voice", "visual": "face"}
_HEADS = ("flagged", "trusted, of the same label")
_LONGEST = 43  # characters of a line of the caption


@dataclass(frozen=True)
class Row:
    """A row of the sheet: lines of its caption, whose faces are shown, and whose are trusted."""

    caption: list[str]
    shown: list[str]
    trusted: list[str]


@dataclass(frozen=True)
class Shown:
    """What a sheet shows: how many rows of faces, of what (``5 videos``), and notes for the user."""

    faces: int
    items: str
    notes: list[str]


def write_sheet(path: Path, run: RunFiles, decided: Decided, worst: Worst) -> Shown:
    """Write the faces of the worst as a picture.

    Parameters
    ----------
    path
        With the ending .png or .jpg.

    Raises
    ------
    AvsieveError
        If the ending is another, the run has no faces, or there is nothing to show.
    """
    check_ending(path)
    rows = rows_of(decided, worst)
    if not rows:
        raise AvsieveError(f"{run.folder}: nothing is flagged, so there is nothing to show; leave --sheet out")
    wanted = list(dict.fromkeys(name for row in rows for name in (*row.shown, *row.trusted)))
    faces = faces_of(run, wanted, FACES)
    picture, count, empty = draw(rows, faces)
    write_picture(path, picture)
    notes = [f"{empty} of the {len(rows)} rows have no face: none was found there"] if empty else []
    return Shown(count, f"{len(rows)} {worst.by}{'s' * (len(rows) != 1)}", notes)


def check_ending(path: Path) -> None:
    """Refuse a sheet that is neither PNG nor JPEG.

    Raises
    ------
    AvsieveError
        With the ending.
    """
    if path.suffix.lower() not in ENDINGS:
        raise AvsieveError(f"--sheet {path}: ending {path.suffix or 'none'!r}; expected .png or .jpg")


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture (height, width, 3) uint8, BGR, in the format of the ending."""
    options = [] if path.suffix.lower() == ".png" else [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    content = cv2.imencode(path.suffix.lower(), picture, options)[1].tobytes()
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def rows_of(decided: Decided, worst: Worst) -> list[Row]:
    """Choose what each row shows: flagged utterances, the surest first, and the label's least suspicious others."""
    rows = []
    for clip in worst.clips:
        wrong = f"{_WRONG.get(clip.kind, clip.kind)} wrong, p {clip.p_wrong or 0:.3f}"
        lines = [clip.utterance, wrong, _suggested(clip.suggested_speaker)]
        rows.append(Row(lines, [clip.utterance], _trusted(decided, clip.utterance)))
    for group in worst.groups:
        column = decided.video if worst.by == "video" else decided.speaker
        shown = decided.names(surest(decided, np.flatnonzero(column.is_(group.name)), FACES))
        rows.append(Row(_group_lines(group), shown, _trusted(decided, group.name)))
    return rows


def draw(
    rows: Sequence[Row], faces: dict[str, list[np.ndarray]], heads: tuple[str, str] = _HEADS
) -> tuple[np.ndarray, int, int]:
    """Draw the sheet.

    Parameters
    ----------
    rows
        What it shows.
    faces
        Images of each utterance.
    heads
        What stands above the faces that are shown, and above those beside them.

    Returns
    -------
    numpy.ndarray
        (height, width, 3) uint8, BGR.
    int, int
        Faces drawn, and rows that have none but trusted ones.
    """
    width = _TEXT + (FACES + TRUSTED) * SIDE + _GAP + 2 * _EDGE
    height = _LINE + len(rows) * (SIDE + _EDGE) + 2 * _EDGE
    picture = np.full((height, width, 3), 255, np.uint8)
    right = _EDGE + _TEXT + FACES * SIDE + _GAP
    _write(picture, heads[0], _EDGE + _TEXT, _LINE, _GREY)
    _write(picture, heads[1], right, _LINE, _GREY)
    count = empty = 0
    for k, row in enumerate(rows):
        top = 2 * _EDGE + _LINE + k * (SIDE + _EDGE)
        for number, line in enumerate(row.caption):
            _write(picture, line[:_LONGEST], _EDGE, top + (number + 1) * _LINE, _GREY if number else _BLACK)
        drawn = _strip(picture, _dealt(row.shown, faces, FACES), _EDGE + _TEXT, top)
        count += drawn + _strip(picture, _dealt(row.trusted, faces, TRUSTED), right, top)
        if not drawn:
            empty += 1
            _write(picture, "no face", _EDGE + _TEXT, top + _LINE, _GREY)
    return picture, count, empty


def _dealt(utterances: Sequence[str], faces: dict[str, list[np.ndarray]], most: int) -> list[np.ndarray]:
    """Take faces of several utterances in turns; those of one evenly over it."""
    found = [faces.get(name, []) for name in utterances]
    if len(found) == 1:
        return found[0][:most]
    turns = max(map(len, found), default=0)
    return [images[k] for k in range(turns) for images in found if k < len(images)][:most]


def _strip(picture: np.ndarray, images: Sequence[np.ndarray], left: int, top: int) -> int:
    for k, image in enumerate(images):
        small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        picture[top : top + SIDE, left + k * SIDE : left + (k + 1) * SIDE] = small
    return len(images)


def _write(picture: np.ndarray, text: str, left: int, base: int, colour: tuple[int, int, int]) -> None:
    cv2.putText(picture, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)


def _trusted(decided: Decided, name: str) -> list[str]:
    """Return clean utterances of the label of ``name``, least likely wrong first, one a video as far as there are."""
    own = decided.speaker.is_(name.split("/", 1)[0]) & decided.decision.is_("clean") & decided.judged
    rows = np.flatnonzero(own)
    rows = rows[np.argsort(decided.p_wrong[rows], kind="stable")]
    first = np.sort(np.unique(decided.video.code[rows], return_index=True)[1])
    order = np.concatenate([first, np.setdiff1d(np.arange(len(rows)), first)])
    return decided.names(rows[order[:TRUSTED]])


def _group_lines(group: Group) -> list[str]:
    kinds = ", ".join(f"{kind} {count}" for kind, count in group.kinds.items())
    return [group.name, f"{group.flagged} of {group.judged} flagged ({percent(group.share, 0)})", kinds]


def _suggested(speaker: str | None) -> str:
    return f"thought to be {speaker}" if speaker else "nobody is suggested"
