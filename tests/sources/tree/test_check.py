from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.sources.findings import SourceFacts
from avsieve.sources.folder_check import look_at_folders
from avsieve.sources.layout import Layout
from avsieve.sources.synthetic.check import check as check_synthetic
from avsieve.sources.synthetic.settings import Synthetic
from avsieve.sources.tree.check import check
from avsieve.sources.tree.contract import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for speaker in range(6):
        for number in range(3):
            path = tmp_path / f"train/id{speaker}/v{number}/00001.mp4"
            path.parent.mkdir(parents=True)
            path.write_bytes(b"x" * 100)
    (tmp_path / "train/id0/v0/notes.txt").write_text("no clip")
    return tmp_path


def levels(facts: SourceFacts) -> dict[str, str]:
    return {f.subject: f.level for f in facts.findings}


def test_a_folder_is_counted(tree: Path) -> None:
    facts = check(Tree(root=str(tree / "train")), "both")
    assert (facts.utterances, facts.clip_bytes) == (18, 1800)
    assert facts.is_there is not None
    assert facts.is_there("id3/v1/00001")
    assert not facts.is_there("id3/v1/00002")


def test_a_large_folder_is_estimated(tree: Path) -> None:
    found, told = look_at_folders({"source.tree.root": tree / "train"}, Layout(), look_s=0)
    assert not found.is_whole
    assert found.count == 18  # three of the first speaker, six speakers
    assert "1 of 6 folders were read" in told[-1].text


def test_clips_of_the_list_are_looked_for(tree: Path) -> None:
    lines = [f"id{s} id{s}/v0/0000{n}.wav 7.5" for s in range(2) for n in (1, 2)]
    (tree / "l.txt").write_text("\n".join(lines))
    facts = check(Tree(root=str(tree / "train"), train_list=str(tree / "l.txt")), "both")
    assert (facts.utterances, facts.seconds) == (4, 30.0)
    assert "2 of 4" in facts.findings[1].text
    assert levels(facts)["source.tree.root"] == "warning"
    (tree / "l.txt").write_text("id9 id9/v/1.wav 2")
    facts = check(Tree(root=str(tree / "train"), train_list=str(tree / "l.txt")), "both")
    assert levels(facts)["source.tree.root"] == "error"


def test_folders_that_are_not_there_stop_and_the_list_still_counts(tree: Path) -> None:
    (tree / "m.txt").write_text("id1 id1/v0/00001.wav 7.5\n")
    facts = check(Tree(root=str(tree / "no"), train_list=str(tree / "m.txt"), audio_root="nowhere"), "both")
    assert levels(facts)["source.tree.root"] == "error"
    assert levels(facts)["source.tree.audio_root"] == "error"
    assert facts.utterances == 1


def test_people_in_both_folders_are_told(tree: Path) -> None:
    (tree / "test/id3/v9").mkdir(parents=True)
    (tree / "test/id3/v9/00001.mp4").write_bytes(b"")
    facts = check(Tree(root=str(tree / "train"), test_root=str(tree / "test")), "both")
    texts = [f.text for f in facts.findings if f.subject == "source.tree.test_root"]
    assert any("1 speaker is in root too, as id3" in t for t in texts)
    assert any("without bytes" in t for t in texts)
    assert levels(facts)["source.tree.test_root"] == "error"


def test_the_embedded_corpus_counts_itself() -> None:
    facts = check_synthetic(Synthetic(), "both")
    assert (facts.utterances, facts.seconds) == (432, 1296.0)
