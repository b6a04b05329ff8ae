from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from avsieve.sources import watch_ahead
from avsieve.sources.watch_ahead import start_to_compare
from avsieve.sources.watch_list import FIRST, Watched, tell_changes, write_watch_list

ODD = os.fsdecode(b"caf\xe9 \xc3\xa4.mp4")
ROOTS = {"train_root": "clips"}


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the watch lists of shards of a clip each, the last of which was never indexed."""
    monkeypatch.chdir(tmp_path)
    for shard in range(5):
        path = Path("clips", str(shard), ODD)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
        stat = path.stat()
        places = [Watched("train_root", f"{shard}/{ODD}", f"{stat.st_size}:{stat.st_mtime_ns}")]
        write_watch_list(f"{shard}.json", f"noted of {shard}", places, ROOTS)
    return [f"{shard}.json" for shard in range(6)]


@pytest.mark.parametrize("how", ["files", "names", "nothing"])
def test_processes_tell_what_this_one_does(
    lists: list[str], how: watch_ahead.How, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_ahead, "MANY_BYTES", 0)
    Path("clips", "1", ODD).write_bytes(b"another")
    Path("clips", "3", ODD).unlink()
    told = {path: answer.result() for path, answer in start_to_compare(lists, ROOTS, how).items()}
    assert told == {path: tell_changes(path, ROOTS, how) for path in lists}
    changed = {"files": {"1.json", "3.json"}, "names": {"3.json"}, "nothing": set()}[how]
    assert {path for path in lists if told[path].startswith("clips: 1 not as they were")} == changed
    assert told["0.json"] == "noted of 0"
    assert told["5.json"] == FIRST


def test_a_list_that_cannot_be_compared_is_an_error_of_its_own(
    lists: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_ahead, "MANY_BYTES", 0)
    Path(lists[0]).write_text("{}")
    with pytest.raises(KeyError, match="told"):
        start_to_compare(lists[:1], ROOTS, "files")[lists[0]].result()


def test_after_an_interruption_nothing_is_compared_anew(lists: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_ahead, "MANY_BYTES", 0)
    monkeypatch.setattr(subprocess, "run", lambda *given, **others: subprocess.CompletedProcess(given, -signal.SIGINT))
    monkeypatch.setattr(watch_ahead, "tell_changes", lambda *given: pytest.fail("compared"))
    for answer in start_to_compare(lists, ROOTS, "files").values():
        with pytest.raises(KeyboardInterrupt):
            answer.result()
