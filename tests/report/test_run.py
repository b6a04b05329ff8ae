from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd

from avsieve.report.facts import Provenance
from avsieve.report.run import Run

from .made_up import make_comparison, make_decisions, make_summary, make_truth

DECISIONS = make_decisions()
RUN = Run(decisions=DECISIONS, summary=make_summary(DECISIONS))


def told(**facts: str) -> list[tuple[str, bool]]:
    run = replace(RUN, provenance=[Provenance("evaluate_fusion", 1, 1, list(facts.items()))])
    return [(warned.text, warned.severe) for warned in run.warnings]


def test_what_the_evaluation_left_out_is_a_warning() -> None:
    assert ("the evaluation is left out: nobody was kept", True) in told(left_out="nobody was kept")
    lists = json.dumps(
        [{"list": k, "labels": k, "left_out": why} for k, why in (("trusted", "too few"), ("given", None))]
    )
    notes = [text for text, severe in told(trial_lists=lists) if not severe]
    assert any(text.endswith(": too few") for text in notes)
    gone = {"models_left_out.gated": "no faces", "models_left_out.linear": "no faces"}
    assert ("not trained, so not evaluated: gated, linear (no faces)", True) in told(**gone)


def test_shipped_models_on_real_people_are_a_warning() -> None:
    assert replace(RUN, builtin=["audio.checkpoint"]).warnings[0].text.startswith("audio.checkpoint: builtin models")
    assert not [w for w in RUN.warnings if "builtin" in w.text]


def test_failures_of_the_list_are_counted_apart_from_those_of_who_is_tested() -> None:
    names = [DECISIONS["utterance"][0], DECISIONS["utterance"][0], DECISIONS["utterance"][1], "t/v/1"]
    assert replace(RUN, failures=pd.DataFrame({"utterance": names})).failed == (2, 1)
    assert RUN.failed == (0, 0)


def test_the_comparison_tells_of_the_trials_of_its_headline() -> None:
    facts, _ = make_comparison()
    told = [{"list": name, "labels": "official"} for name in ("O", "E", "H")]
    rows = [row | {"list": name} for row in facts["gains"] for name in ("E", "O")]
    run = replace(RUN, comparison=facts | {"list": "O", "gains": rows, "trial_lists": told})
    assert {row["list"] for row in run.compared} == {"O"}
    assert len(run.compared) == len(facts["gains"])
    ((words, others),) = run.compared_elsewhere
    assert words == "the trial list E"
    assert ({row["list"] for row in others}, len(others)) == ({"E"}, len(facts["gains"]))
    assert RUN.compared == RUN.compared_elsewhere == []


def test_counts_against_the_truth_are_there_where_it_is_known() -> None:
    assert RUN.detection is None
    found = replace(RUN, truth=make_truth(DECISIONS)).detection
    assert found is not None
    assert found.recall == 1.0
