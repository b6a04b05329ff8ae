"""What alignment leaves behind: the shard of faces, the table of detections, the status table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from avsieve.faces.align import AlignedUtterance, FrameRow, verdict
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import write_table

DETECTION_SCHEMA = pa.schema(
    [
        ("utterance", pa.string()),
        ("frame", pa.string()),
        ("n_faces", pa.int32()),
        *((name, pa.float32()) for name in ("score", "x1", "y1", "x2", "y2")),
        ("landmarks", pa.list_(pa.float32(), 10)),
        *((name, pa.float32()) for name in ("sharpness", "size_px", "yaw_deg", "pitch_deg", "roll_deg", "quality")),
        ("code", pa.string()),
        ("landmarks_106", pa.list_(pa.float32())),
    ]
)


def _values(utterance: str, row: FrameRow) -> dict[str, Any]:
    values = {"utterance": utterance, **row._asdict()}
    values.update(zip(("x1", "y1", "x2", "y2"), values.pop("box"), strict=True))
    values["code"] = row.code.value
    return values


class FaceTables:
    """The table of detections of a shard, a row for every frame, and its status table."""

    def __init__(self) -> None:
        self._columns: dict[str, list] = {name: [] for name in DETECTION_SCHEMA.names}
        self.status = StatusTable("align_faces", n_frames="int64", n_faces="int64", n_several="int64", n_low="int64")
        """With ``n_frames``, ``n_faces`` (frames that gave an aligned face), ``n_several`` (frames with several faces)
        and ``n_low`` (frames whose only faces scored too low)."""

    def add(self, utterance: str, found: AlignedUtterance) -> dict[str, Any]:
        """Append an utterance; return what `restore` takes, for a journal."""
        code, detail = verdict(found.rows)
        self.status.add(
            utterance,
            code,
            detail,
            n_frames=len(found.rows),
            n_faces=len(found.faces),
            n_several=sum(row.n_faces > 1 for row in found.rows),
            n_low=sum(row.code is Reason.LOW_FACE_SCORE for row in found.rows),
        )
        frames = [_values(utterance, row) for row in found.rows]
        self._append(frames)
        return {"status": self.status.rows[-1], "frames": frames}

    def restore(self, entry: dict[str, Any]) -> None:
        """Append an utterance that an earlier run has finished."""
        self.status.rows.append(entry["status"])
        self._append(entry["frames"])

    def _append(self, frames: list[dict[str, Any]]) -> None:
        for values in frames:
            for name, column in self._columns.items():
                column.append(values[name])

    def write(self, path: str | Path) -> None:
        """Write the table of detections."""
        write_table(path, pa.table(self._columns, schema=DETECTION_SCHEMA))


def add_faces(
    faces: TarWriter, utterance: str, found: AlignedUtterance, crops: Mapping[str, TarWriter] | None = None
) -> None:
    """Write the aligned faces of an utterance under the names of their frames, and other ``crops`` by their kind."""
    for name, jpeg in found.faces.items():
        faces.add(utterance, f"{utterance}/{name}.jpg", jpeg)
    for kind, writer in (crops or {}).items():
        for name, jpeg in found.crops[kind].items():
            writer.add(utterance, f"{utterance}/{name}.jpg", jpeg)
