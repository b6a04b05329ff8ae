from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.errors import ListError
from avsieve.sources.columns import read_rows


@pytest.mark.parametrize(
    ("optional", "words"),
    [
        ([], "expected utterance and path$"),
        (["seconds"], "expected utterance and path and, where they are known, seconds$"),
        (["a", "b", "seconds"], "expected utterance and path and, where they are known, a, b and seconds$"),
    ],
)
def test_a_wrong_column_is_told_with_those_that_may_be_there(tmp_path: Path, optional: list[str], words: str) -> None:
    table = tmp_path / "clips.csv"
    table.write_text("utterance,paht\na/b/c,x.mp4\n")
    with pytest.raises(ListError, match=f"line 1: columns utterance, paht; {words}"):
        list(read_rows(table, "the table", ["utterance", "path"], optional))


def test_rows_come_by_name_with_their_lines(tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    table.write_text("\nutterance; path\n\na/b/c; x.mp4 \n;\n")
    assert list(read_rows(table, "the table", ["utterance", "path"], [])) == [
        (4, {"utterance": "a/b/c", "path": "x.mp4"})
    ]
