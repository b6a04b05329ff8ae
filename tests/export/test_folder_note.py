from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.export.folder_note import NOTE, claim, digest

TOLD = {"form": "tree", "what": ["faces", "wav"], "utterances": 3, "speakers": 2, "content": "ab"}


def test_the_same_export_finds_its_own_note(tmp_path: Path) -> None:
    out = tmp_path / "a/b"
    claim(out, TOLD)
    claim(out, TOLD)
    assert json.loads((out / NOTE).read_text()) == TOLD
    assert sorted(path.name for path in out.iterdir()) == [NOTE]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"form": "parquet"}, "form tree there, parquet now"),
        ({"what": ["wav"]}, r"what faces\+wav there, wav now"),
        ({"utterances": 4}, "utterances 3 there, 4 now"),
        ({"content": "cd"}, "of other utterances, or of a run that has changed since"),
    ],
)
def test_another_export_is_refused_with_what_differs(tmp_path: Path, change: dict[str, object], told: str) -> None:
    claim(tmp_path / "out", TOLD)
    with pytest.raises(AvsieveError, match=told):
        claim(tmp_path / "out", TOLD | change)
    assert json.loads((tmp_path / "out" / NOTE).read_text()) == TOLD


@pytest.mark.parametrize("text", ["{", "[1]", ""])
def test_a_note_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / NOTE).write_text(text)
    with pytest.raises(AvsieveError, match=r"its export\.json cannot be read"):
        claim(tmp_path, TOLD)


def test_files_of_which_nothing_is_known_are_left_alone(tmp_path: Path) -> None:
    for name in ("d", "c", "b", "a"):
        (tmp_path / name).write_text(name)
    with pytest.raises(AvsieveError, match=r"holds files \(a, b, c, …\), and no export\.json"):
        claim(tmp_path, TOLD)
    assert not (tmp_path / NOTE).exists()


def test_what_a_killed_writer_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f".{NOTE}-x1").write_text("{")
    claim(tmp_path, TOLD)
    assert (tmp_path / NOTE).is_file()


def test_a_disk_without_links_has_notes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    claim(tmp_path / "out", TOLD)
    claim(tmp_path / "out", TOLD)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [NOTE]


def test_a_digest_changes_with_everything_that_an_export_holds() -> None:
    table = pd.DataFrame({"utterance": ["a", "b"], "flag": [1, 0]})
    every = {
        digest(table, [1, 2]),
        digest(table, [2, 1]),
        digest(table.assign(flag=1), [1, 2]),
        digest(table[::-1], [1, 2]),
    }
    assert len(every) == 4
    assert digest(table.copy(), [1, 2]) in every
