from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from avsieve.errors import ConfigError
from avsieve.sound.recordings import SoundFolder


def hiss(n: int = 16_000) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(n).astype(np.float32)


def test_a_folder_without_recordings_or_at_another_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no recording"):
        SoundFolder(tmp_path)
    soundfile.write(tmp_path / "cd.wav", hiss(), 44_100)
    with pytest.raises(ConfigError, match=r"cd\.wav: 44100 Hz; expected 16000 Hz"):
        SoundFolder(tmp_path).piece(10, np.random.default_rng(0))


def test_a_recording_that_cannot_be_read_or_is_empty_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"RIFF, and then nothing")
    with pytest.raises(ConfigError, match=r"broken\.wav: cannot be read .*; expected a recording: mend or remove it"):
        SoundFolder(tmp_path).piece(10, np.random.default_rng(0))
    (tmp_path / "broken.wav").unlink()
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16_000)
    with pytest.raises(ConfigError, match=r"empty\.wav: no sample in it"):
        SoundFolder(tmp_path).piece(10, np.random.default_rng(0))


def test_pieces_come_from_different_recordings_as_far_as_there_are_some(tmp_path: Path) -> None:
    for level in range(1, 5):
        soundfile.write(tmp_path / f"{level}.wav", np.full(100, level / 10), 16_000)
    folder = SoundFolder(tmp_path)
    for seed in range(5):
        pieces = folder.pieces(3, 250, np.random.default_rng(seed))
        assert {piece.shape for piece in pieces} == {(250,)}
        assert len({round(float(piece[0]), 2) for piece in pieces}) == 3
    levels = sorted(round(float(piece[0]), 1) for piece in folder.pieces(6, 10, np.random.default_rng(0)))
    assert len(levels) == 6
    assert set(levels) == {0.1, 0.2, 0.3, 0.4}


def test_several_folders_are_one_stock_and_each_needs_a_recording(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        soundfile.write(tmp_path / name / "hiss.wav", hiss(), 16_000)
    found = SoundFolder(tmp_path / "a", tmp_path / "b").files
    assert [path.parent.name for path in found] == ["a", "b"]
    with pytest.raises(ConfigError, match=r"/c: no recording .* there; name a folder that holds some"):
        SoundFolder(tmp_path / "a", tmp_path / "c")


def test_the_middle_of_a_recording_is_read_and_a_short_one_filled_up(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.arange(101, dtype=np.float32) / 128, 16_000, subtype="FLOAT")
    folder, rng = SoundFolder(tmp_path), np.random.default_rng(0)
    assert (folder.middle(5, rng) * 128).tolist() == [48, 49, 50, 51, 52]
    assert (folder.middle(103, rng) * 128).tolist() == [*range(101), 0, 0]
