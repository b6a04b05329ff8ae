from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

from avsieve.sources.downloads import coverage, locked, settled
from avsieve.sources.ledger import Ledger
from avsieve.sources.store import Store
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable


def known(root: Path, utterance: str, request: str = "a", ask_again_days: float = 0.0) -> bool:
    store = Store(root)
    return settled(store, Ledger(store, "id1"), utterance, request, ask_again_days) is not None


def test_what_lies_in_the_store_is_settled_until_it_or_the_request_changes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.clip_path("id1/v/1")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"clip")
    Ledger(store, "id1").record("id1/v/1", "done", request="a", file="clips/id1/v/1.mp4", size=4)
    assert known(tmp_path, "id1/v/1")
    assert not known(tmp_path, "id1/v/1", request="b")
    path.write_bytes(b"longer than it was")
    assert not known(tmp_path, "id1/v/1")
    path.unlink()
    assert not known(tmp_path, "id1/v/1")


def test_what_is_gone_is_settled_unless_it_was_long_ago(tmp_path: Path) -> None:
    ledger = Ledger(Store(tmp_path), "id1")
    ledger.record("id1/v/1", "gone", Reason.HTTP_GONE, request="a")
    ledger.record("id1/v/2", "later", Reason.DOWNLOAD_FAILED, request="a")
    assert known(tmp_path, "id1/v/1")
    assert known(tmp_path, "id1/v/1", ask_again_days=1)
    assert not known(tmp_path, "id1/v/2")
    line = json.loads(ledger.path.read_text().splitlines()[0]) | {"when": "2020-01-01T00:00:00+00:00"}
    ledger.path.write_text(json.dumps(line) + "\n")
    assert known(tmp_path, "id1/v/1")
    assert not known(tmp_path, "id1/v/1", ask_again_days=1)


def _append(path: str, n: int) -> None:
    for _ in range(n):
        with locked(Path(path)) as handle:
            handle.seek(0)
            content = handle.read()
            handle.truncate(0)
            handle.write(content + b"x")


def test_one_process_at_a_time_holds_a_locked_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append, args=(str(tmp_path / "f"), 50)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (tmp_path / "f").read_bytes() == b"x" * 150


def test_coverage_tells_what_is_gone_and_what_may_come() -> None:
    status = StatusTable("fetch_media")
    assert coverage(status) == "0 of 0 utterances there"
    codes = [Reason.OK, Reason.OK, Reason.HTTP_GONE, Reason.HTTP_GONE, Reason.HTTP_FORBIDDEN, Reason.DOWNLOAD_FAILED]
    for i, code in enumerate(codes):
        status.add(f"id1/v/{i}", code)
    assert coverage(status) == (
        "2 of 6 utterances there: 3 gone (http_gone 2, http_forbidden 1), 1 failed for now (download_failed 1)"
    )
