from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from avsieve.cleansing.agreement import compare
from avsieve.errors import ListError
from avsieve.inspection.changes import compare_sides
from avsieve.inspection.sides import flags_of, read_sides, side_of_list, side_of_run

IDS = [f"id{i % 3}/vid{i % 5}/{i:05d}" for i in range(30)]


def test_a_list_has_flags_and_no_kinds(made: Path, table: pd.DataFrame) -> None:
    listed = side_of_list(made / "results" / "lists" / "train_all_clean.txt")
    assert listed is not None
    found, _ = compare_sides(side_of_run(made, as_flags=True), listed)
    assert (found.changed, found.utterances) == (0, len(table))
    assert flags_of(listed).tolist() == (table["decision"] == "clean").tolist()
    assert side_of_list(made / "results" / "lists" / "train_clean.txt") is None


@pytest.fixture
def lists(tmp_path: Path) -> tuple[Path, Path]:
    """Return a cleansed list, and its clean lines."""
    flags = [int(i % 3 > 0) for i in range(len(IDS))]
    lines = [f"{u[:3]} {u}.wav 3.5 0.5 0.5 {f}\n" for u, f in zip(IDS, flags, strict=True)]
    (tmp_path / "all.txt").write_text("".join(lines))
    clean = "".join(f"{u[:3]} {u}.wav 3.5\n" for u, f in zip(IDS, flags, strict=True) if f)
    (tmp_path / "clean.txt").write_text(clean)
    return tmp_path / "all.txt", tmp_path / "clean.txt"


def test_our_own_list_of_the_clean_is_one_of_the_clean(lists: tuple[Path, Path]) -> None:
    agreement, _ = compare(*map(flags_of, read_sides(*lists)))
    assert (agreement.agreement, agreement.kappa) == (1.0, 1.0)
    turned, _ = compare(*map(flags_of, read_sides(*lists, lists=(None, "noisy"))))
    assert turned.agreement == 0.0


def test_two_lists_of_the_clean_need_that_of_all(lists: tuple[Path, Path]) -> None:
    with pytest.raises(ListError, match="--train-list"):
        read_sides(lists[1], lists[1])
    agreement, _ = compare(*map(flags_of, read_sides(lists[1], lists[1], IDS)))
    assert agreement.both_noisy == 10


def test_a_list_whose_flags_are_turned_round_is_refused(tmp_path: Path) -> None:
    lines = [
        f"{u[:3]} {u}.wav 3.5 {s} {s} {f}\n" for u, (s, f) in zip(IDS, [(0.9, 0)] * 20 + [(0.1, 1)] * 10, strict=True)
    ]
    (tmp_path / "list.txt").write_text("".join(lines))
    with pytest.raises(ListError, match=r"1 must mean clean: invert the flags"):
        side_of_list(tmp_path / "list.txt")
