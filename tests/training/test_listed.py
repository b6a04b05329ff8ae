from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from avsieve.errors import ListError
from avsieve.lists.train_list import write_train_list
from avsieve.training.listed import ListedUtterances


def listed(tmp_path: Path, max_missing: float = 0.5) -> ListedUtterances:
    utterances = ["c/v/1", "a/v/1", "b/v/1", "b/v/2"]
    write_train_list(tmp_path / "list.txt", utterances, ["1.0"] * 4)

    def held(names: Sequence[str]) -> np.ndarray:
        return np.array([name != "a/v/1" for name in names])

    return ListedUtterances(
        tmp_path / "list.txt", held, absent="have no note", lacking="have no note", max_missing=max_missing
    )


def test_those_that_are_held_keep_the_order_and_the_classes_of_the_list(tmp_path: Path) -> None:
    found = listed(tmp_path)
    assert found.utterances == ["c/v/1", "b/v/1", "b/v/2"]
    assert found.speakers == ["c", "b", "b"]
    assert (found.labels.tolist(), found.classes, len(found)) == ([2, 1, 1], 3, 3)


def test_some_speakers_are_ranked_among_themselves(tmp_path: Path) -> None:
    found = listed(tmp_path)
    part = found.of_speakers({"b"})
    assert (part.utterances, part.speakers) == (["b/v/1", "b/v/2"], ["b", "b"])
    assert (part.labels.tolist(), part.classes, part.labels.dtype) == ([0, 0], 1, np.int64)
    assert len(found) == 3


def test_too_many_missing_are_told(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="1 of 4 utterances have no note; expected at most 20%"):
        listed(tmp_path, 0.2)
