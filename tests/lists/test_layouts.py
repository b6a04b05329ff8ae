from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.errors import ListError
from avsieve.lists.layouts import layout_of, read_corpus_list

SPLIT = "1 id1/vA/00001.wav\n2 id1/vA/00002.wav\n3 id2/vB/00001.wav\n1 id2/vB/00002.wav\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "list.txt"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("id1 id1/vA/00001.wav 7.36\n", "train"),
        ("id1 id1/vA/00001.wav 7.36 0.812 0.700 1\n", "clean"),
        ("id1 id1/vA/00001.wav\n", "pairs"),
        (SPLIT, "split"),
        ("1 id1/vA/00001.wav id1/vB/00001.wav\n0 id1/vA/00001.wav id2/vC/00001.wav\n", "trials"),
        ("VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n", "meta"),
    ],
)
def test_layouts_are_told_apart(tmp_path: Path, text: str, layout: str) -> None:
    assert layout_of(written(tmp_path, text)) == layout


def test_the_identification_split_gives_its_training_lines(tmp_path: Path) -> None:
    frame = read_corpus_list(written(tmp_path, SPLIT))
    assert frame["utterance"].tolist() == ["id1/vA/00001", "id2/vB/00002"]
    assert frame["seconds"].tolist() == ["", ""]


def test_a_cleansed_list_gives_all_its_lines_with_their_lengths(tmp_path: Path) -> None:
    text = "id1 id1/vA/00001.wav 7.36 0.812 0.700 1\nid1 id1/vA/00002.wav 4.1 0.100 nan 0\n"
    frame = read_corpus_list(written(tmp_path, text))
    assert frame[["utterance", "seconds"]].to_numpy().tolist() == [["id1/vA/00001", "7.36"], ["id1/vA/00002", "4.1"]]


def test_a_list_without_lengths_is_read(tmp_path: Path) -> None:
    frame = read_corpus_list(written(tmp_path, "id1 id1/vA/00001.wav\n\nid2 id2/vB/00001.wav\n"))
    assert frame["speaker"].tolist() == ["id1", "id2"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1 id1/vA/00001.wav id1/vB/00001.wav\n", "evaluation.trials"),
        ("ID,Gender\n", "evaluation.sex"),
        ("id1 id2/vA/00001.wav\n", "line 1: speaker 'id1'"),
        ("1 id1/vA/00001.wav\n4 id1/vA/00002.wav\n", "line 2"),
        ("1 id1/vA/00001.wav\n1 id1/vA/00001.wav\n", "listed twice"),
        ("2 id1/vA/00001.wav\n", "no line of part 1"),
        ("a b c d\n", "4 columns"),
        ("", "no lines"),
    ],
)
def test_a_list_that_cannot_train_is_refused_with_a_remedy(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ListError, match=complaint):
        read_corpus_list(written(tmp_path, text))


def test_a_file_of_bytes_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"\x81\xfe\x00\x81")
    with pytest.raises(ListError, match="not UTF-8"):
        read_corpus_list(tmp_path / "list.txt")
