from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from avsieve.errors import ConfigError, ModelError
from avsieve.training.loop import Optimiser, fit, write_log
from avsieve.training.margin import AAMSoftmax
from avsieve.training.schedule import Schedule

CPU = torch.device("cpu")
STEPS = 24


class Blobs(Dataset):
    """Points about four corners; ``stop`` breaks off at that step as a kill would."""

    def __init__(self, stop: int | None = None) -> None:
        self.stop = stop

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        if step == self.stop:
            raise KeyboardInterrupt
        generator = torch.Generator().manual_seed(step)
        labels = torch.randint(0, 4, (32,), generator=generator)
        return torch.eye(4)[labels] * 3 + torch.randn(32, 4, generator=generator), labels


def network() -> tuple[nn.Module, AAMSoftmax]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 8)), AAMSoftmax(8, 4, scale=10)


def train(blobs: Blobs, optimiser: str = "adam", **options: object) -> tuple[nn.Module, list[list[float]]]:
    net, criterion = network()
    rows = fit(
        net, criterion, blobs, schedule=Schedule(STEPS, lr=0.02), optimiser=Optimiser(optimiser), seed=3, device=CPU,
        log_every=4, **options,
    )  # fmt: skip
    return net, rows


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd"])
def test_training_learns_what_can_be_learnt(optimiser: str) -> None:
    _, rows = train(Blobs(), optimiser)
    assert rows[-1][2] > 0.8 > rows[0][2]


@pytest.mark.parametrize("stop", [9, 13, 22])
def test_a_killed_training_resumes_to_the_same_weights_and_log(tmp_path: Path, stop: int) -> None:
    whole, rows = train(Blobs(), log=tmp_path / "whole.csv")
    options = {"checkpoint": tmp_path / "state.pt", "checkpoint_every": 4, "log": tmp_path / "broken.csv"}
    with pytest.raises(KeyboardInterrupt):
        train(Blobs(stop), **options)
    resumed, again = train(Blobs(), **options)
    assert again == rows
    assert (tmp_path / "broken.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_workers_change_nothing() -> None:
    alone, _ = train(Blobs())
    helped, _ = train(Blobs(), workers=1)
    assert torch.equal(alone[0].weight, helped[0].weight)  # type: ignore[index]


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        train(Blobs(9), checkpoint=path, checkpoint_every=4)
    with pytest.raises(ModelError, match="left by a training with another recipe"):
        train(Blobs(), "sgd", checkpoint=path)
    path.write_bytes(b"cut off")
    with pytest.raises(ModelError, match="not readable"):
        train(Blobs(), checkpoint=path)


def test_a_loss_that_is_not_finite_stops_the_training() -> None:
    class Broken(Blobs):
        def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
            inputs, labels = super().__getitem__(step)
            return inputs * float("nan"), labels

    with pytest.raises(ModelError, match="step 0: the loss is nan; lower the learning rate"):
        train(Broken())


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="optimiser: 'lion' is not known"):
        train(Blobs(), "lion")
    with pytest.raises(ConfigError, match="precision: 'fp8' is not known"):
        train(Blobs(), precision="fp8")


def test_the_log_is_a_table(tmp_path: Path) -> None:
    write_log(tmp_path / "log.csv", [[50, 1.25, 0.5, 1e-3, 0.2]])
    assert (tmp_path / "log.csv").read_text() == "step,loss,accuracy,lr,margin\n50,1.25,0.5,0.001,0.2\n"
