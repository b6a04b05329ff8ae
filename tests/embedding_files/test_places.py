from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.embedding_files.places import Place, all_files, files_of, parse_place, short, split_offset, table_files
from avsieve.errors import AvsieveError


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a.npz", Place("a.npz", Path("a.npz"))),
        ("a.npy:names.txt", Place("a.npy:names.txt", Path("a.npy"), names=Path("names.txt"))),
        ("ark,t:x.txt", Place("ark,t:x.txt", Path("x.txt"), kind="ark")),
        ("SCP:x.scp", Place("SCP:x.scp", Path("x.scp"), kind="scp")),
    ],
)
def test_a_name_is_taken_apart(text: str, place: Place) -> None:
    assert parse_place(text) == place


def test_a_file_that_is_there_is_taken_by_its_name(tmp_path: Path) -> None:
    odd = tmp_path / "a.npy:b"
    odd.write_text("")
    assert parse_place(odd) == Place(str(odd), odd)


def test_commands_are_never_run() -> None:
    with pytest.raises(AvsieveError, match="a command; commands are never run"):
        parse_place("ark:gunzip -c x.ark.gz |")


def test_joined_files_and_the_archives_of_a_script_are_inputs(tmp_path: Path) -> None:
    assert table_files("a.npy:n.txt") == ["a.npy", "n.txt"]
    (tmp_path / "x.ark").write_bytes(b"")
    (tmp_path / "x.scp").write_text("a/v/1 elsewhere/x.ark:5\nb/v/1 elsewhere/x.ark:90\nc/v/1 gone.ark:5\n")
    assert table_files(str(tmp_path / "x.scp")) == [str(tmp_path / "x.scp"), str(tmp_path / "x.ark")]


def test_a_folder_stands_for_itself_as_an_input_and_for_its_files_where_they_are_read(tmp_path: Path) -> None:
    for name in ("b/2.npy", "a/1.NPY", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    there = [str(tmp_path / "a/1.NPY"), str(tmp_path / "b/2.npy")]
    assert table_files(str(tmp_path)) == [str(tmp_path)]
    assert all_files(str(tmp_path)) == [str(path) for path in files_of(tmp_path)] == there
    assert all_files("a.npy:n.txt") == ["a.npy", "n.txt"]


def test_a_place_in_an_archive_is_a_number_behind_a_colon() -> None:
    assert split_offset("d/x.ark:1234") == ("d/x.ark", 1234)
    assert split_offset("d/x.ark") == ("d/x.ark", None)
    assert split_offset("x:" + "9" * 30) == ("x:" + "9" * 30, None)


def test_long_texts_are_cut_for_messages() -> None:
    assert short("a\n b") == "a b"
    assert short("x" * 200) == "x" * 119 + "…"
