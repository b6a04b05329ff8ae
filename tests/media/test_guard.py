"""A guarded process holds nothing of those who started it."""

from __future__ import annotations

import fcntl
import os
import sys
from functools import partial
from pathlib import Path

import pytest

from avsieve.media.guard import Guard
from avsieve.sources.downloads import locked


def open_files() -> list[str]:
    """Return the files that are open in this process."""
    return [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()]  # noqa: PTH115 - as text


@pytest.mark.skipif(sys.platform != "linux", reason="guards fork on Linux alone")
def test_files_that_are_open_when_it_starts_stay_with_their_owner(tmp_path: Path) -> None:
    with (tmp_path / "a").open("w") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        guard = Guard(500, 30.0)
        assert str(tmp_path / "a") in open_files()
        assert str(tmp_path / "a") not in guard.run(open_files)
    with (tmp_path / "a").open("w") as again:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    guard.close()


def test_a_lock_ends_with_its_block_though_a_fork_has_the_file_open(tmp_path: Path) -> None:
    with locked(tmp_path / "ledger") as handle:
        copy = os.dup(handle.fileno())  # as a process has it that was forked meanwhile
    try:
        with (tmp_path / "ledger").open("ab") as again:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(copy)


def test_it_works_on(tmp_path: Path) -> None:
    guard = Guard(500, 30.0, writes=True)
    assert guard.run(partial(Path.write_text, tmp_path / "a", "b")) == 1
    assert (tmp_path / "a").read_text() == "b"
    guard.close()
