from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from avsieve.storage.file_digest import digest_of
from avsieve.storage.indexed_tar import TarWriter, index_path
from avsieve.storage.tables import write_table
from avsieve.storage.whole import trouble_of


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    path = tmp_path / "000.wav.tar"
    with TarWriter(path) as writer:
        for n in range(4):
            writer.add(f"a/v/{n}", f"a/v/{n}.wav", bytes(range(200 + n)))
    return path


def test_a_turned_bit_anywhere_in_a_tar_is_told(tar: Path) -> None:
    content, expected = tar.read_bytes(), digest_of(tar)
    assert not trouble_of(tar, expected)
    assert not trouble_of(tar)
    # Headers, contents, padding, and the zeros at its end.
    for at in [*range(0, 4096, 61), 4100, 7000, len(content) - 1]:
        tar.write_bytes(content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :])
        for known in (expected, None):
            assert trouble_of(tar, known), at
    tar.write_bytes(content)
    assert not trouble_of(tar, expected)


def test_a_tar_that_was_cut_off_or_lost_its_index_is_told(tar: Path) -> None:
    content, expected = tar.read_bytes(), digest_of(tar)
    for size in (0, 100, 3000, len(content) - 512):
        tar.write_bytes(content[:size])
        assert trouble_of(tar, expected) == f"{size:,} bytes, expected {len(content):,}"
    tar.write_bytes(content[:1500])
    assert "its index reaches to byte" in trouble_of(tar)
    tar.write_bytes(b"")
    assert "its index reaches to byte" in trouble_of(tar)
    tar.write_bytes(content)
    index_path(tar).unlink()
    assert trouble_of(tar, expected) == "its index is gone"


def test_members_are_counted_and_the_first_is_named(tar: Path) -> None:
    content = bytearray(tar.read_bytes())
    content[1024 + 520] ^= 1
    content[2048 + 520] ^= 1
    tar.write_bytes(content)
    assert trouble_of(tar) == "2 of 4 members are not what was written, the first a/v/1.wav"


def test_another_index_is_told_though_it_fits_the_tar(tar: Path) -> None:
    expected = digest_of(tar)
    with TarWriter(tar) as writer:
        for n in range(4):
            writer.add(f"a/v/{n}", f"a/v/{n}.wav", bytes(200 + n))
    assert trouble_of(tar, expected) == "its index is not what was written"
    assert not trouble_of(tar)


def test_any_other_file_is_compared_with_its_record_and_tables_check_themselves(tmp_path: Path) -> None:
    text, table = tmp_path / "a.txt", tmp_path / "a.parquet"
    text.write_text("one\n")
    write_table(table, pa.table({"n": list(range(1000))}))
    known = {path: digest_of(path) for path in (text, table)}
    text.write_text("two\n")
    content = bytearray(table.read_bytes())
    content[200] ^= 1
    table.write_bytes(content)
    assert trouble_of(text, known[text]) == "its content is not what was written"
    assert not trouble_of(text)
    assert trouble_of(table, known[table]) == "its content is not what was written"
    assert "CRC" in trouble_of(table)
    assert trouble_of(tmp_path / "none.txt", known[text]) == "cannot be read (No such file or directory)"
