"""Decoding and aligning in one go, against the two stages."""

import os

import cv2
import numpy as np
import pytest

from avsieve.faces.align import FaceAligner
from avsieve.faces.align_shard import align_shard
from avsieve.faces.detector import FaceDetector
from avsieve.faces.extract import extract_faces_shard
from avsieve.faces.prealigned import ReadyFaces
from avsieve.media.extract import extract_shard
from avsieve.media.ffmpeg import write_clip
from avsieve.media.index import IMAGES, IndexedClip, Place, file_place, media_table
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.tables import read_table
from avsieve.storage.wav import wav_bytes

SETTINGS = {"interval_s": 0.4, "min_audio_s": 0.5}


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """Two clips of a made-up person, a broken file, and a clip that is not there."""
    from avsieve.synthetic.faces.person import FaceRenderer, sample_face, sample_scene

    folder = tmp_path_factory.mktemp("media")
    rng = np.random.default_rng([7, 2])
    face = sample_face(rng, "f")
    tone = (8000 * np.sin(np.arange(20_000) / 8)).astype(np.int16)
    (folder / "tone.wav").write_bytes(wav_bytes(tone))
    places = []
    for name in ("1.mp4", "2.mp4"):
        renderer = FaceRenderer(face, sample_scene(rng, face))
        stills = [renderer.frame(0.4 * k, 0.3).image for k in range(4)]
        write_clip(folder / name, [stills[k // 8] for k in range(31)], folder / "tone.wav", crf=18)
        places.append(Place(name, 0, (folder / name).stat().st_size))
    (folder / "3.mp4").write_bytes(b"this is no video")
    places += [Place("3.mp4", 0, 16), Place("4.mp4", 0, 0)]
    index = media_table(IndexedClip(f"a/v/{k + 1:05d}", "train", place) for k, place in enumerate(places))
    return folder, index


@pytest.fixture(scope="module")
def aligner():
    return FaceAligner(FaceDetector("builtin", size="auto", min_score=0.25), min_score=0.5, crops=["box112"])


def fused(media, aligner, out, workers=1):
    out.mkdir(exist_ok=True)
    folder, index = media
    crops = {kind: out / f"{kind}.tar" for kind in getattr(aligner, "crops", ())}
    targets = {"wav_tar": out / "wav.tar", "faces_tar": out / "faces.tar", "detections": out / "detections.parquet"}
    return extract_faces_shard(
        index, {"train": folder}, None, aligner, workers=workers, crop_tars=crops, **targets, **SETTINGS
    )


def test_faces_and_sound_are_those_of_the_two_stages_and_no_frame_is_stored(media, aligner, tmp_path):
    folder, index = media
    two = tmp_path / "two"
    two.mkdir()
    first = extract_shard(
        index, {"train": folder}, frames_tar=two / "frames.tar", wav_tar=two / "wav.tar", jpeg_quality=95, **SETTINGS
    )
    second = align_shard(
        index["utterance"].tolist(), two / "frames.tar", aligner, faces_tar=two / "faces.tar",
        detections=two / "detections.parquet",
    )  # fmt: skip
    one = tmp_path / "one"
    extracted, aligned = fused(media, aligner, one)
    assert extracted.frame().equals(first.frame())
    assert aligned.frame().equals(second.frame())
    assert aligned.frame()["code"].tolist() == ["ok", "ok", "no_frames", "no_frames"]
    assert (one / "wav.tar").read_bytes() == (two / "wav.tar").read_bytes()
    assert not list(one.glob("*frames*"))
    with TarReader(one / "faces.tar") as ours, TarReader(two / "faces.tar") as theirs:
        names = ours.index["name"].tolist()
        assert names == theirs.index["name"].tolist()
        assert len(names) == 6
        with TarReader(one / "box112.tar") as crops:
            assert crops.index["name"].tolist() == names
        for name in names:
            a, b = (cv2.imdecode(np.frombuffer(r.read(name), np.uint8), 1).astype(int) for r in (ours, theirs))
            assert np.abs(a - b).mean() < 4  # no JPEG of the frame lies between
    columns = ["utterance", "frame", "n_faces", "code"]
    tables = [read_table(where / "detections.parquet", columns) for where in (one, two)]
    assert tables[0].equals(tables[1])


def test_any_number_of_workers_gives_equal_bytes(media, aligner, tmp_path):
    for workers in (1, 3):
        fused(media, aligner, tmp_path / str(workers), workers)
    for name in ("wav.tar", "faces.tar", "faces.parquet", "box112.tar", "detections.parquet"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


def test_a_killed_run_is_taken_up_where_it_stopped(media, aligner, tmp_path):
    """An aligner that breaks at the second clip leaves the first one done, and it is not aligned again."""

    class Breaking:
        at_a_time, wants_files, facts, crops = 1, False, aligner.facts, aligner.crops

        def __init__(self, calls: int) -> None:
            self.calls = calls

        def align(self, utterances):
            self.calls -= 1
            if self.calls < 0:
                raise RuntimeError("killed")
            return aligner.align(utterances)

    fused(media, aligner, tmp_path / "whole")
    with pytest.raises(RuntimeError, match="killed"):
        fused(media, Breaking(1), tmp_path / "again")
    left = {p.name for p in (tmp_path / "again").iterdir()}
    assert left == {"wav.tar.partial", "faces.tar.partial", "box112.tar.partial", "faces.tar.partial.jsonl"}
    extracted, aligned = fused(media, Breaking(3), tmp_path / "again")  # three clips are left
    assert len(extracted) == len(aligned) == 4
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
    assert len(list((tmp_path / "again").iterdir())) == len(list((tmp_path / "whole").iterdir()))


def test_ready_faces_are_kept_to_the_byte(tmp_path):
    folder = tmp_path / "images" / "u"
    folder.mkdir(parents=True)
    face = np.random.default_rng(0).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "0010.jpg"), face)
    (tmp_path / "u.wav").write_bytes(wav_bytes(np.full(16_000, 900, np.int16)))
    size = (tmp_path / "u.wav").stat().st_size
    index = media_table([IndexedClip("a/v/u", "train", Place("images/u", 0, 1, IMAGES), Place("u.wav", 0, size))])
    extracted, aligned = fused((tmp_path, index), ReadyFaces(), tmp_path / "out")
    assert extracted.frame()["code"].tolist() == aligned.frame()["code"].tolist() == ["ok"]
    with TarReader(tmp_path / "out" / "faces.tar") as faces:
        assert faces.read("a/v/u/0010.jpg") == (folder / "0010.jpg").read_bytes()


def test_a_clip_that_was_replaced_since_it_was_indexed_is_a_row_of_both_stages(media, aligner, tmp_path):
    folder, _ = media
    for name in ("1.mp4", "2.mp4"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    index = media_table(IndexedClip(f"a/v/{n}", "train", file_place(tmp_path, n)) for n in ("1.mp4", "2.mp4"))
    os.utime(tmp_path / "1.mp4", ns=(0, 1))
    extracted, aligned = fused((tmp_path, index), aligner, tmp_path / "out")
    assert extracted.frame()["code"].tolist() == ["media_changed", "ok"]
    assert aligned.frame()["code"].tolist() == ["no_frames", "ok"]
