from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.storage.atomic import write_text
from avsieve.storage.indexed_tar import TarReader, TarWriter

# Holds a file in the making until its input ends.
OTHER = """
import sys
from avsieve.storage.atomic import atomic_path
from avsieve.storage.indexed_tar import TarWriter
how, path = sys.argv[1:]
if how == "tar":
    with TarWriter(path, kept=[]) as tar:
        tar.add("a/v/1", "a/v/1.wav", b"first")
        tar.flush()
        print("held", flush=True)
        sys.stdin.read()
else:
    with atomic_path(path) as partial:
        file = partial.open("w")
        print("first", file=file, flush=True)
        print("held", flush=True)
        sys.stdin.read()
"""


def other(how: str, path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, how, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_of_a_file_is_refused_and_the_first_one_s_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    first = other("file", path)
    with pytest.raises(AvsieveError, match=r"x\.txt: another process is writing it .* end one of them"):
        write_text(path, "second\n")
    first.communicate("")
    assert path.read_text() == "first\n"
    write_text(path, "second\n")
    assert path.read_text() == "second\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_writer_of_a_shard_is_refused_and_the_first_one_s_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "000.wav.tar"
    first = other("tar", path)
    with pytest.raises(AvsieveError, match=r"000\.wav\.tar: another process is writing it"), TarWriter(path):
        pytest.fail("it began")
    first.communicate("")
    assert not first.returncode
    with TarReader(path) as reader:
        assert reader.read("a/v/1.wav") == b"first"


def test_what_a_killed_writer_held_is_free(tmp_path: Path) -> None:
    first = other("tar", tmp_path / "000.wav.tar")
    first.kill()
    first.communicate()
    with TarWriter(tmp_path / "000.wav.tar") as tar:
        tar.add("a/v/1", "a/v/1.wav", b"second")
    with TarReader(tmp_path / "000.wav.tar") as reader:
        assert reader.read("a/v/1.wav") == b"second"
