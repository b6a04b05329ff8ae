"""The contact sheet: one face of each clip of a speaker or of a video."""

from __future__ import annotations

from typing import Any

import numpy as np

from avsieve.inspection.near import near_names
from avsieve.review.server.columns import Columns
from avsieve.review.server.items import Items
from avsieve.review.server.parameters import LARGEST, Parameters, shown
from avsieve.review.server.refusal import NotThereError, RefusedError
from avsieve.review.server.reviews import Reviews
from avsieve.review.server.table import MOST_ROWS, number

NAMES = ("speaker", "video", "offset", "limit")


def sheet(given: Parameters, columns: Columns, items: Items, reviews: Reviews) -> dict[str, Any]:
    """Return a page of a sheet: clips in the order of videos and ids.

    Raises
    ------
    RefusedError
        If neither a speaker nor a video is given, or a value cannot be.
    NotThereError
        If no utterance has that label or video.
    """
    speaker, video = given.text("speaker"), given.text("video")
    offset, limit = given.whole("offset", 0, 0, LARGEST), given.whole("limit", 100, 1, MOST_ROWS)
    if not speaker and not video:
        raise RefusedError("speaker '' and video ''; expected a speaker, or a video (speaker/video), or both")
    d = columns.decided
    if video and "/" not in video and speaker:
        video = f"{speaker}/{video}"
    column, name, what = (d.video, video, "video") if video else (d.speaker, speaker, "speaker")
    rows = np.flatnonzero(column.is_(name))
    if not len(rows) or (speaker and d.speaker.text(int(rows[0])) != speaker):
        near = ", ".join(near_names(name, column.names))
        raise NotThereError(
            f"{what} {shown(name)}: no utterance has it; {f'did you mean {near}?' if near else 'none is like it'}"
        )
    names = d.names(rows)
    rows = rows[sorted(range(len(rows)), key=names.__getitem__)][offset : offset + limit]
    return {
        "total": len(names),
        "offset": offset,
        "items": [_clip(row, columns, items, reviews) for row in rows.tolist()],
    }


def speakers(given: Parameters, columns: Columns) -> dict[str, Any]:
    """Return labels that begin with ``q``, in their order, for naming who it is."""
    q, limit = given.text("q"), given.whole("limit", 20, 1, MOST_ROWS)
    found = sorted(name for name in columns.decided.speaker.names if name.startswith(q))
    return {"total": len(found), "speakers": found[:limit]}


def _clip(row: int, columns: Columns, items: Items, reviews: Reviews) -> dict[str, Any]:
    d = columns.decided
    faces = items.faces(row, 1)
    return {
        "row": row,
        "utterance": columns.id_of(row),
        "video": d.video.text(row),
        "face": faces[0] if faces else None,
        "p": number(d.p_wrong[row]),
        "flag": d.decision.text(row) == "noisy",
        "decision": reviews.decision_of(row),
    }
