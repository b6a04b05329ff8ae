from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.sources.ledger import Ledger
from avsieve.sources.store import Store
from avsieve.storage.reasons import Reason


def test_the_last_entry_of_a_key_counts_and_outlives_the_process(tmp_path: Path) -> None:
    ledger = Ledger(Store(tmp_path), "id1")
    assert ledger.outcome("id1/v/1") is None
    ledger.record("id1/v/1", "later", Reason.MEDIA_MISSING, detail="busy")
    ledger.record("id1/v/1", "done", sha256="ab")
    ledger.record("id1/v/2", "gone", Reason.MEDIA_MISSING)
    again = Ledger(Store(tmp_path), "id1")
    entry = again.outcome("id1/v/1")
    assert entry is not None
    assert (entry.outcome, entry.reason, entry.facts) == ("done", Reason.OK, {"sha256": "ab"})
    assert 0 <= entry.age_days() < 1
    assert again.outcome("id1/v/2").outcome == "gone"  # type: ignore[union-attr]
    assert len((tmp_path / "ledger/id1.jsonl").read_text().splitlines()) == 3


def test_a_torn_last_line_is_passed_over_and_the_next_line_stands_alone(tmp_path: Path) -> None:
    Ledger(Store(tmp_path), "id1").record("id1/v/1", "done")
    path = tmp_path / "ledger/id1.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:25])
    ledger = Ledger(Store(tmp_path), "id1")
    assert ledger.outcome("id1/v/1") is not None
    ledger.record("id1/v/2", "gone", Reason.MEDIA_MISSING)
    again = Ledger(Store(tmp_path), "id1")
    assert [again.outcome(f"id1/v/{i}").outcome for i in (1, 2)] == ["done", "gone"]  # type: ignore[union-attr]


def test_an_unknown_outcome_or_reason_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "ledger/id1.jsonl"
    path.parent.mkdir()
    when = "2026-01-01T00:00:00+00:00"
    lines = [{"key": "a", "outcome": "lost", "reason": "ok", "when": when}, {"key": "b", "outcome": "gone"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '"text"\n')
    ledger = Ledger(Store(tmp_path), "id1")
    assert ledger.outcome("a") is None
    assert ledger.outcome("b") is None


def test_threads_share_a_ledger(tmp_path: Path) -> None:
    ledger = Ledger(Store(tmp_path), "id1")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: ledger.record(f"id1/v/{i}", "done"), range(40)))
    again = Ledger(Store(tmp_path), "id1")
    assert all(again.outcome(f"id1/v/{i}") for i in range(40))


def test_a_store_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file where a folder should be")
    with pytest.raises(AvsieveError, match="name another `store`"):
        Ledger(Store(tmp_path), "id1").record("id1/v/1", "done")
