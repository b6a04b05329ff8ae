from __future__ import annotations

import base64
import io
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from avsieve.report.media import Media, shard_name
from avsieve.storage.tables import write_table

from .made_up import make_boxes, make_media

NAMES = ["a/v/1", "a/v/2"]


def content(uri: str | None) -> bytes:
    assert uri is not None
    return base64.b64decode(uri.partition(",")[2])


def test_faces_lie_evenly_over_the_utterance_and_are_small(tmp_path: Path) -> None:
    with make_media(tmp_path, NAMES, frames=9) as media:
        faces = media.faces(NAMES[0], 3, size=40)
        everything = media.faces(NAMES[0], 100)
    assert len(faces) == 3
    assert len(everything) == 9
    images = [cv2.imdecode(np.frombuffer(content(face.uri), np.uint8), cv2.IMREAD_COLOR) for face in faces]
    assert [image.shape for image in images] == [(40, 40, 3)] * 3
    # The first, the middle and the last of nine: each frame is brighter by 40, up to where a byte ends.
    assert [int(image[..., 0].mean().round()) for image in images] == pytest.approx([0, 160, 64], abs=4)


def test_a_voice_is_cut_and_none_is_wanted_of_no_length(tmp_path: Path) -> None:
    with make_media(tmp_path, NAMES) as media:
        uri = media.voice(NAMES[1], 0.25)
        assert uri.startswith("data:audio/mpeg;base64,")
        with av.open(io.BytesIO(content(uri))) as heard:
            stream = heard.streams.audio[0]
            assert (stream.rate, stream.channels) == (16_000, 1)
            length = sum(frame.samples for frame in heard.decode(stream))
        assert 4000 <= length < 4000 + 4 * 576  # whole frames of the codec
        assert media.voice(NAMES[1], 0.25) == uri
        assert media.voice(NAMES[1], 0) is None


def test_a_face_tells_its_frame_its_time_and_where_it_lies(tmp_path: Path) -> None:
    with make_media(tmp_path, NAMES) as media:
        plain = media.faces(NAMES[0], 2, boxes=True)
        assert [(face.time_s, face.box) for face in plain] == [(0.0, None), (1.2, None)]
    write_table(tmp_path / "000.detections.parquet", make_boxes(NAMES[0]))
    shard_of = dict.fromkeys(NAMES, "000")
    with Media([tmp_path / "000.faces.tar"], [], shard_of, boxes=[tmp_path / "000.detections.parquet"]) as media:
        first, second = media.faces(NAMES[0], 2, boxes=True)
        assert media.faces(NAMES[0], 1)[0].box is None  # nobody asked
    assert first.words == "a/v/1, frame 0000 (0.00 s): 90 × 120 px at 10, 20"
    assert second.place == "frame 0030 (1.20 s)"


def test_the_files_of_an_utterance_are_named(tmp_path: Path) -> None:
    with make_media(tmp_path, NAMES) as media:
        wav, faces = media.places(NAMES[1])
        assert (wav.what, wav.where) == ("wav", f"{tmp_path.as_posix()}/000.wav.tar: a/v/2.wav")
        assert (faces.what, faces.where) == ("faces", f"{tmp_path.as_posix()}/000.faces.tar: a/v/2/0000.jpg and 3 more")
        assert media.places("b/v/1") == []


def test_of_what_no_tar_holds_there_is_nothing(tmp_path: Path) -> None:
    make_media(tmp_path, NAMES)
    with Media([tmp_path / "000.faces.tar"], [], {NAMES[0]: "000", "b/v/1": "007"}) as media:
        assert media.voice(NAMES[0], 1.0) is None
        assert media.faces("b/v/1", 3) == []
        assert media.faces("nobody/v/1", 3) == []
        assert len(media.faces(NAMES[0], 2)) == 2
    assert shard_name("results/align/003.faces.tar") == "003"
