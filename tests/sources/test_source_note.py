from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.errors import ConfigError
from avsieve.sources.registry import SOURCES
from avsieve.sources.source_note import NOTE, refuse_other_source, write_note


def note(kind: str, **settings: object) -> dict[str, object]:
    source = SOURCES[kind]
    return source(source.block(**settings)).note()


def planned(results: Path, kind: str, **settings: object) -> None:
    (results / "plan").mkdir(parents=True, exist_ok=True)
    (results / "plan/utterances.parquet").touch()
    write_note(results / "plan", note(kind, **settings))


def test_another_source_is_refused_with_what_to_do(tmp_path: Path) -> None:
    planned(tmp_path, "synthetic")
    refuse_other_source(tmp_path, note("synthetic"))
    with pytest.raises(ConfigError, match=r"source synthetic, and the configuration names the source tree, root mp4"):
        refuse_other_source(tmp_path, note("tree", root="mp4"))
    (tmp_path / "plan" / NOTE).unlink()
    refuse_other_source(tmp_path, note("tree", root="mp4"))


def test_another_folder_is_another_source_and_another_name_of_it_is_not(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mp4").mkdir()
    (tmp_path / "also").symlink_to("mp4")
    planned(tmp_path, "tree", root="mp4", train_list=None)
    for same in ("mp4", str(tmp_path / "mp4"), "./mp4/", "also"):
        refuse_other_source(tmp_path, note("tree", root=same, train_list="l.txt"))
    with pytest.raises(ConfigError, match="root mp4, and the configuration names the source tree, root other"):
        refuse_other_source(tmp_path, note("tree", root="other"))
    planned(tmp_path, "archive", video=["a.zip", "b.zip"])
    refuse_other_source(tmp_path, note("archive", video=["a.zip", "b.zip"]))
    with pytest.raises(ConfigError, match="video"):
        refuse_other_source(tmp_path, note("archive", video=["a.zip"]))


def test_a_folder_without_a_plan_is_free(tmp_path: Path) -> None:
    write_note(tmp_path / "plan", note("synthetic"))
    refuse_other_source(tmp_path, note("tree", root="mp4"))
