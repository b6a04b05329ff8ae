from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.sources.archive import check as archive_check
from avsieve.sources.archive.contract import Archive
from avsieve.sources.findings import SourceFacts

from .test_archive import CONTENT, make_tar, make_zip, split


def told(facts: SourceFacts) -> list[tuple[str, str]]:
    return [(f.level, f.subject) for f in facts.findings]


def test_archives_are_counted_before_a_run(tmp_path: Path) -> None:
    pattern = split(make_zip(tmp_path / "a.zip", CONTENT), [500, 1000], "b_part")
    facts = archive_check.check(Archive(video=[pattern]), "both")
    assert told(facts) == [("ok", "source.archive.video")]
    assert "archives: 1 in 3 files" in facts.findings[0].text
    assert facts.utterances == 3
    assert facts.clip_bytes == sum(p.stat().st_size for p in tmp_path.iterdir())
    assert facts.is_there is not None
    assert facts.is_there("id1/vA/00001")
    assert not facts.is_there("id1/vA/7")


def test_large_archives_are_not_listed_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_check, "MANY", 2)
    monkeypatch.setattr(archive_check, "LARGE", 2)
    facts = archive_check.check(Archive(video=[str(make_zip(tmp_path / "a.zip", CONTENT))]), "both")
    assert (facts.utterances, facts.is_there) == (4, None)  # the zip's entries, a folder among them
    facts = archive_check.check(Archive(video=[str(make_tar(tmp_path / "a.tar", CONTENT))]), "both")
    assert facts.utterances is None


def test_what_would_stop_a_run_on_archives_is_an_error(tmp_path: Path) -> None:
    facts = archive_check.check(Archive(video=[str(tmp_path / "no*")], audio=["nowhere.zip"]), "both")
    assert told(facts) == [("error", "source.archive.video"), ("error", "source.archive.audio")]
    (tmp_path / "l.txt").write_text("id1 id1/vA/00001.wav 1.5\nid1 id1/vA/00007.wav 2.5\n")
    path = str(make_zip(tmp_path / "a.zip", CONTENT))
    facts = archive_check.check(Archive(video=[path], train_list=str(tmp_path / "l.txt")), "both")
    assert ("warning", "source.archive.video") in told(facts)
    assert (facts.utterances, facts.seconds) == (2, 4.0)
