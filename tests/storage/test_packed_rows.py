from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.storage import packed_rows
from avsieve.storage.packed_rows import PackedRows


@pytest.fixture(params=["memory", "file"])
def packed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackedRows:
    if request.param == "file":
        monkeypatch.setattr(packed_rows, "HELD_BYTES", 0)
    return PackedRows(50, 6, tmp_path)


def rows(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 6)).astype(np.float16)


def test_pieces_come_back_in_the_order_asked_for_and_unwritten_rows_are_zero(packed: PackedRows) -> None:
    vectors = rows(40)
    packed.write(20, vectors[20:])
    packed.write(0, vectors[:10])
    found = packed.read(np.array([30, 0, 35, 8]), np.array([5, 3, 2, 4]))
    expected = np.vstack([vectors[30:35], vectors[:3], vectors[35:37], vectors[8:10], np.zeros((2, 6), np.float16)])
    np.testing.assert_array_equal(found, expected)
    assert packed.read(np.array([], int), np.array([], int)).shape == (0, 6)


def test_a_turned_bit_in_the_scratch_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_rows, "HELD_BYTES", 0)
    packed = PackedRows(50, 6, tmp_path)
    packed.write(0, rows(50))
    assert packed._file is not None
    for bit in range(8):
        at = 17 * 12 + bit
        before = os.pread(packed._file.fileno(), 1, at)
        os.pwrite(packed._file.fileno(), bytes([before[0] ^ 1 << bit]), at)
        with pytest.raises(AvsieveError, match=r"row 17 of the scratch file .* \(1 of 3 rows\)"):
            packed.read(np.array([16]), np.array([3]))
        os.pwrite(packed._file.fileno(), before, at)
    assert len(packed.read(np.array([0]), np.array([50]))) == 50
    os.ftruncate(packed._file.fileno(), 12 * 20)
    with pytest.raises(AvsieveError, match="shorter than what was written"):
        packed.read(np.array([18]), np.array([5]))


def test_a_full_disk_is_told_with_the_room_that_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_rows, "HELD_BYTES", 0)
    packed = PackedRows(50, 6, tmp_path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(AvsieveError, match=r"No space left on device .* make room"):
        packed.write(0, rows(50))
