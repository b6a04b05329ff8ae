"""Files that would fill the memory are refused by what they claim."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.doctor.settings import read_settings
from avsieve.embedding_files.reading import read_tables
from avsieve.encoders.checkpoint import read_state
from avsieve.encoders.published import read_published
from avsieve.errors import AvsieveError
from avsieve.storage import text_files, unpacked_size
from avsieve.storage.tables import read_table

SMALL = 100_000  # in place of what is harmless, so that the bombs are quickly made


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked_size, "_HARMLESS", SMALL)
    monkeypatch.setattr(unpacked_size, "_HARMLESS_VALUES", SMALL)
    monkeypatch.setattr(unpacked_size, "_TIMES", 50)
    monkeypatch.setattr(text_files, "LONGEST_TEXT", SMALL)


@pytest.mark.parametrize("length", [1000, 5_000_000])
def test_an_npz_that_grows_without_end_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, utterance=np.array(["a/v/1"]), embedding=np.ones((1, length), np.float32))
    if length == 1000:
        assert len(read_tables(path).utterance) == 1
        return
    with pytest.raises(AvsieveError, match="bytes that claim to hold"):
        read_tables(path)


def test_so_is_a_file_of_torch(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", bytes(20_000_000))
    for read in (read_tables, read_state, read_published):
        with pytest.raises(AvsieveError, match="bytes that claim to hold"):
            read(path)


def test_and_a_parquet_table_of_one_value_many_times(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"utterance": pa.array(["a/v/1"] * 5_000_000).dictionary_encode(), "embedding": [1.0] * 5_000_000})
    pq.write_table(table, path, compression="zstd")
    for read in (read_tables, read_table):
        with pytest.raises(AvsieveError, match="claim to hold 5000000 values"):
            read(path)


@pytest.mark.parametrize("shape", ["(1000000000000, 512)", "(-1, 4)", "(99999999999999999999, 9)"])
def test_an_npy_whose_header_lies_is_refused(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64))
    (tmp_path / "names.txt").write_text("a/v/1\n")
    with pytest.raises(AvsieveError, match="is it whole"):
        read_tables(f"{path}:{tmp_path / 'names.txt'}")


@pytest.mark.parametrize("claimed", [2**63 - 1, 2**40, 100, 0])
def test_safetensors_whose_header_lies_of_its_length_are_refused(tmp_path: Path, claimed: int) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(claimed.to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}')
    for read in (read_tables, read_state):
        with pytest.raises(AvsieveError, match="safetensors"):
            read(path)


def test_safetensors_whose_tensors_reach_out_of_the_file_are_refused(tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"F32","shape":[1073741824],"data_offsets":[0,4294967296]}}'
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    for read in (read_tables, read_state):
        with pytest.raises(AvsieveError, match="safetensors"):
            read(path)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_devices_in_place_of_texts_end(device: str) -> None:
    with pytest.raises(AvsieveError):
        text_files.read_text(device)
    with pytest.raises(AvsieveError):
        read_settings([Path(device)])


def test_the_modules_limits_are_generous(tmp_path: Path) -> None:
    table = pa.table({"utterance": [f"a/v/{i}" for i in range(2000)], "code": ["ok"] * 2000})
    pq.write_table(table, tmp_path / "x.parquet", compression="zstd")
    unpacked_size.check_parquet(tmp_path / "x.parquet")
