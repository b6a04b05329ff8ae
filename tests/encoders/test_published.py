"""Weights of other projects: read whole, in either layout of torch, and nothing in them is ever run."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from avsieve.encoders import torch_data
from avsieve.encoders.published import read_published
from avsieve.errors import ModelError


class Own(nn.Module):
    """What authors make: layers, a list of them, a shared one, buffers that are saved and not, things beside."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.bn = nn.BatchNorm1d(2)
        self.parts = nn.ModuleList([nn.LSTM(3, 4, 2)])
        self.tied = self.fc
        self.turned = nn.Parameter(torch.randn(2, 3).t())
        self.register_buffer("passing", torch.zeros(2), persistent=False)
        self.device, self.options, self.rate = torch.device("cpu"), {"a": (1, 2)}, np.float64(3)


MODEL = Own()
STATE = MODEL.state_dict()
STORED = {"EER": np.float64(1.975), "minDCF": np.float32(0.5), "epoch": 7}
FORMS = {
    "module": (MODEL, {}),
    "parallel module": (nn.DataParallel(MODEL), {}),
    "state": (STATE, {}),
    "trainer's dictionary": ({"net": STATE, **STORED}, {"EER": 1.975, "minDCF": 0.5, "epoch": 7}),
    "tensors beside": ({"loss": torch.ones(2), "net": STATE, "optimizer": {"state": {0: torch.ones(3)}}}, {}),
    "module in a dictionary": ({"model": MODEL, "epoch": 7}, {"epoch": 7}),
    "prefixed state": ({f"module.{k}": v for k, v in STATE.items()}, {}),
}


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("form", list(FORMS))
def test_weights_are_what_the_module_says_in_every_form(tmp_path, form, is_zip):
    value, facts = FORMS[form]
    torch.save(value, tmp_path / "BAFFN.model", _use_new_zipfile_serialization=is_zip)
    found = read_published(tmp_path / "BAFFN.model")
    assert list(found.tensors) == list(STATE)
    for name, tensor in STATE.items():
        assert torch.equal(found.tensors[name], tensor), name
    assert found.facts == facts
    assert ("module" in form) == bool(found.kind)


def test_safetensors_and_other_kinds_of_numbers_are_read(tmp_path):
    save_file({"module.a": torch.ones(2, dtype=torch.float16)}, tmp_path / "a.safetensors", {"epoch": "3"})
    found = read_published(tmp_path / "a.safetensors")
    assert found.tensors["a"].dtype == torch.float32
    assert found.facts == {"epoch": "3"}
    kinds = [torch.float64, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool]
    state = {str(i): torch.arange(6).reshape(2, 3).to(kind)[:, 1:] for i, kind in enumerate(kinds)}
    for is_zip in (True, False):
        torch.save(state | {"none": torch.zeros(0, 3)}, tmp_path / "a.pt", _use_new_zipfile_serialization=is_zip)
        found = read_published(tmp_path / "a.pt").tensors
        assert all(
            torch.equal(found[name], tensor.float() if name == "1" else tensor) for name, tensor in state.items()
        )
        assert found["none"].shape == (0, 3)


def test_two_names_that_become_one_are_refused(tmp_path):
    torch.save({"a": torch.zeros(1), "module.a": torch.ones(1)}, tmp_path / "a.pt")
    with pytest.raises(ModelError, match="two tensors for a; keep one of them"):
        read_published(tmp_path / "a.pt")


class Runs:
    def __init__(self, call, *arguments):
        self.what = (call, arguments)

    def __reduce__(self):
        return self.what


class Built:
    """An object that a loader would build by calling ``__setstate__``."""

    def __setstate__(self, state):
        raise AssertionError("a method of the file's class was called")

    def __getstate__(self):
        return {"fc.weight": 1}


class Hostile(nn.Module):
    """A module with weights, whose further attribute runs something when torch loads it."""

    def __init__(self, what):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.what = what


HOSTILE = {
    "system": lambda mark: Runs(os.system, f"touch {mark}"),
    "eval": lambda mark: Runs(eval, f"open({str(mark)!r}, 'w')"),
    "open": lambda mark: Runs(open, str(mark), "w"),
    "in a module": lambda mark: Hostile(Runs(os.system, f"touch {mark}")),
    "beside a state": lambda mark: {"net": STATE, "EER": Runs(os.system, f"touch {mark}")},
    "in place of a weight": lambda mark: {"fc.weight": Runs(os.system, f"touch {mark}"), "a": torch.ones(2)},
    "torch's loader": lambda mark: Runs(torch.load, str(mark)),
}


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_file_that_wants_something_run_is_refused_and_nothing_runs(tmp_path, kind, is_zip):
    mark = tmp_path / "ran"
    torch.save(HOSTILE[kind](mark), tmp_path / "a.model", _use_new_zipfile_serialization=is_zip)
    with pytest.raises(ModelError, match=r"which was not run; only tensors are read|expected weights: a state dict"):
        read_published(tmp_path / "a.model")
    assert not mark.exists()


BYTES = {
    "old opcodes": b"cposix\nsystem\n(S'touch %s'\ntR.",
    "instance": b"(S'touch %s'\niposix\nsystem\n.",
    "object": b"\x80\x02(cposix\nsystem\nS'touch %s'\no.",
    "new object": b"\x80\x02cposix\nsystem\n(S'touch %s'\nt\x81.",
    "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0bcore.os.sys\x93(S'touch %s'\ntR.",
    "getattr chain": b"c__builtin__\ngetattr\n(c__builtin__\ngetattr\n(cos\npath\nS'os'\ntRS'system'\ntR"
    b"(S'touch %s'\ntR.",
    "import": b"c__builtin__\n__import__\n(S'os'\ntR.",
    "call of a call": b"cbuiltins\nset\n((ltR(tR.",
    "extension": b"\x80\x02\x82\x01.",
    "from outside": b"\x80\x02X\x01\x00\x00\x00xQ.",
    "state of a call": b"\x80\x02ctorch\ndevice\n)R}X\x08\x00\x00\x00_modulesNsb.",
    "a method of a record": b"\x80\x02cos\npath\n)\x81(K\x01K\x02u.",
    "endless frame": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.",
    "endless bytes": b"\x80\x04\x96\xff\xff\xff\xff\xff\xff\xff\x7f.",
}


@pytest.mark.parametrize("kind", list(BYTES))
def test_no_instruction_of_a_pickle_runs_anything(tmp_path, kind):
    mark = tmp_path / "ran"
    data = BYTES[kind].replace(b"%s", str(mark).encode())
    with zipfile.ZipFile(tmp_path / "zip.model", "w") as archive:
        archive.writestr("a/data.pkl", data)
    heading = b"".join(pickle.dumps(v, 2) for v in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    (tmp_path / "stream.model").write_bytes(heading + data + pickle.dumps([]))
    (tmp_path / "bare.model").write_bytes(data)
    for name in ("zip.model", "stream.model", "bare.model"):
        with pytest.raises(ModelError, match=rf"{name}: "):
            read_published(tmp_path / name)
    assert not mark.exists()


def test_objects_of_other_classes_are_records_whose_code_is_not_called(tmp_path):
    torch.save({"net": STATE, "args": Built()}, tmp_path / "a.model")
    assert list(read_published(tmp_path / "a.model").tensors) == list(STATE)
    torch.save(Built(), tmp_path / "a.model")
    with pytest.raises(
        ModelError, match=r"holds a tests\.encoders\.test_published\.Built; expected weights: a state dict"
    ):
        read_published(tmp_path / "a.model")


def rewritten(path, change):
    """Write a zip again with its pickle changed."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, change(data) if name.endswith("data.pkl") else data)


def test_tensors_that_reach_beyond_their_numbers_are_refused(tmp_path):
    path = tmp_path / "a.model"
    for old, new in ((b"K\x02K\x03\x86", b"K\x04K\x03\x86"), (b"K\x03K\x01\x86", b"K\x09K\x01\x86")):
        torch.save({"a": torch.zeros(2, 3)}, path)
        rewritten(path, lambda data, old=old, new=new: data.replace(old, new))
        with pytest.raises(ModelError, match=r"damaged \(a tensor of shape .* in 6 numbers"):
            read_published(path)
    torch.save({"a": torch.zeros(1).expand(1 << 40)}, path)  # a terabyte, of one number
    with pytest.raises(ModelError, match="in 1 numbers"):
        read_published(path)


def test_modules_without_end_are_refused(tmp_path):
    loop = nn.Module()
    loop._modules["again"] = loop
    wide = nn.Module()
    for _ in range(60):  # 2 to the 60 paths
        outer = nn.Module()
        outer._modules |= {"a": wide, "b": wide}
        wide = outer
    for module in (loop, wide):
        torch.save(module, tmp_path / "a.model")
        with pytest.raises(ModelError, match="modules that hold each other without end"):
            read_published(tmp_path / "a.model")


def test_weights_that_are_no_plain_tensors_are_named(tmp_path):
    model = nn.Module()
    model.register_buffer("a", torch.eye(3).to_sparse())
    torch.save(model, tmp_path / "a.model")
    with pytest.raises(ModelError, match=r"a is a torch\._utils\._rebuild_sparse_tensor; expected a plain tensor"):
        read_published(tmp_path / "a.model")


@pytest.mark.parametrize("is_zip", [True, False])
def test_half_a_file_and_other_files_are_told_in_a_line(tmp_path, is_zip):
    held = io.BytesIO()
    torch.save(MODEL, held, _use_new_zipfile_serialization=is_zip)
    whole = held.getvalue()
    rng = np.random.default_rng(0)
    damaged = [whole[: len(whole) * k // 20] for k in range(20)]
    for _ in range(40):
        spoilt = bytearray(whole)
        for at in rng.integers(len(whole), size=20):
            spoilt[at] = rng.integers(256)
        damaged.append(bytes(spoilt))
    read, told = 0, []
    for data in damaged:
        (tmp_path / "a.model").write_bytes(data)
        try:
            read_published(tmp_path / "a.model")
            read += 1  # a number among the weights
        except ModelError as error:
            told.append(str(error))
    assert len(told) > 20 > read
    assert all("a.model: " in line and "\n" not in line for line in told)
    with pytest.raises(ModelError, match="no such file of weights; fix the path"):
        read_published(tmp_path / "b.model")


def test_packed_and_big_endian_files_are_refused(tmp_path):
    torch.save(STATE, tmp_path / "a.model")
    with zipfile.ZipFile(tmp_path / "a.model") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    for packing, order, message in (
        (zipfile.ZIP_DEFLATED, b"little", "a packed zip"),
        (zipfile.ZIP_STORED, b"big", "big-endian"),
    ):
        with zipfile.ZipFile(tmp_path / "b.model", "w", packing) as archive:
            for name, data in entries.items():
                archive.writestr(name, order if name.endswith("byteorder") else data)
        with pytest.raises(ModelError, match=message):
            read_published(tmp_path / "b.model")
    heading = b"".join(pickle.dumps(v, 2) for v in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": False}))
    (tmp_path / "c.model").write_bytes(heading)
    with pytest.raises(ModelError, match="big-endian"):
        read_published(tmp_path / "c.model")


def test_a_stream_whose_storages_do_not_fit_is_refused(tmp_path):
    held = io.BytesIO()
    torch.save({"a": torch.arange(4.0)}, held, _use_new_zipfile_serialization=False)
    whole = held.getvalue()
    assert whole.count(struct.pack("<q", 4)) == 1
    (tmp_path / "a.model").write_bytes(whole.replace(struct.pack("<q", 4), struct.pack("<q", 1 << 40)))
    with pytest.raises(ModelError, match=r"storage '.*' holds 1099511627776 numbers"):
        read_published(tmp_path / "a.model")


def test_nothing_of_a_file_is_imported(tmp_path, monkeypatch):
    torch.save(MODEL, tmp_path / "a.model")
    monkeypatch.setattr("builtins.__import__", lambda name, *_, **__: pytest.fail(f"{name} was imported"))
    found = torch_data.load(Path(tmp_path / "a.model"))
    monkeypatch.undo()
    assert str(found.kind) == "tests.encoders.test_published.Own"
