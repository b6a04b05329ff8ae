from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from avsieve.encoders.checkpoint import load_into, read_metadata, read_state, resolve, strip_prefixes, write_state
from avsieve.errors import ModelError


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def state() -> dict[str, Tensor]:
    torch.manual_seed(3)
    return {k: torch.randn_like(v) if v.is_floating_point() else v for k, v in network().state_dict().items()}


def test_half_precision_is_raised_when_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"w": torch.ones(2, dtype=torch.float16)}, path, {"arch": "x"})
    assert read_state(path)["w"].dtype == torch.float32
    assert read_metadata(path) == {"arch": "x"}


@pytest.mark.parametrize("nest", [None, "state_dict", "model"])
def test_a_torch_file_is_read_plain_or_nested(tmp_path: Path, nest: str | None) -> None:
    path = tmp_path / "a.pt"
    torch.save({nest: state(), "epoch": 3} if nest else state(), path)
    assert set(read_state(path)) == set(state())
    assert read_metadata(path) == {}


class Trap:
    def __reduce__(self) -> tuple:
        return os.system, ("echo never",)


def test_a_pickle_with_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trap.pt"
    torch.save({"weight": Trap()}, path)
    with pytest.raises(ModelError, match=r"trap\.pt: not readable as tensors alone"):
        read_state(path)


@pytest.mark.parametrize("name", ["a.safetensors", "a.pt"])
@pytest.mark.parametrize("content", [b"", b"no model at all", b"PK\x03\x04broken"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelError, match=name):
        read_state(path)


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"epoch": 3}, path)
    with pytest.raises(ModelError, match=r"keys \['epoch'\]; expected a state dict"):
        read_state(path)


def test_equal_weights_are_written_as_equal_bytes(tmp_path: Path) -> None:
    metadata = dict.fromkeys("abcdefgh", "1")
    for i in range(5):
        write_state(tmp_path / f"{i}.safetensors", state(), metadata)
    assert len({(tmp_path / f"{i}.safetensors").read_bytes() for i in range(5)}) == 1
    found = read_state(tmp_path / "0.safetensors")
    assert read_metadata(tmp_path / "0.safetensors") == metadata
    assert all(torch.equal(found[k], v) for k, v in state().items())


def test_prefixes_are_stripped_however_nested() -> None:
    assert strip_prefixes(["module.a.x", "a.x.module.y", "z"], ["module.", "a."]) == {
        "module.a.x": "x",
        "a.x.module.y": "x.module.y",
        "z": "z",
    }


def test_weights_arrive_and_the_network_is_in_evaluation_mode() -> None:
    given = {f"module.net.{k}": v for k, v in state().items()} | {"module.loss.weight": torch.ones(9)}
    loaded = load_into(network().train(), given, source="x", prefixes=["module.", "net."], beside=["loss."])
    assert torch.equal(loaded.state_dict()["0.weight"], state()["0.weight"])
    assert not loaded.training


def test_every_key_that_does_not_fit_is_listed() -> None:
    given = state()
    given["0.wieght"] = given.pop("0.weight")
    given["1.bias"] = torch.zeros(7)
    with pytest.raises(ModelError) as error:
        load_into(network(), given, source="some.pt")
    told = str(error.value)
    assert "1 missing: 0.weight" in told
    assert "1 unexpected: 0.wieght" in told
    assert "1 misshapen: 1.bias (7,) instead of (2,)" in told


def test_a_long_list_of_keys_is_cut() -> None:
    given = state() | {f"other.{i}": torch.zeros(1) for i in range(30)}
    with pytest.raises(ModelError, match=r"30 unexpected: .*and 22 more"):
        load_into(network(), given, source="x")


def test_the_count_of_batches_may_be_absent() -> None:
    given = {k: v for k, v in state().items() if "num_batches" not in k}
    loaded = load_into(network(), given, source="x").state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in given.items())


def test_two_versions_of_a_weight_are_refused() -> None:
    given = state() | {"module.0.bias": torch.full((2,), 5.0)}
    with pytest.raises(ModelError, match=r"two different tensors for 0\.bias"):
        load_into(network(), given, source="x")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ModelError, match=r"nowhere\.pt: no such checkpoint"):
        resolve("nowhere.pt", "audio.safetensors")
    with pytest.raises(ModelError, match=r"avsieve.models.no_such_model\.safetensors"):
        resolve("builtin", "no_such_model.safetensors")
