from __future__ import annotations

from pathlib import Path

import pytest
import torch

from avsieve.errors import ModelError
from avsieve.training.devices import Machine, start
from avsieve.training.history import Meter, write_log


def test_a_row_is_the_mean_since_the_last() -> None:
    meter = Meter(start(Machine("cpu")))
    for step, (loss, hits) in enumerate([(2.0, 1), (4.0, 3)]):
        meter.add(step, torch.tensor(loss), torch.tensor(hits), 4)
    means = meter.close()
    assert (means.loss, means.accuracy) == (3.0, 0.5)
    assert means.samples_per_s == pytest.approx(4 * means.steps_per_s)
    meter.add(2, torch.tensor(1.0), torch.tensor(4), 4)
    assert meter.close().loss == 1.0


def test_the_first_loss_that_is_not_finite_is_named() -> None:
    meter = Meter(start(Machine("cpu")))
    for step, loss in enumerate([1.0, float("inf"), float("nan")]):
        meter.add(step, torch.tensor(loss), torch.tensor(0), 4)
    with pytest.raises(ModelError, match="step 1: the loss is not finite"):
        meter.close()


def test_the_log_is_a_table(tmp_path: Path) -> None:
    write_log(tmp_path / "log.csv", [[50, 1.25, 0.5, 1e-3, 0.2]])
    assert (tmp_path / "log.csv").read_text() == "step,loss,accuracy,lr,margin\n50,1.25,0.5,0.001,0.2\n"


def test_a_validation_has_a_column_that_is_empty_where_nothing_was_measured(tmp_path: Path) -> None:
    write_log(tmp_path / "log.csv", [[50, 1.25, 0.5, 1e-3, 0.2, None], [100, 1, 0.5, 1e-3, 0.2, 0.125]])
    assert (tmp_path / "log.csv").read_text().splitlines() == [
        "step,loss,accuracy,lr,margin,validation_eer",
        "50,1.25,0.5,0.001,0.2,",
        "100,1,0.5,0.001,0.2,0.125",
    ]
