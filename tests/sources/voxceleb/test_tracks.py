from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avsieve.sources.voxceleb.tracks import TrackError, parse_track, read_track

VOX2 = (
    "Identity  : \tid00012\nReference : \t21Uxsk56VDQ\nOffset    : \t-5\nFV Conf   : \t18.148\t(1)   \n"
    "ASD Conf  : \t3.982\n\nFRAME \tX \tY \tW \tH \n"
    "000164 \t0.478 \t0.110 \t0.243 \t0.430 \n000165 \t0.480 \t0.110 \t0.243 \t0.430 \n"
)


def test_a_track_of_shares_is_read() -> None:
    track = parse_track(VOX2)
    assert (track.reference, track.first, track.in_pixels) == ("21Uxsk56VDQ", 164, False)
    assert (track.start_s, track.duration_s) == (164 / 25, 2 / 25)
    assert track.boxes.tolist() == [[0.478, 0.11, 0.243, 0.43], [0.48, 0.11, 0.243, 0.43]]
    assert track.head["Offset"] == "-5"


def test_a_track_of_pixels_is_told_by_its_boxes() -> None:
    text = "Identity : id10001\n\nFRAME X Y W H\n000001 0 0 120 121\n000002 1 0 120 121\n"
    assert parse_track(text).in_pixels


def test_line_ends_marks_and_blank_lines_do_not_matter() -> None:
    odd = "\ufeff" + VOX2.replace("\n", "\r\n") + "\r\n\r\n"
    assert np.array_equal(parse_track(odd).boxes, parse_track(VOX2).boxes)


def test_frames_that_are_left_out_are_filled_in() -> None:
    track = parse_track("FRAME X Y W H\n10 0 10 50 50\n14 40 10 50 54\n")
    assert track.boxes[:, 0].tolist() == [0, 10, 20, 30, 40]
    assert track.boxes[:, 3].tolist() == [50, 51, 52, 53, 54]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no frames"),
        ("Identity : x\n\nFRAME X Y W H\n", "no frames"),
        ("FRAME X Y W H\n1 0 0 50\n", r"line 2: '1 0 0 50'; expected a frame number and four numbers"),
        ("FRAME X Y W H\n1 0 0 50 fifty\n", "line 2"),
        ("FRAME X Y W H\n1 0 0 50 nan\n", "line 2"),
        ("FRAME X Y W H\n1 0 0 0 50\n", "a box of 0 x 50"),
        ("FRAME X Y W H\n99999999999999999999 0 0 50 50\n", "line 2: '9+ 0 0 50 50'; expected a frame number"),
        ("FRAME X Y W H\n2 0 0 50 50\n2 0 0 50 50\n", "line 3: frame 2 follows frame 2"),
        ("FRAME X Y W H\n2 0 0 50 50\n9999 0 0 50 50\n", "no gap above"),
        ("<html>\nNot found\n</html>\n", "line 1: '<html>'"),
    ],
)
def test_damaged_tracks_name_the_line(text: str, words: str) -> None:
    with pytest.raises(TrackError, match=words):
        parse_track(text)


def test_missing_and_binary_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "id1/v/00001.txt"
    with pytest.raises(TrackError, match=r"id1/v/00001.txt: no such track file"):
        read_track(path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x00\x01\xfe\x02")
    with pytest.raises(TrackError, match=r"zero bytes|not UTF-8"):
        read_track(path)
