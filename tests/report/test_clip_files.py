from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.media.frame_names import frame_name
from avsieve.report.clip_files import ClipFiles, frame_time
from avsieve.storage.tables import write_table

from .made_up import make_boxes

ROW = {"utterance": "a/v/1", "path": "a/v/1.mp4", "offset": 0, "size": 9, "audio_path": "", "audio_size": 0}


@pytest.mark.parametrize("interval_s", [0.4, 0.04, 0.02, 0.001])
def test_a_time_is_read_from_a_name_as_frames_are_named(interval_s: float) -> None:
    for number in (1, 2, 7, 100):
        assert frame_time(frame_name(number, interval_s)) == pytest.approx(number * interval_s)


@pytest.mark.parametrize("name", ["", "first", "12", "00a0", "٠٠١٠"])
def test_other_names_are_no_times(name: str) -> None:
    assert frame_time(name) is None


def test_a_clip_and_its_sound_are_named_with_the_folder_they_are_found_in(tmp_path: Path) -> None:
    index, root = tmp_path / "media/000.parquet", tmp_path / "clips"
    part = {"path": "000.clips.tar", "offset": 512, "size": 4321}
    apart = {"audio_path": "a/v/3.wav", "audio_size": 5}
    rows = [ROW, ROW | part | {"utterance": "a/v/2"}, ROW | apart | {"utterance": "a/v/3", "path": "far.mp4"}]
    rows.append(ROW | {"utterance": "a/v/4", "size": 0})
    write_table(index, pd.DataFrame(rows))
    for file in (root / "a/v/1.mp4", tmp_path / "media/000.clips.tar"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    shard_of = {row["utterance"]: "000" for row in rows} | {"b/v/1": "001"}
    files = ClipFiles([index], [], shard_of, roots=[root])
    assert [p.where for p in files.clip("a/v/1")] == [str(root / "a/v/1.mp4")]
    assert [p.where for p in files.clip("a/v/2")] == [f"{tmp_path}/media/000.clips.tar, 4,321 bytes from byte 512"]
    assert [(p.what, p.where) for p in files.clip("a/v/3")] == [("clip", "far.mp4"), ("its sound", "a/v/3.wav")]
    assert files.clip("a/v/4") == files.clip("b/v/1") == files.clip("nobody") == []


def test_a_frame_without_a_face_has_no_box(tmp_path: Path) -> None:
    write_table(tmp_path / "000.detections.parquet", make_boxes("a/v/1"))
    files = ClipFiles([], [tmp_path / "000.detections.parquet"], {"a/v/1": "000", "a/v/2": "000"})
    assert {frame: box.words for frame, box in files.boxes("a/v/1").items()} == {"0000": "90 × 120 px at 10, 20"}
    assert files.boxes("a/v/2") == {}


def test_a_table_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    write_table(tmp_path / "000.detections.parquet", make_boxes("a/v/1").drop(columns="x2"))
    files = ClipFiles([], [tmp_path / "000.detections.parquet"], {"a/v/1": "000"})
    with pytest.raises(AvsieveError, match=r"columns \['x2'\] are missing"):
        files.boxes("a/v/1")
