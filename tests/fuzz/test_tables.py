"""Tables that are whole Parquet and not what a reader expects: a value or an error of ours, never another exception."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from tests.fuzz.conftest import FUZZ, cases, try_each
from tests.fuzz.odd_tables import table_of
from tests.fuzz.table_readers import table_readers
from tests.fuzz.test_parsers import LONGEST_S, alarm, outcome_of

__all__ = ["alarm"]  # a fixture

READERS = {reader.name: reader for reader in table_readers()}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_gives_a_value_or_an_error_of_ours(name: str, tmp_path: Path) -> None:
    reader, path = READERS[name], tmp_path / "file.parquet"

    seeds = reader.seeds()

    def case(dice: random.Random) -> None:
        path.write_bytes(table_of(seeds, dice))
        signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
        outcome_of(reader.read, path)
        signal.setitimer(signal.ITIMER_PROF, 0)

    @FUZZ
    @given(cases)
    def run(numbers: range) -> None:
        try_each(numbers, case)

    run()


@pytest.mark.parametrize("name", READERS)
def test_the_tables_that_are_changed_are_read_at_first(name: str, tmp_path: Path) -> None:
    reader, path = READERS[name], tmp_path / "file.parquet"
    read = []
    for table in reader.seeds():
        pq.write_table(table, path)
        read.append(outcome_of(reader.read, path))
    assert any(read)
    pq.write_table(pa.table({"x": [1]}), path)
    assert not outcome_of(reader.read, path), "it does not look at the table"
