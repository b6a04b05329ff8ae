from __future__ import annotations

import csv
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.export.contents import Contents
from avsieve.export.registry import FORMS
from avsieve.export.selection import select
from avsieve.export.settings import Wish
from avsieve.settings import Block

from .conftest import NOISY, TRAIN


def exported(results: Path, out: Path, form: str, kinds: tuple[str, ...] = ("faces", "wav"), subset: str = "all"):
    table = select(results, Wish(subset=subset))
    contents = Contents(results, kinds, sorted(table["shard"].unique()))
    return FORMS[form].write(table, contents, out, Block(), seed=0, threads=2)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_spotlight_gets_a_row_per_utterance_with_a_face_and_a_voice_that_are_there(results: Path, tmp_path) -> None:
    out = tmp_path / "out"
    exported(results, out, "spotlight")
    rows = rows_of(out / "spotlight.csv")
    assert [row["utterance"] for row in rows] == TRAIN
    for row in rows:
        assert (out / row["voice"]).read_bytes()[:4] == b"RIFF"
        assert (row["face"] == "") == (row["utterance"] == "id2/vC/00001")  # no face was found there
        assert not row["face"] or (out / row["face"]).read_bytes()[:2] == b"\xff\xd8"
        assert row["flag"] == ("noisy" if row["utterance"] == NOISY else "clean")
    assert float(rows[0]["audio_similarity"]) == pytest.approx(0.1)


def test_fiftyone_gets_a_row_per_face(results: Path, tmp_path) -> None:
    out = tmp_path / "out"
    counts = exported(results, out, "fiftyone")
    rows = rows_of(out / "labels.csv")
    assert counts["pictures"] == len(rows) == 8
    assert sorted(row["filepath"] for row in rows) == sorted(
        path.relative_to(out).as_posix() for path in (out / "frame_align").rglob("*.jpg")
    )
    assert all(row["filepath"].startswith(f"frame_align/{row['utterance']}/") for row in rows)


def test_what_is_not_exported_is_empty_in_the_table(results: Path, tmp_path) -> None:
    exported(results, tmp_path / "voices", "spotlight", ("wav",))
    assert {row["face"] for row in rows_of(tmp_path / "voices/spotlight.csv")} == {""}
    exported(results, tmp_path / "faces", "spotlight", ("faces",))
    assert {row["voice"] for row in rows_of(tmp_path / "faces/spotlight.csv")} == {""}


def test_people_kept_for_trials_have_no_flag(results: Path, tmp_path) -> None:
    exported(results, tmp_path / "out", "spotlight", subset="test")
    (row,) = rows_of(tmp_path / "out/spotlight.csv")
    assert (row["utterance"], row["flag"], row["p_wrong"]) == ("id9/vZ/00001", "", "")


def test_a_second_export_gives_equal_bytes_and_another_form_is_not_mixed_into_it(results: Path, tmp_path) -> None:
    out = tmp_path / "out"
    exported(results, out, "spotlight")
    before = (out / "spotlight.csv").read_bytes()
    assert exported(results, out, "spotlight")["written"] == 0
    assert (out / "spotlight.csv").read_bytes() == before
    with pytest.raises(AvsieveError, match="form"):
        exported(results, out, "fiftyone")
