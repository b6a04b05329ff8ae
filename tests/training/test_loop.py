from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from avsieve.errors import ConfigError, ModelError
from avsieve.training.devices import Machine, start
from avsieve.training.loop import Keeping, fit
from avsieve.training.margin import AAMSoftmax
from avsieve.training.phase import Phase

from .encoder.recipes import optimiser_of, schedule_of

STEPS = 24


class Blobs(Dataset):
    """Points about four corners; ``stop`` breaks off at that step as a kill would."""

    dimensions = 2

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
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 8)), AAMSoftmax(
        8, 4, margin=0.2, scale=10
    )


def train(
    blobs: Blobs,
    optimiser: str = "adam",
    device: str = "cpu",
    precision: str = "fp32",
    workers: int = 0,
    phases: int = 1,
    **keeping: object,
) -> tuple[nn.Module, list[list[float | None]]]:
    net, criterion = network()
    state = fit(
        start(Machine(device, precision=precision)), net, criterion,
        [Phase(blobs, schedule_of(STEPS // phases, lr=0.02)) for _ in range(phases)],
        optimiser=replace(optimiser_of(), name=optimiser), seed=3, workers=workers,
        keeping=Keeping(**{"log_every": 4, **keeping}),  # type: ignore[arg-type]
    )  # fmt: skip
    return net, state.rows


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd"])
def test_training_learns_what_can_be_learnt(optimiser: str) -> None:
    _, rows = train(Blobs(), optimiser)
    assert rows[-1][2] > 0.8 > rows[0][2]


@pytest.mark.parametrize(
    ("stop", "how"),
    [(9, {}), (13, {}), (22, {}), (9, {"phases": 2}), (11, {"phases": 2}), (9, {"precision": "fp16"})],
)
def test_a_training_that_was_broken_off_resumes_to_the_same_weights_and_log(
    tmp_path: Path, stop: int, how: dict
) -> None:
    whole, rows = train(Blobs(), log=tmp_path / "whole.csv", **how)
    options = {"checkpoint": tmp_path / "state.pt", "checkpoint_every": 4, "log": tmp_path / "broken.csv", **how}
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

    with pytest.raises(ModelError, match="step 0: the loss is not finite; lower the learning rate"):
        train(Broken())


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="optimiser: 'lion' is not known"):
        train(Blobs(), "lion")
    with pytest.raises(ConfigError, match="precision: 'fp8' is not known"):
        train(Blobs(), precision="fp8")


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_trains_and_its_inputs_are_not_rounded(precision: str) -> None:
    class Remembering(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            assert inputs.dtype == torch.float32
            outputs = super().forward(inputs)
            assert outputs.dtype != torch.float32
            return outputs

    net, criterion = Remembering(4, 8), AAMSoftmax(8, 4, margin=0.2, scale=10)
    fabric = start(Machine("cpu", precision=precision))
    phase = Phase(Blobs(), schedule_of(STEPS, lr=0.02))
    state = fit(fabric, net, criterion, [phase], optimiser=optimiser_of(), seed=3, keeping=Keeping(log_every=8))
    assert state.rows[-1][2] > 0.8  # type: ignore[operator]
    assert net.weight.dtype == torch.float32


def test_the_state_of_float16_holds_the_scale_of_its_gradients(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Blobs(9), precision="fp16", checkpoint=tmp_path / "state.pt", checkpoint_every=4)
    assert torch.load(tmp_path / "state.pt", weights_only=True)["scaler"]["scale"] > 1
    with pytest.raises(ModelError, match="left by a training with another recipe"):
        train(Blobs(), checkpoint=tmp_path / "state.pt")


def test_classes_that_a_later_phase_leaves_out_are_gone() -> None:
    class Three(Blobs):
        def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
            inputs, labels = super().__getitem__(step)
            return inputs, labels % 3

    net, criterion = network()
    phases = [Phase(Blobs(), schedule_of(8, lr=0.02)), Phase(Three(), schedule_of(4, lr=0.02), classes=(1, 3))]
    state = fit(
        start(Machine("cpu")), net, criterion, phases, optimiser=optimiser_of(), seed=3, keeping=Keeping(log_every=4)
    )
    assert [row[0] for row in state.rows] == [4, 8, 12]
    assert criterion.weight.shape == (3, 8)
