"""Lists read in columns and line by line: the same tables, and the same words about what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import ListError
from avsieve.lists import layouts, train_list
from avsieve.lists.layouts import read_corpus_list
from avsieve.lists.plain_lists import read_plain_list

PLAIN = {
    "train": "id1 id1/v/1.wav 3.0\nid1 id1/v/1.part2.m4a 7\nid=20a id=20a/-v_x/00001.WAV nan\n",
    "clean": "id1 id1/v/1.wav 3.0 0.125 nan 1\nid2 id2/v/1.wav 3.0 -0.700 0.1 0\n",
    "pairs": "id1 id1/v/1.wav\nid2 id2/v/1.wav\n",
}
WRITTEN: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "with a mark": lambda text: text.encode("utf-8-sig"),
    "of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "of Windows with a mark": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "without a last end": lambda text: text.rstrip("\n").encode(),
    "with blank lines": lambda text: text.replace("\n", "\n\n").encode(),
}


def line_by_line(path: Path, patch: pytest.MonkeyPatch) -> pd.DataFrame:
    with patch.context() as context:
        for module in (train_list, layouts):
            context.setattr(module, "read_plain_list", lambda *given: None)
        return read_corpus_list(path)


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("layout", PLAIN)
def test_plain_lists_are_read_in_columns(
    tmp_path: Path, layout: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(WRITTEN[how](PLAIN[layout]))
    read = read_corpus_list(path)
    pd.testing.assert_frame_equal(read, line_by_line(path, monkeypatch))
    columns = {"train": train_list.TRAIN_LAYOUT, "clean": train_list.CLEAN_LAYOUT, "pairs": layouts.PAIRS_LAYOUT}
    assert read_plain_list(path, columns[layout], train_list.ENDINGS) is not None
    if layout == "clean":
        whole = train_list.read_clean_list(path)
        monkeypatch.setattr(train_list, "read_plain_list", lambda *given: None)
        pd.testing.assert_frame_equal(whole, train_list.read_clean_list(path))


@pytest.mark.parametrize(
    "content",
    [
        b"id1  id1/v/1.wav\t3.0\n",  # blanks of any kind part columns
        b" id1 id1/v/1.wav 3.0 \n",
        "id1 id1/v/1.wav 3e1\nid1 id1/v/2.wav ١\n".encode(),  # numbers as Python reads them
        b"id1 id1/v/1 3.0\nid1 id1\\v\\2.wav 3.0\nid1 /data/id1/v/3.wav 3.0\n",
        b"id1 id1/v/1.wav 3.0\rid2 id2/v/1.wav 4.0\r",
        "id1 id1/v/1.wav 3.0\nid2 id2/v/1.wav 4.0\n".encode("utf-16"),
        "id1\u00a0id1/v/1.wav 3.0\n".encode(),
    ],
)
def test_lists_of_another_look_are_read_line_by_line(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    pd.testing.assert_frame_equal(read_corpus_list(path), line_by_line(path, monkeypatch))


@pytest.mark.parametrize(
    "content",
    [
        b"id1 id1/v/1.wav 3.0\nid1 id1/v/1.mp4 3.0\n",  # twice
        b"id1 id1/v/1.wav 3.0\nid2 id1/v/2.wav 3.0\n",
        "id1 id1/v/1.wav 3.0\nZoë Zoë/v/2.wav 3.0\n".encode(),
        "id1 id1/v/1.wav 3.0\nZoë Zoë/v/2.wav 3.0\n".encode("latin-1"),
        b"id1 id1/v/1.wav 3.0\nid1 id1/v/a b.wav 3.0\n",
        b'id1 id1/v/1.wav 3.0\nid1 "id1/v/2.wav" 3.0\n',
        b"id1 id1/v/1.wav 3.0\nid1 id1/v/2.wav\n",
        b"id1 id1/v/1.wav 3.0\nid1 id1/v/2.wav long\n",
        b"id1 id1/v/1.wav 3.0\nid1 id1/v/2.wav 3.0\0\n",
        b"id1 id1/v/1.wav 3.0 0.1 0.1 1\nid1 id1/v/2.wav 3.0 0.1 0.1 2\n",
        b"id1 id1/v/1.wav\nid2 id1/v/2.wav\n",
        b"",
    ],
)
def test_what_is_wrong_is_told_as_it_is_line_by_line(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(ListError) as told:
        read_corpus_list(path)
    with pytest.raises(ListError) as expected:
        line_by_line(path, monkeypatch)
    assert str(told.value) == str(expected.value)


def test_the_layout_of_a_long_list_is_told_by_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    lines = "".join(f"id1 id1/v/{n}.wav 3.0\n" for n in range(20_000))
    path.write_bytes(lines.encode() + b"\xff")
    assert layouts.layout_of(path) == "train"
    with pytest.raises(ListError, match="line 20001: byte 0xff is not UTF-8"):
        read_corpus_list(path)
