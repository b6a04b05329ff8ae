from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from avsieve.config.source import Source
from avsieve.sources.watch_list import FIRST, Watched, write_watch_list
from avsieve.storage import paths as P
from avsieve.wiring.watch import Watch

ROOTS: dict[str, str | None] = {"train_root": "clips"}


def told(watch: Watch) -> list[str]:
    return [watch.fetch(SimpleNamespace(shard=shard)) for shard in ("000", "001", "002")]


@pytest.mark.parametrize("how", ["here", "in processes", "here, since processes fail"])
def test_shards_looked_at_together_are_told_as_each_alone(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if how != "here":
        monkeypatch.setattr("avsieve.sources.watch_ahead.MANY_BYTES", 0)
    if how == "here, since processes fail":
        monkeypatch.setattr(sys, "executable", "/bin/false")
    source = Source.model_validate({"kind": "tree", "tree": {"root": "clips"}})
    for shard in ("000", "001"):
        path = tmp_path / "clips" / shard / "1.mp4"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
        stat = path.stat()
        places = [Watched("train_root", f"{shard}/1.mp4", f"{stat.st_size}:{stat.st_mtime_ns}")]
        write_watch_list(P.of(P.media.watched, shard=shard), f"noted of {shard}", places, {"train_root": "clips"})
    (tmp_path / "clips/001/1.mp4").write_bytes(b"another")
    together = Watch(source, ROOTS, together=["000", "001", "002"])
    found = told(together)
    assert found == told(Watch(source, ROOTS))
    assert found[0] == "noted of 000"
    assert found[1].startswith("clips: 1 not as they were indexed (001/1.mp4, newest ")
    assert found[2] == FIRST
    # What a job is recorded with is what it was planned with.
    (tmp_path / "clips/000/1.mp4").unlink()
    assert told(together) == found
