from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.report.corpus import Corpus, read_corpus


def test_a_corpus_is_called_by_its_kind_and_its_places() -> None:
    assert Corpus().name == ""
    assert Corpus("synthetic").name == "synthetic corpus"
    assert Corpus("tree", ("/data/mp4",)).name == "tree /data/mp4"
    assert Corpus("archive", ("a.zip", "b.zip", "c.zip", "d.zip")).name == "archive a.zip, b.zip and 2 more"


def test_a_note_names_kind_and_places(tmp_path: Path) -> None:
    note, decisions = tmp_path / "source.json", tmp_path / "decisions.parquet"
    decisions.touch()
    assert read_corpus(note, decisions).kind == ""
    note.write_text('{"kind": "archive", "video": ["a.zip", "b.zip"]}')
    assert read_corpus(note, decisions).places == ("a.zip", "b.zip")


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_broken_note_is_named(tmp_path: Path, text: str) -> None:
    note, decisions = tmp_path / "source.json", tmp_path / "decisions.parquet"
    decisions.touch()
    note.write_text(text)
    with pytest.raises(AvsieveError, match=r"source.json: .*plan the run again"):
        read_corpus(note, decisions)
