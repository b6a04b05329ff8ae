from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from avsieve.errors import AvsieveError
from avsieve.runtime.scripting import make_folder, parser, run
from avsieve.storage.atomic import write_json
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.tables import write_table


def test_a_users_mistake_ends_with_one_line_and_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise AvsieveError("a.mp4: 0 bytes")

    with pytest.raises(SystemExit) as caught:
        run(main)
    assert caught.value.code == 1
    assert capsys.readouterr().err == "error: a.mp4: 0 bytes\n"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, r"x\.tar: No space left on device; make room there .* what is finished is kept"),
        (errno.EDQUOT, r"x\.tar: Disk quota exceeded; make room there"),
        (errno.EROFS, r"x\.tar: Read-only file system; make it writable"),
        (errno.EACCES, r"x\.tar: Permission denied; change its permissions"),
        (errno.EIO, r"x\.tar: Input/output error; its disk or its file server fails; .* .avsieve verify"),
    ],
)
def test_what_the_system_refuses_is_told_in_a_line(number: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise OSError(number, os.strerror(number), "results/x.tar")

    with pytest.raises(SystemExit) as caught:
        run(main)
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(f"^error: results/{words}", line)


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no folder that nobody may write to")
def test_a_folder_that_is_read_only_is_told_by_every_writer(capsys: pytest.CaptureFixture[str]) -> None:
    def tar() -> None:
        with TarWriter("/sys/kernel/000.wav.tar"):
            pass

    writers: list[Callable[[], None]] = [
        tar,
        lambda: write_table("/sys/kernel/000.parquet", pa.table({"n": [1]})),
        lambda: write_json("/sys/kernel/results/000.json", {}),
    ]
    for writer in writers:
        with pytest.raises(SystemExit) as caught:
            run(writer)
        assert caught.value.code == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert re.search(
            r"^error: /sys/kernel/\S+: (Permission denied|Read-only file system|Operation not per.*);", line
        )


def test_memory_that_runs_out_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        np.ones(2**50, np.uint8)

    with pytest.raises(SystemExit) as caught:
        run(main)
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(r"^error: out of memory \(Unable to allocate .*\); run fewer jobs .*mem_mb", line)


def test_an_error_of_the_system_that_is_a_bug_keeps_its_stack_trace() -> None:
    with pytest.raises(FileNotFoundError):
        run(lambda: len(Path("none").read_text()))


def test_a_bug_keeps_its_stack_trace() -> None:
    def main() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run(main)


def test_help_shows_defaults_but_not_none(capsys: pytest.CaptureFixture[str]) -> None:
    ap = parser("What it does.")
    ap.add_argument("--a", type=int, default=3, help="the a")
    ap.add_argument("--b", help="the b")
    ap.add_argument("--c", action="store_true", help="the c")
    ap.add_argument("--d", nargs="*", default=[], help="the d")
    ap.add_argument("--e", default=5, help="the e (default: five)")
    with pytest.raises(SystemExit):
        ap.parse_args(["--help"])
    shown = capsys.readouterr().out
    assert "the a (default: 3)" in shown
    assert "None" not in shown
    assert shown.count("default") == 2
    assert "the e (default: five)" in shown


def test_the_command_answers_help_and_version() -> None:
    shown = subprocess.run([sys.executable, "-m", "avsieve", "--help"], capture_output=True, text=True, check=True)
    assert "evaluate" in shown.stdout
    shown = subprocess.run([sys.executable, "-m", "avsieve", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("avsieve 0.")


def test_a_folder_for_results_is_made_or_refused_in_one_line(tmp_path: Path) -> None:
    make_folder(tmp_path / "a/b", "--out")
    assert list((tmp_path / "a/b").iterdir()) == []
    (tmp_path / "file").write_text("kept")
    with pytest.raises(AvsieveError, match=r"--out .*file is a file; name a folder"):
        make_folder(tmp_path / "file", "--out")
    with pytest.raises(AvsieveError, match=r"--out .* cannot be written to \(Not a directory\)"):
        make_folder(tmp_path / "file/b", "--out")
    assert (tmp_path / "file").read_text() == "kept"
