from __future__ import annotations

import sys
from pathlib import Path

import pytest

from avsieve.errors import ConfigError
from avsieve.training.history import Means
from avsieve.training.tensorboard import Board

MEANS = Means(1.0, 0.5, 3.0, 24.0)


def read(folder: Path) -> dict[str, dict[int, float]]:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = events.EventAccumulator(str(folder))
    found.Reload()
    return {name: {e.step: e.value for e in found.Scalars(name)} for name in found.Tags()["scalars"]}


def test_rows_and_speed_arrive_and_a_resumed_run_replaces_what_it_does_again(tmp_path: Path) -> None:
    board = Board(tmp_path)
    for step in (4, 8, 12):
        board.row([step, 1.0, 0.5, 1e-3, 0.2, None], MEANS)
    board.close()
    board = Board(tmp_path, done=8)
    board.row([12, 0.25, 0.75, 1e-3, 0.2, 0.125], MEANS)
    board.close()
    found = read(tmp_path)
    assert found["loss"] == {4: 1.0, 8: 1.0, 12: 0.25}
    assert found["validation_eer"] == {12: 0.125}
    assert found["steps_per_s"][12] == 3.0


def test_without_a_folder_nothing_is_written_and_the_package_is_not_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    board = Board(None)
    board.row([1, 1.0, 0.5, 1e-3, 0.2], MEANS)
    board.close()
    assert not list(tmp_path.iterdir())


def test_an_absent_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match="pip install tensorboard"):
        Board(tmp_path)
