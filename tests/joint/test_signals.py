from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avsieve.errors import TarError
from avsieve.joint import signals as module
from avsieve.joint.signals import Signals
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.jpeg import jpeg_of

from .conftest import TIMES, Tiny, add_faces, add_voice, ramp, shade


def test_voice_and_faces_of_an_utterance_come_from_its_shards(tiny: Tiny) -> None:
    with tiny.signals() as signals:
        for speaker in (0, 3):
            wave = signals.wave(f"id{speaker}/v2/00001")
            assert wave is not None
            assert np.array_equal(wave, ramp(4.0, speaker))
            assert signals.samples(f"id{speaker}/v2/00001") == len(wave)
        faces = signals.faces("id1/v0/00001")
        assert faces.times_s.tolist() == [t / 25 for t in TIMES]
        time, face = faces[5]
        assert (time, face.shape, face.dtype) == (62 / 25, (112, 112, 3), np.uint8)
        assert np.abs(face.astype(int) - shade(62)).max() <= 3
        assert [time for time, _ in faces[2:4]] == [20 / 25, 31 / 25]


def test_who_is_in_no_shard_has_nothing(tiny: Tiny) -> None:
    with tiny.signals() as signals:
        assert signals.wave("id9/v/1") is None
        assert (signals.samples("id9/v/1"), len(signals.faces("id9/v/1"))) == (0, 0)


def test_only_the_faces_that_are_asked_for_are_decoded(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []

    def image_of(content: bytes) -> np.ndarray:
        decoded.append(len(content))
        return shade(1)

    monkeypatch.setattr(module, "image_of", image_of)
    with tiny.signals() as signals:
        faces = signals.faces("id1/v0/00001")
        assert (len(faces), decoded) == (8, [])
        _ = faces[3]
    assert len(decoded) == 1


def test_faces_are_in_the_order_of_time_beyond_four_digits(tmp_path: Path) -> None:
    with TarWriter(tmp_path / "w.tar"), TarWriter(tmp_path / "f.tar") as tar:
        add_faces(tar, "a/v/1", [10010, 9990])  # as their names sort
    with Signals([tmp_path / "w.tar"], [tmp_path / "f.tar"]) as signals:
        assert signals.faces("a/v/1").times_s.tolist() == [399.6, 400.4]


def test_names_that_are_no_times_leave_the_order_and_no_time(tmp_path: Path) -> None:
    with TarWriter(tmp_path / "f.tar") as tar:
        for name in ("0010", "left", "0005"):
            tar.add("a/v/1", f"a/v/1/{name}.jpg", jpeg_of(shade(1), 90))
    with Signals([], [tmp_path / "f.tar"]) as signals:
        faces = signals.faces("a/v/1")
        assert np.isnan(faces.times_s).all()
        assert faces.name.endswith("a/v/1/0010.jpg")


def test_damaged_members_are_named(tiny: Tiny) -> None:
    for tar, member in ((tiny.wavs[0], "id0/v0/00001.wav"), (tiny.faces[0], "id0/v0/00001/0010.jpg")):
        with TarReader(tar) as reader:
            place = next(p for p in reader.members("id0/v0/00001") if p.name == member)
        raw = bytearray(tar.read_bytes())
        raw[place.start + 60] ^= 1
        tar.write_bytes(raw)
    with tiny.signals() as signals:
        with pytest.raises(TarError, match=r"id0/v0/00001\.wav is not what was written"):
            signals.wave("id0/v0/00001")
        with pytest.raises(TarError, match=r"id0/v0/00001/0010\.jpg is not what was written"):
            _ = signals.faces("id0/v0/00001")[1]
        assert signals.faces("id0/v0/00001")[0][0] == 4 / 25  # the others are whole


def test_a_face_that_is_no_image_is_named(tmp_path: Path) -> None:
    with TarWriter(tmp_path / "f.tar") as tar:
        tar.add("a/v/1", "a/v/1/0010.jpg", b"no image")
    with (
        Signals([], [tmp_path / "f.tar"]) as signals,
        pytest.raises(TarError, match=r"a/v/1/0010\.jpg is not an image"),
    ):
        _ = signals.faces("a/v/1")[0]


def test_a_wav_without_samples_is_no_voice(tmp_path: Path) -> None:
    with TarWriter(tmp_path / "w.tar") as tar:
        add_voice(tar, "a/v/1", np.zeros(0, np.int16))
    with Signals([tmp_path / "w.tar"], []) as signals:
        assert signals.wave("a/v/1") is None
        assert signals.samples("a/v/1") == 0
        assert signals.face_size == (112, 112)


def test_faces_have_the_size_of_those_in_the_shards(tmp_path: Path) -> None:
    with TarWriter(tmp_path / "empty.tar"), TarWriter(tmp_path / "f.tar") as tar:
        tar.add("a/v/1", "a/v/1/0010.jpg", jpeg_of(np.zeros((160, 120, 3), np.uint8), 90))
    with Signals([], [tmp_path / "empty.tar", tmp_path / "f.tar"]) as signals:
        assert signals.face_size == (160, 120)
