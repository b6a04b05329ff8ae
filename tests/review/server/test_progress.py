from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from avsieve.inspection.run_files import find_run
from avsieve.review.entry import Entry
from avsieve.review.server.progress import rate_per_min
from tests.review.made_up import made_up_results
from tests.review.server.conftest import Make, Server


def test_agreement_with_the_machine_leaves_out_the_unsure(server: Server, results: Path) -> None:
    table = pd.read_parquet(find_run(results).decisions)
    flagged = table.loc[table["decision"] == "noisy", "utterance"].tolist()
    clean = table.loc[table["decision"] == "clean", "utterance"].tolist()
    for names, decision in (
        (flagged[:3], "wrong_clip"),
        (flagged[3:4], "right"),
        (clean[:4], "right"),
        (clean[4:5], "wrong_face"),
    ):
        for name in names:
            server.post("/api/decide", {"utterance": name, "decision": decision})
    server.post("/api/decide", {"utterance": clean[9], "decision": "unsure"})
    found = server.get("/api/progress")
    expected = cohen_kappa_score([1, 1, 1, 0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 0, 0, 0, 0, 0])
    assert found["agreement"]["machine"] == {"n": 9, "agree": 7, "kappa": pytest.approx(expected, abs=1e-4)}
    assert (found["mine"], found["by_decision"]["wrong_clip"], found["by_decision"]["unsure"]) == (10, 3, 1)


def test_a_list_that_took_the_reviews_does_not_agree_with_itself(make: Make, tmp_path: Path) -> None:
    results = made_up_results(tmp_path, faces=False, voices=False)
    path = find_run(results).decisions
    table = pd.read_parquet(path)
    server = make(folder=results)
    names = table.loc[table["decision"] == "clean", "utterance"].iloc[:3].tolist()
    for name in names:
        server.post("/api/decide", {"utterance": name, "decision": "wrong_clip"})
    assert server.get("/api/progress")["agreement"]["machine"]["agree"] == 0
    table["machine_decision"] = table["decision"]
    table.loc[table["utterance"].isin(names), "decision"] = "noisy"
    table.to_parquet(path)
    again = make(folder=results)
    assert again.get("/api/progress")["agreement"]["machine"] == {"n": 3, "agree": 0, "kappa": 0}
    assert again.get("/api/table", disagree="yes")["total"] == 3


def test_agreement_with_others_is_about_voice_and_face(make: Make) -> None:
    ann, bob = make("ann"), make("bob")
    names = [row["utterance"] for row in ann.get("/api/table", limit=4)["rows"]]
    said = [("right", "right"), ("wrong_clip", "wrong_voice"), ("other_speaker", "wrong_clip"), ("unsure", "right")]
    for name, (first, second) in zip(names, said, strict=True):
        ann.post("/api/decide", {"utterance": name, "decision": first} | ({"speaker": "x"} if "other" in first else {}))
        bob.post("/api/decide", {"utterance": name, "decision": second})
    assert ann.get("/api/progress")["agreement"]["others"]["agree"] == 2
    assert ann.get("/api/progress")["decided"] == 4
    carl = make("carl").get("/api/progress")
    assert (carl["decided"], carl["mine"], carl["agreement"]["others"]["n"]) == (4, 0, 0)


def at(*seconds: int, **more: object) -> list[Entry]:
    times = [f"2026-01-01T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}Z" for s in seconds]
    return [Entry(k + 1, "ann", utterance="a/b/c", time=time, **more) for k, time in enumerate(times)]  # type: ignore[arg-type]


def test_the_rate_leaves_pauses_out() -> None:
    assert rate_per_min(at(0, 6, 12, 18)) == 10
    assert rate_per_min(at(0, 6, 12, 18, 4000, 4006)) == 10
    assert rate_per_min(at(0, 6)) is None
    assert rate_per_min([]) is None
    assert rate_per_min(at(5, 5, 5, 5, 5)) is None
    assert rate_per_min(at(0, 6, 12, 18, 24, batch=(1, 5))) is None


def test_the_progress_of_an_unknown_queue_is_refused(server: Server) -> None:
    assert server.refused("/api/progress", 400, queue="x") == "queue 'x'; expected one of uncertain, flagged, mine"
