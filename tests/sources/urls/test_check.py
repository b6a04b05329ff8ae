from __future__ import annotations

from pathlib import Path

from avsieve.sources.findings import SourceFacts
from avsieve.sources.urls import check as urls_check
from avsieve.sources.urls.contract import Urls
from tests.sources.faulty_server import FaultyServer

from .test_urls import Job, clip_bytes


def told(facts: SourceFacts) -> list[tuple[str, str]]:
    return [(f.level, f.subject) for f in facts.findings]


def test_a_table_and_its_store_are_counted_before_a_run(tmp_path: Path, server: FaultyServer) -> None:
    job = Job(tmp_path, server)
    for i in range(3):
        job.add(f"id1/v/{i}", f"/{i}.mp4", clip_bytes(i) if i else None)
    job.fetch()
    job.add("id1/v/9", "/9.mp4")
    job.plan()
    facts = urls_check.check(Urls(table=str(tmp_path / "table.csv"), store=str(job.store)), "both")
    assert told(facts) == [("ok", "source.urls.table"), ("ok", "source.urls.store")]
    assert "2 clips are there, 1 are known to be gone, 1 are still to be asked for" in facts.findings[1].text
    assert (facts.utterances, facts.clip_bytes, facts.fetch_bytes) == (4, 200_000, 100_000)
    facts = urls_check.check(Urls(table=str(tmp_path / "none.csv")), "both")
    assert told(facts) == [("error", "source.urls.table")]
