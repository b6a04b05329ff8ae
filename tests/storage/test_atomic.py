from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.storage.atomic import atomic_path, write_json, write_lines, write_text


def test_a_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "x.txt"
    with atomic_path(target) as partial:
        partial.write_text("half")
        assert not target.exists()
        assert partial.suffix == ".txt"
    assert target.read_text() == "half"
    assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_no_partial(tmp_path: Path) -> None:
    target = tmp_path / "x.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as partial:
        partial.write_text("new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_json_is_the_same_bytes_for_the_same_values(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": "ü"})
    write_json(tmp_path / "b.json", {"a": "ü", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": "ü",\n  "b": 1\n}\n'


def test_text_has_unix_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "x.txt", "a\nb\n")
    assert (tmp_path / "x.txt").read_bytes() == b"a\nb\n"


def test_lines_are_written_as_they_are_made_and_all_or_none(tmp_path: Path) -> None:
    write_lines(tmp_path / "x.txt", (f"ü{i}\n" for i in range(3)))
    assert (tmp_path / "x.txt").read_bytes() == "ü0\nü1\nü2\n".encode()
    with pytest.raises(ZeroDivisionError):
        write_lines(tmp_path / "x.txt", (f"{1 / i}\n" for i in (1, 0)))
    assert (tmp_path / "x.txt").read_bytes() == "ü0\nü1\nü2\n".encode()
    assert list(tmp_path.iterdir()) == [tmp_path / "x.txt"]


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    for name in ("x" * 251 + ".txt", "y" * 255):
        write_text(tmp_path / name, "whole")
        with atomic_path(tmp_path / name) as partial:
            partial.write_text("new")
            assert partial.suffix in (".txt", ".partial")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"x" * 251 + ".txt": "new", "y" * 255: "new"}
