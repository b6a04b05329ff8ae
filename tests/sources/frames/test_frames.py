from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.media.extract import extract_shard
from avsieve.sources.frames import fetch, plan
from avsieve.sources.frames.check import check
from avsieve.sources.frames.contract import Frames
from avsieve.sources.frames.names import read_names
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.wav import wav_bytes
from tests.sources.blocks import settings

META = (
    "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
    "id10001\tA.J._Buckley\tm\tIreland\tdev\nid10002\tA.R._Rahman\tm\tIndia\tdev\n"
)


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".jpg", np.full((8, 8, 3), 90, np.uint8))[1].tobytes())


def wav(path: Path, seconds: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_bytes(np.ones(int(16_000 * seconds), np.int16)))


def options(**given: object) -> Frames:
    return settings(Frames, **given)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Lay out VoxCeleb1's face release: images by name and video, sound by id."""
    for video, utterances in (("vidA", ("00001", "00002")), ("vidB", ("00001",))):
        for utterance in utterances:
            wav(tmp_path / f"wav/id10001/{video}/{utterance}.wav", 1.5)
    wav(tmp_path / "wav/id10002/vidC/00001.wav")
    for number in (75, 100):
        image(tmp_path / f"unzippedFaces/A.J._Buckley/1.6/vidA/{number:07d}.jpg")
    image(tmp_path / "unzippedFaces/A.R._Rahman/1.6/vidC/0000025.jpg")
    (tmp_path / "vox1_meta.csv").write_text(META)
    return tmp_path


def test_the_face_release_is_found_by_names_and_shared_by_a_videos_utterances(release: Path) -> None:
    args = options(wavs=release / "wav", faces=release / "unzippedFaces", names=release / "vox1_meta.csv")
    rows = plan.plan(args)
    assert rows["utterance"].tolist()[:2] == ["id10001/vidA/00001", "id10001/vidA/00002"]
    index, status = fetch.fetch(rows, args)
    assert index["path"].tolist() == [
        "A.J._Buckley/1.6/vidA", "A.J._Buckley/1.6/vidA", "A.J._Buckley/vidB/00001", "A.R._Rahman/1.6/vidC",
    ]  # fmt: skip
    assert set(index["packing"]) == {"images"}
    assert index["audio_path"][0] == "id10001/vidA/00001.wav"
    assert index["duration_s"][0] == pytest.approx(1.5)
    table = status.frame().set_index("utterance")
    assert table["code"].tolist() == ["ok", "ok", "video_file_missing", "ok"]
    assert "A.J._Buckley/vidB" in table.loc["id10001/vidB/00001", "detail"]


def test_aligned_faces_lie_by_utterance_and_what_lacks_has_its_reason(tmp_path: Path) -> None:
    image(tmp_path / "frame_align/id1/v/00001/0010.jpg")
    image(tmp_path / "frame_align/id1/v/00002/0010.jpg")
    wav(tmp_path / "wav/id1/v/00001.wav")
    wav(tmp_path / "wav/id1/v/00003.wav")
    (tmp_path / "l.txt").write_text("".join(f"id1 id1/v/0000{i}.wav 1.0\n" for i in (1, 2, 3, 4)))
    args = options(wavs=tmp_path / "wav", faces=tmp_path / "frame_align", train_list=tmp_path / "l.txt")
    index, status = fetch.fetch(plan.plan(args), args)
    assert status.frame()["code"].tolist() == ["ok", "sound_file_missing", "video_file_missing", "media_missing"]
    assert index["path"][0] == "id1/v/00001"
    assert (index["size"] > 0).tolist() == [True, True, False, False]
    assert (index["audio_size"] > 0).tolist() == [True, False, True, False]


def test_sound_alone_needs_no_images(tmp_path: Path) -> None:
    wav(tmp_path / "wav/id1/v/00001.wav")
    args = options(wavs=tmp_path / "wav")
    index, status = fetch.fetch(plan.plan(args), args)
    assert status.frame()["code"].tolist() == ["ok"]
    assert (index["path"][0], index["packing"][0]) == ("id1/v/00001.wav", "")
    assert pd.isna(index["audio_path"][0])


def test_a_test_set_has_its_own_folders(release: Path) -> None:
    wav(release / "t/wav/id9/v/00001.wav")
    image(release / "t/faces/id9/v/00001/1.jpg")
    args = options(
        wavs=release / "wav", faces=release / "unzippedFaces", names=release / "vox1_meta.csv",
        test_wavs=release / "t/wav", test_faces=release / "t/faces",
    )  # fmt: skip
    rows = plan.plan(args)
    assert rows["subset"].tolist()[-2:] == ["train", "test"]
    index, _ = fetch.fetch(rows, args)
    assert index["path"].tolist()[-1] == "id9/v/00001"
    with pytest.raises(AvsieveError, match="give both or neither"):
        plan.plan(options(wavs=release / "wav", faces=release / "unzippedFaces", test_wavs=release / "t/wav"))


def test_wrong_names_and_folders_are_told(release: Path) -> None:
    with pytest.raises(AvsieveError, match=r"frames\.wavs: .* is not a folder"):
        plan.plan(options(wavs=release / "nowhere"))
    with pytest.raises(AvsieveError, match=r"frames\.faces: .* is not a folder"):
        plan.plan(options(wavs=release / "wav", faces=release / "nowhere"))
    other = release / "other.csv"
    other.write_text(META.replace("id1000", "id2000"))
    with pytest.raises(AvsieveError, match="has the name of no speaker"):
        plan.plan(options(wavs=release / "wav", names=other))
    other.write_text("speaker,name\nid1,A\n")
    with pytest.raises(AvsieveError, match=r"columns .* are missing"):
        read_names(other)
    other.write_text(META + "id10003\tA.J._Buckley\tm\tIreland\tdev\n")
    with pytest.raises(AvsieveError, match=r"line 4: A\.J\._Buckley belongs to id10001 and to id10003"):
        read_names(other)
    assert read_names(release / "vox1_meta.csv") == {"id10001": "A.J._Buckley", "id10002": "A.R._Rahman"}


@pytest.mark.parametrize("kind", ["release", "aligned"])
def test_images_and_sound_become_frames_and_wavs(release: Path, kind: str) -> None:
    if kind == "aligned":
        image(release / "aligned/id10001/vidA/00001/0010.jpg")
        args = options(wavs=release / "wav", faces=release / "aligned")
    else:
        args = options(wavs=release / "wav", faces=release / "unzippedFaces", names=release / "vox1_meta.csv")
    index, _ = fetch.fetch(plan.plan(args), args)
    tars = {"frames_tar": release / "f.tar", "wav_tar": release / "w.tar"}
    settings = {"interval_s": 0.4, "jpeg_quality": 95, "min_audio_s": 0.5}
    status = extract_shard(index, {"train": Path(args.faces)}, {"train": Path(args.wavs)}, **tars, **settings)
    table = status.frame().set_index("utterance")
    with TarReader(tars["frames_tar"]) as frames, TarReader(tars["wav_tar"]) as wavs:
        names = [name for name, _ in frames.of("id10001/vidA/00001")]
        assert len(wavs.utterances) == 4
    if kind == "aligned":
        assert names == ["id10001/vidA/00001/0010.jpg"]
    else:
        assert names == [f"id10001/vidA/00001/{n:07d}.jpg" for n in (75, 100)]
    assert table.loc["id10001/vidA/00001", "code"] == "ok"
    assert table.loc["id10001/vidB/00001", "code"] == "no_video_stream"
    assert table.loc["id10001/vidB/00001", "audio_s"] == pytest.approx(1.5)


def test_endings_in_capitals_other_layouts_and_odd_names_are_found(tmp_path: Path) -> None:
    wav(tmp_path / "wav/Zoë/take 1.WAV")
    wav(tmp_path / "wav/Ben/2.Flac")
    image(tmp_path / "faces/Zoë/take 1/0010.JPG")
    image(tmp_path / "faces/Ben/2/0010.Jpeg")
    args = options(wavs=tmp_path / "wav", faces=tmp_path / "faces", layout="speaker/utterance")
    rows = plan.plan(args)
    assert rows["utterance"].tolist() == ["Ben/2/2", "Zo=C3=AB/take=201/take=201"]
    index, status = fetch.fetch(rows, args)
    assert status.frame()["code"].tolist() == ["ok", "ok"]
    assert index["path"].tolist() == ["Ben/2", "Zoë/take 1"]
    assert index["audio_path"].tolist() == ["Ben/2.Flac", "Zoë/take 1.WAV"]
    tars = {"frames_tar": tmp_path / "f.tar", "wav_tar": tmp_path / "w.tar"}
    settings = {"interval_s": 0.4, "jpeg_quality": 95, "min_audio_s": 0.5}
    done = extract_shard(index, {"train": Path(args.faces)}, {"train": Path(args.wavs)}, **tars, **settings).frame()
    assert done["code"].tolist() == ["ok", "ok"]
    settings = Frames(wavs=str(tmp_path / "wav"), faces=str(tmp_path / "faces"), layout="speaker/utterance")
    facts = check(settings, "both")
    assert (facts.utterances, facts.failing) == (2, 0)
    assert {f.level for f in facts.findings} <= {"ok", "note"}


def test_sound_under_an_ending_that_is_not_taken_or_twice_has_its_reason(tmp_path: Path) -> None:
    wav(tmp_path / "wav/id1/v/1.pcm")
    wav(tmp_path / "wav/id1/v/2.wav")
    wav(tmp_path / "wav/id1/v/2.WAV")
    wav(tmp_path / "wav/id1/v/3.wav")
    for number in (1, 2, 3):
        image(tmp_path / f"faces/id1/v/{number}/1.jpg")
    (tmp_path / "l.txt").write_text("".join(f"id1 id1/v/{n}.wav 1.0\n" for n in (1, 2, 3, 4)))
    args = options(wavs=tmp_path / "wav", faces=tmp_path / "faces", train_list=tmp_path / "l.txt")
    _, status = fetch.fetch(plan.plan(args), args)
    assert status.frame()["code"].tolist() == ["ending_unknown", "clip_twice", "ok", "media_missing"]
    settings = Frames(wavs=str(tmp_path / "wav"), faces=str(tmp_path / "faces"), train_list=str(tmp_path / "l.txt"))
    facts = check(settings, "both")
    assert facts.failing == 3
