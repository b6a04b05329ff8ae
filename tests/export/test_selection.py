from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.export.selection import select
from avsieve.export.settings import Wish

from .conftest import NOISY, TEST, TRAIN


def names(results: Path, **wish: object) -> list[str]:
    values = {name: str(value) if isinstance(value, Path) else value for name, value in wish.items()}
    return select(results, Wish.model_validate(values))["utterance"].tolist()


def test_subsets_are_what_they_say(results: Path) -> None:
    assert names(results, subset="all") == TRAIN
    assert names(results, subset="noisy") == [NOISY]
    assert names(results) == [u for u in TRAIN if u != NOISY]
    assert names(results, subset="test") == TEST


def test_what_lacks_a_face_is_neither_clean_nor_noisy(results: Path) -> None:
    path = results / "lists/train_all_clean.txt"
    lines = path.read_text().splitlines(keepends=True)
    lacking = next(u for u in TRAIN if u != NOISY)
    path.write_text("".join(line[:-2] + "0\n" if f" {lacking}.wav " in line else line for line in lines))
    assert names(results, subset="noisy") == [NOISY]
    assert names(results, subset="clean") == [u for u in TRAIN if u not in (NOISY, lacking)]


def test_labels_are_ranks_of_the_speakers_who_are_chosen(results: Path) -> None:
    whole, clean = select(results, Wish(subset="all")), select(results, Wish(subset="clean"))
    assert dict(zip(whole["speaker"], whole["label"], strict=True)) == {"id1": 0, "id2": 1, "id3": 2}
    assert dict(zip(clean["speaker"], clean["label"], strict=True)) == {"id1": 0, "id2": 1}
    assert whole.loc[whole["utterance"] == NOISY, ["flag", "kind"]].to_numpy().tolist() == [[0, "video"]]


def test_lists_narrow_the_choice(results: Path, tmp_path: Path) -> None:
    (tmp_path / "speakers.txt").write_text("id2\n")
    assert names(results, speakers=tmp_path / "speakers.txt") == ["id2/v.1/00.1", "id2/vC/00001"]
    (tmp_path / "ids.txt").write_text("id1/vA/00002.wav\n")
    assert names(results, utterances=tmp_path / "ids.txt") == ["id1/vA/00002"]
    (tmp_path / "list.txt").write_text("id1 id1/vA/00001.wav 1.5\n")
    assert names(results, utterances=tmp_path / "list.txt") == ["id1/vA/00001"]


def test_a_larger_share_holds_a_smaller_one(results: Path) -> None:
    small, large = (set(names(results, subset="all", share=s, seed=3)) for s in (0.5, 0.9))
    assert small < large <= set(TRAIN)


def test_wishes_that_leave_nothing_are_refused(results: Path, tmp_path: Path) -> None:
    (tmp_path / "speakers.txt").write_text("nobody\n")
    with pytest.raises(AvsieveError, match="nothing"):
        names(results, speakers=tmp_path / "speakers.txt")
    with pytest.raises(AvsieveError, match="no such table"):
        names(tmp_path)
