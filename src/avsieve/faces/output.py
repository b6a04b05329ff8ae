"""What alignment leaves behind: the shard of faces, the table of detections, the status table."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from avsieve.faces.align import AlignedUtterance, FrameRow, verdict
from avsieve.reasons import Reason
from avsieve.shards import ShardWriter
from avsieve.status import StatusTable
from avsieve.tables import write_table

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


def _values(utterance: str, row: FrameRow) -> dict[str, object]:
    values = {"utterance": utterance, **row._asdict()}
    values.update(zip(("x1", "y1", "x2", "y2"), values.pop("box"), strict=True))
    values["code"] = row.code.value
    return values


class FaceOutput:
    """Write the faces of a shard; files appear under their names only when the ``with`` block ends well.

    Parameters
    ----------
    faces_tar, detections
        To write: the aligned faces, under the names of their frames, and a row for every frame.
    """

    def __init__(self, faces_tar: str | Path, detections: str | Path) -> None:
        self._faces = ShardWriter(faces_tar)
        self._path = detections
        self._columns: dict[str, list] = {name: [] for name in DETECTION_SCHEMA.names}
        self.status = StatusTable("align_faces", n_frames="int64", n_faces="int64", n_several="int64", n_low="int64")
        """With ``n_frames``, ``n_faces`` (frames that gave an aligned face), ``n_several`` (frames with several faces)
        and ``n_low`` (frames whose only faces scored too low)."""

    def __enter__(self) -> Self:
        self._faces.__enter__()
        return self

    def add(self, utterance: str, found: AlignedUtterance) -> None:
        """Append the faces of an utterance."""
        for name, jpeg in found.faces.items():
            self._faces.add(utterance, f"{utterance}/{name}.jpg", jpeg)
        for row in found.rows:
            values = _values(utterance, row)
            for name, column in self._columns.items():
                column.append(values[name])
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

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._faces.__exit__(kind, value, trace)
        if kind is None:
            write_table(self._path, pa.table(self._columns, schema=DETECTION_SCHEMA))
