from __future__ import annotations

import io
import wave
from pathlib import Path

import pandas as pd

from avsieve.media.extract import extract_shard
from avsieve.media.index import IndexedClip, Place, media_table
from avsieve.storage.indexed_tar import TarReader

SETTINGS = {"interval_s": 0.4, "jpeg_quality": 90, "min_audio_s": 0.5}


def index_of(folder: Path, names: list[str]) -> pd.DataFrame:
    places = [Place(name, 0, (folder / name).stat().st_size) for name in names]
    return media_table(IndexedClip(f"a/v/{i}", "train", place) for i, place in enumerate(places))


def extract(clips: Path, out: Path, workers: int) -> pd.DataFrame:
    (clips / "text.mp4").write_text("not a clip")
    index = index_of(clips, ["plain.mp4", "text.mp4", "plain.mp4"])
    tars = {"frames_tar": out / "000.frames.tar", "wav_tar": out / "000.wav.tar"}
    return extract_shard(index, {"train": clips}, workers=workers, **tars, **SETTINGS).frame()


def test_every_clip_becomes_members_and_a_row(clips: Path, tmp_path: Path) -> None:
    status = extract(clips, tmp_path, workers=1)
    assert status["code"].tolist() == ["ok", "not_media", "ok"]
    assert status["n_frames"].tolist() == [7, 0, 7]
    with TarReader(tmp_path / "000.frames.tar") as frames, TarReader(tmp_path / "000.wav.tar") as wavs:
        assert [n for n, _ in frames.of("a/v/0")] == [f"a/v/0/{10 * k:04d}.jpg" for k in range(1, 8)]
        assert wavs.utterances == ["a/v/0", "a/v/2"]
        with wave.open(io.BytesIO(wavs.read("a/v/0.wav"))) as handle:
            assert (handle.getframerate(), handle.getnchannels(), handle.getsampwidth()) == (16_000, 1, 2)
            assert handle.getnframes() / 16_000 == status["audio_s"][0]


def test_the_number_of_workers_does_not_change_a_byte(clips: Path, tmp_path: Path) -> None:
    extract(clips, tmp_path / "one", workers=1)
    extract(clips, tmp_path / "three", workers=3)
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "three" / path.name).read_bytes()
