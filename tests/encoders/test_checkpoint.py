from __future__ import annotations

import argparse
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize("nest", [None, "state_dict", "model", "net", "state_dict_backbone"])
def test_a_torch_file_is_read_plain_or_nested(tmp_path: Path, nest: str | None) -> None:
    path = tmp_path / "a.pt"
    torch.save({nest: state(), "epoch": 3} if nest else state(), path)
    assert set(read_state(path)) == set(state())
    assert read_metadata(path) == {}


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_numbers_of_numpy_beside_the_weights_are_passed_over(tmp_path: Path, module: str) -> None:
    # RJCA's trainer: {"net": ..., "EER": numpy.float64, "minDCF": ..., "epoch": ...}, written by NumPy 1 or 2.
    path = tmp_path / "model_0001.model"
    numbers = {"EER": np.float64(1.975), "minDCF": np.float32(0.116), "epoch": np.int64(7), "best": np.bool_(True)}
    torch.save({"net": state(), **numbers}, path)
    renamed = path.with_suffix(".pt")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(renamed, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename.endswith("data.pkl"):
                content = re.sub(rb"cnumpy\._?core\.multiarray\n", f"c{module}\n".encode(), content)
                assert module.encode() in content
            new.writestr(item.filename, content)
    found = read_state(renamed)
    assert all(torch.equal(found[name], tensor) for name, tensor in state().items())
    assert set(found) == set(state())


def test_what_a_file_holds_besides_tensors_is_named(tmp_path: Path) -> None:
    torch.save({"model": state(), "args": argparse.Namespace(lr=0.1), "EER": np.float64(1)}, tmp_path / "a.pt")
    with pytest.raises(ModelError, match=r"a\.pt: not readable .* \(it holds argparse\.Namespace\); expected"):
        read_state(tmp_path / "a.pt")


class Trap:
    def __reduce__(self) -> tuple:
        return os.system, ("echo never",)


def test_a_pickle_with_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trap.pt"
    torch.save({"weight": Trap()}, path)
    with pytest.raises(ModelError, match=r"trap\.pt: not readable as tensors alone \(it holds posix\.system\)"):
        read_state(path)


class Dealt:
    """A pickle that calls one function of NumPy with what it likes."""

    def __init__(self, function: object, *args: object) -> None:
        self.function, self.args = function, args

    def __reduce__(self) -> tuple:
        return self.function, self.args


@pytest.mark.parametrize(
    "made",
    [
        lambda path: Dealt(np.load, str(path)),
        lambda path: Dealt(np.memmap, str(path), "uint8", "w+", 0, (4,)),
        lambda path: np.array([1.0, Trap()], object),
        lambda path: np.ones(3),
        lambda path: Dealt(np.dtype, Trap()),
        lambda path: Dealt(type(np.float64(0)).__reduce__(np.float64(0))[0], np.dtype("O"), Trap()),
    ],
)
def test_of_numpy_nothing_but_scalars_is_let_through(tmp_path: Path, made: Callable[[Path], object]) -> None:
    path, touched = tmp_path / "a.pt", tmp_path / "touched"
    torch.save({"net": state(), "EER": made(touched)}, path)
    with pytest.raises(ModelError, match=r"a\.pt: not readable as tensors alone \(it holds (posix|numpy)\."):
        read_state(path)
    assert not touched.exists()


def test_what_is_let_through_for_one_file_is_not_left_open(tmp_path: Path) -> None:
    torch.save({"net": state(), "EER": np.float64(1)}, tmp_path / "a.pt")
    read_state(tmp_path / "a.pt")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "a.pt", weights_only=True)


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
