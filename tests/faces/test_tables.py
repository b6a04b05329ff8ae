from __future__ import annotations

import json
from pathlib import Path

from avsieve.faces.align import AlignedUtterance, FrameRow
from avsieve.faces.tables import DETECTION_SCHEMA, FaceTables, add_faces
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.reasons import Reason
from avsieve.storage.tables import read_table

NAN = float("nan")
FOUND = AlignedUtterance(
    [
        FrameRow("0010", 2, 0.9, (1.0, 2.0, 3.0, 4.0), tuple(map(float, range(10))), landmarks_106=(0.5, 0.25)),
        FrameRow("0020", 0, 0.2, code=Reason.LOW_FACE_SCORE),
        FrameRow("0030", 0, NAN, code=Reason.NO_FACE),
    ],
    {"0010": b"jpeg"},
)


def test_the_status_counts_frames_faces_and_low_scores(tmp_path: Path) -> None:
    tables = FaceTables()
    tables.add("a/v/u", FOUND)
    row = tables.status.frame().iloc[0]
    assert [row[n] for n in ("code", "n_frames", "n_faces", "n_several", "n_low")] == ["ok", 3, 1, 1, 1]
    tables.write(tmp_path / "d.parquet")
    table = read_table(tmp_path / "d.parquet")
    assert list(table.columns) == DETECTION_SCHEMA.names
    assert table["code"].tolist() == ["ok", "low_face_score", "no_face"]
    assert table.loc[0, ["x1", "y1", "x2", "y2"]].tolist() == [1, 2, 3, 4]
    assert table["landmarks_106"][1] is None


def test_what_a_journal_has_kept_gives_equal_tables(tmp_path: Path) -> None:
    first, second = FaceTables(), FaceTables()
    entry = first.add("a/v/u", FOUND)
    second.restore(json.loads(json.dumps(entry)))
    for name, tables in (("one", first), ("two", second)):
        tables.write(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert first.status.frame().equals(second.status.frame())


def test_faces_lie_under_the_names_of_their_frames(tmp_path: Path) -> None:
    with TarWriter(tmp_path / "f.tar") as writer:
        add_faces(writer, "a/v/u", FOUND)
    with TarReader(tmp_path / "f.tar") as reader:
        assert list(reader.of("a/v/u")) == [("a/v/u/0010.jpg", b"jpeg")]
