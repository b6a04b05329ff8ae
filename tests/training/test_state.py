from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from avsieve.errors import ModelError
from avsieve.training.devices import Machine, start
from avsieve.training.state import (
    Best,
    Parts,
    State,
    apply_state,
    check_agreement,
    plain,
    read_state,
    save_state,
)


def parts(layout: torch.memory_format = torch.contiguous_format) -> Parts:
    """Return a small network for images after a step of Adam."""
    torch.manual_seed(0)
    network = nn.Conv2d(3, 4, 3).to(memory_format=layout)
    stepper = torch.optim.Adam(network.parameters(), lr=0.1)
    network(torch.ones(1, 3, 5, 5)).sum().backward()
    stepper.step()
    return Parts(network, nn.Linear(2, 2), stepper)


def test_a_state_comes_back_whole(tmp_path: Path) -> None:
    fabric, left = start(Machine("cpu")), parts()
    state = State(7, [[7, 0.5]], Best(7, 0.25, {"weight": torch.ones(2)}))
    save_state(tmp_path / "state", fabric, left, "it", 1, state)
    content = read_state(tmp_path / "state", "it")
    assert content is not None
    assert content["phase"] == 1
    found = parts()
    with torch.no_grad():
        found.network.weight.zero_()  # type: ignore[operator,union-attr]
    back = apply_state(content, fabric, found)
    assert (back.step, back.rows) == (7, [[7, 0.5]])
    assert back.best is not None
    assert (back.best.step, back.best.eer) == (7, 0.25)
    assert torch.equal(found.network.weight, left.network.weight)  # type: ignore[arg-type]


def test_a_state_lies_plain_in_the_file_and_as_the_weights_do_once_it_is_back(tmp_path: Path) -> None:
    fabric, left = start(Machine("cpu")), parts(torch.channels_last)
    save_state(tmp_path / "state", fabric, left, "it", 0, State(1))
    content = read_state(tmp_path / "state", "it")
    assert content is not None
    assert content["encoder"]["weight"].is_contiguous()
    assert content["optimiser"]["state"][0]["exp_avg"].is_contiguous()
    found = parts(torch.channels_last)
    apply_state(content, fabric, found)
    weight = next(found.network.parameters())
    kept = found.stepper.state[weight]["exp_avg"]
    assert kept.stride() == weight.stride()
    assert not kept.is_contiguous()
    assert torch.equal(kept, content["optimiser"]["state"][0]["exp_avg"])


def test_plain_reaches_every_tensor_of_a_state() -> None:
    image = torch.ones(1, 2, 3, 3).to(memory_format=torch.channels_last)
    found = plain({"a": [image, (image, "text")], "b": 3})
    assert found["a"][0].is_contiguous()
    assert found["a"][1][0].is_contiguous()
    assert (found["a"][1][1], found["b"]) == ("text", 3)


def test_what_is_no_state_of_this_training_is_refused(tmp_path: Path) -> None:
    assert read_state(None, "it") is None
    assert read_state(tmp_path / "state", "it") is None
    save_state(tmp_path / "state", start(Machine("cpu")), parts(), "it", 0, State())
    with pytest.raises(ModelError, match="left by a training with another recipe; remove it"):
        read_state(tmp_path / "state", "other")
    (tmp_path / "state").write_bytes(b"cut off")
    with pytest.raises(ModelError, match="not readable"):
        read_state(tmp_path / "state", "it")


def test_processes_that_see_different_states_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fabric = start(Machine("cpu"))
    check_agreement(fabric, 3, tmp_path)
    monkeypatch.setattr("avsieve.training.state.gathered", lambda *_: torch.tensor([3, 0]))
    with pytest.raises(ModelError, match=r"found states of steps \[3, 0\]; expected the same"):
        check_agreement(fabric, 3, tmp_path)
