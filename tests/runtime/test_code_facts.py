from __future__ import annotations

import json
from pathlib import Path

import pytest

from avsieve.runtime import code_facts
from avsieve.runtime.code_facts import Code, CodeFacts, Import

TEXT = """
import a.b, c
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from d import e
else:
    from f import g
def do():
    try:
        from . import h
    except ImportError:
        from .i import j
    match do:
        case 1:
            import k
"""


def test_imports_are_found_wherever_they_stand_but_for_types(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(TEXT)
    assert set(CodeFacts().of(tmp_path / "x.py").imports) == {
        Import(0, "a.b"), Import(0, "c"), Import(0, "typing", ("TYPE_CHECKING",)), Import(0, "f", ("g",)),
        Import(1, "", ("h",)), Import(1, "i", ("j",)), Import(0, "k"),
    }  # fmt: skip


def test_what_was_found_is_kept_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "notes" / "code.jsonl"
    (tmp_path / "x.py").write_text(TEXT)
    found = CodeFacts(kept).of(tmp_path / "x.py")
    (tmp_path / "y.py").write_text(TEXT)  # elsewhere, and later
    monkeypatch.setattr(code_facts, "parse_code", lambda content, path: pytest.fail(f"parsed {path}"))
    assert CodeFacts(kept).of(tmp_path / "y.py") == found
    monkeypatch.setattr(code_facts, "parse_code", lambda content, path: Code((), "anew"))
    (tmp_path / "y.py").write_text(TEXT.replace("1", "2"))
    assert CodeFacts(kept).of(tmp_path / "y.py").hash == "anew"


def test_what_a_killed_process_left_is_passed_over(tmp_path: Path) -> None:
    kept = tmp_path / "code.jsonl"
    (tmp_path / "x.py").write_text(TEXT)
    found = CodeFacts(kept).of(tmp_path / "x.py")
    whole = kept.read_text()
    for broken in (whole[:30], "\n[]\n[1, 2]\n", whole.replace('"k"', "k"), "\x00"):
        kept.write_text(broken)
        assert CodeFacts(kept).of(tmp_path / "x.py") == found


def test_where_nothing_can_be_written_everything_is_found_anew(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(TEXT)
    (tmp_path / "file").write_text("")
    assert CodeFacts(tmp_path / "file" / "code.jsonl").of(tmp_path / "x.py") == CodeFacts().of(tmp_path / "x.py")


def test_the_file_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "code.jsonl"
    monkeypatch.setattr(code_facts, "_LARGEST", 500)
    for number in range(20):
        (tmp_path / "x.py").write_text(f"{TEXT}\nN = {number}\n")
        CodeFacts(kept).of(tmp_path / "x.py")
    lines = kept.read_text().splitlines()
    assert 1 < len(lines) < 10
    assert all(len(json.loads(line)) == 3 for line in lines)
