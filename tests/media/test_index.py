from __future__ import annotations

import math
from pathlib import Path

from avsieve.media.file_identity import stamp_of
from avsieve.media.index import MEDIA_SCHEMA, IndexedClip, Place, file_place, media_table, slices_of

ROOTS = {"train": Path("train"), "test": Path("test")}


def test_a_table_has_the_columns_of_its_schema_without_clips_too() -> None:
    clips = [IndexedClip("a/v/u", "train", Place("u.mp4", 0, 9))]
    for table in (media_table(clips), media_table([])):
        assert list(table.columns) == MEDIA_SCHEMA.names


def test_parts_of_an_archive_and_a_listed_length_reach_the_slice() -> None:
    clip = IndexedClip("a/v/u", "test", Place("x.tar.aa|x.tar.ab", 512, 9, "", "s", "m"), duration_s=2.5, listed=True)
    ((found, sound),) = slices_of(media_table([clip]), ROOTS)
    assert found.paths == (Path("test/x.tar.aa"), Path("test/x.tar.ab"))
    assert (found.offset, found.size, found.stamps, found.marks, found.listed_s) == (512, 9, "s", "m", 2.5)
    assert sound is None


def test_sound_that_lies_apart_has_its_own_root_and_stands_in_for_a_clip_that_is_missing() -> None:
    wav = Place("u.wav", 0, 5)
    clips = [
        IndexedClip("a/v/1", "train", Place("u.mp4", 0, 9), wav),
        IndexedClip("a/v/2", "train", Place("u.mp4"), wav),
        IndexedClip("a/v/3", "train", Place("u.mp4"), Place("u.wav")),
    ]
    both, alone, neither = slices_of(media_table(clips), ROOTS, {"train": Path("sound")})
    assert both[1] is not None
    assert (both[0].paths, both[1].paths) == ((Path("train/u.mp4"),), (Path("sound/u.wav"),))
    assert (alone[0].paths, alone[1]) == ((Path("sound/u.wav"),), None)
    assert (neither[0].size, neither[1] is not None) == (0, True)
    assert math.isnan(both[0].listed_s)


def test_a_file_has_its_size_and_stamp_and_a_missing_one_has_neither(tmp_path: Path) -> None:
    (tmp_path / "u.mp4").write_bytes(b"12345")
    place = file_place(tmp_path, "u.mp4")
    assert (place.size, place.stamps) == (5, stamp_of((tmp_path / "u.mp4").stat()))
    assert file_place(tmp_path, "absent.mp4") == Place("absent.mp4")
