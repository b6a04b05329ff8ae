"""No room on the disk: every writer says so, leaves nothing under its name, and writes the same once there is room.

A limit on the size of files stands in for the disk: the system refuses the write, whoever makes it.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from avsieve.encoders.checkpoint import write_state as write_weights
from avsieve.errors import AvsieveError
from avsieve.fusion.checkpoint import save_left_out
from avsieve.media.ffmpeg import write_clip
from avsieve.storage.atomic import write_json, write_lines, write_text
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import write_parts, write_table
from avsieve.storage.wav import wav_bytes
from avsieve.training.state import write_state

ROOM = 2000  # bytes


@contextmanager
def no_room(size: int = ROOM) -> Iterator[None]:
    """Let no file grow beyond ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def numbers() -> np.ndarray:
    return np.random.default_rng(0).normal(size=20_000)


def tar(path: Path) -> None:
    with TarWriter(path) as writer:
        for n in range(8):
            writer.add("a/v/1", f"a/v/1/{n}.jpg", numbers()[:100].tobytes())


def status(path: Path) -> None:
    table = StatusTable("extract_media", audio_s="float64")
    for n, number in enumerate(numbers()):
        table.add(f"a/v/{n}", detail=str(number), audio_s=number)
    table.write(path)


def clip(path: Path) -> None:
    wav = path.with_suffix(".wav")
    wav.write_bytes(WAV)
    frames = (np.full((32, 32, 3), 10 * n % 255, np.uint8) for n in range(25))
    write_clip(path, frames, wav, size=32)


WAV = wav_bytes((8000 * np.sin(np.arange(1600) / 6)).astype(np.int16))[:1900]
WRITERS: dict[str, Callable[[Path], None]] = {
    "x.txt": lambda path: write_text(path, "a line\n" * 1000),
    "lines.txt": lambda path: write_lines(path, (f"{n}\n" for n in range(1000))),
    "x.json": lambda path: write_json(path, list(range(1000))),
    "x.parquet": lambda path: write_table(path, pd.DataFrame({"n": numbers()})),
    "parts.parquet": lambda path: write_parts(path, (pa.table({"n": numbers()}) for _ in range(3))),
    "status.parquet": status,
    "x.tar": tar,
    "state.pt": lambda path: write_state(path, {"step": 3, "weights": torch.from_numpy(numbers())}),
    "x.safetensors": lambda path: write_weights(path, {"weights": torch.from_numpy(numbers())}, {"arch": "x"}),
    "left_out.safetensors": lambda path: save_left_out(path, "no pairs " * 300),
    "x.mp4": clip,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_told_and_leaves_nothing_and_the_next_try_is_whole(name: str, tmp_path: Path) -> None:
    write = WRITERS[name]
    (tmp_path / "whole").mkdir()
    write(tmp_path / "whole" / name)
    expected = (tmp_path / "whole" / name).read_bytes()
    assert len(expected) > ROOM
    path = tmp_path / name
    with no_room(), pytest.raises((OSError, AvsieveError)) as caught:
        write(path)
    error = caught.value
    if isinstance(error, OSError):
        assert error.errno == errno.EFBIG
        assert error.filename == str(path)
    else:
        assert str(path) in str(error)
    assert not path.exists()
    assert not list(tmp_path.glob("*.partial*"))
    write(path)
    assert path.read_bytes() == expected


def test_an_old_file_is_kept_when_there_is_no_room_for_the_new(tmp_path: Path) -> None:
    write_text(tmp_path / "x.txt", "old\n")
    with no_room(), pytest.raises(OSError, match=r"x\.txt"):
        write_text(tmp_path / "x.txt", "new\n" * 1000)
    assert (tmp_path / "x.txt").read_text() == "old\n"


def test_a_tar_that_is_kept_for_the_next_run_keeps_what_there_was_room_for(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with no_room(4096), pytest.raises(OSError, match=r"x\.tar"), TarWriter(path, kept=[]) as writer:
        for n in range(8):
            writer.add("a/v/1", f"a/v/1/{n}.jpg", numbers()[:100].tobytes())
            writer.flush()
    assert not path.exists()
    assert (tmp_path / "x.tar.partial").stat().st_size == 4096


def test_a_disk_that_is_full_when_the_file_is_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    for write, name in ((tar, "x.tar"), (WRITERS["x.txt"], "x.txt")):
        with pytest.raises(OSError, match="No space left on device") as caught:
            write(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
    assert not list(tmp_path.iterdir())
