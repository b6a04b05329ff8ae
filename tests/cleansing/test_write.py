from __future__ import annotations

import json
import runpy
import shlex
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.decisions import decide
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.write import cleanse
from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.lists.train_list import read_clean_list
from avsieve.storage.tables import read_table, write_table
from avsieve.wiring.flags import flags


def test_policies_ask_about_different_events(scored):
    n = len(scored.scores)
    a, v = np.zeros(n), np.zeros(n)
    a[:20], v[10:30] = 0.9, 0.9
    judgement = Judgement(a, v, np.maximum(a, v), calibrated=True)
    noisy = {
        p: np.flatnonzero(~decide(scored.scores, judgement, p, 0.5).clean)
        for p in ("either", "audio", "visual", "both")
    }
    assert len(noisy["either"]) == 30
    assert noisy["audio"].tolist() == list(range(20))
    assert noisy["visual"].tolist() == list(range(10, 30))
    assert noisy["both"].tolist() == list(range(10, 20))


def test_speakers_who_may_be_somebody_else_are_named(scored, tmp_path):
    doubt = np.where(scored.scores.speaker == 3, 0.5, 0.1).astype(np.float32)
    summary = cleanse(
        replace(scored.scores, doubt=doubt), scored.corpus.plan["seconds"].tolist(), tmp_path, Cleansing()
    )
    assert summary["warnings"]["in_doubt"] == {"count": 1, "speakers": [scored.scores.speakers[3]]}


def test_expected_precision_and_recall_are_what_is_measured(scored, tmp_path):
    summary = cleanse(scored.scores, scored.corpus.plan["seconds"].tolist(), tmp_path, Cleansing())
    flagged = ~read_clean_list(tmp_path / "train_all_clean.txt")["clean"].to_numpy()
    hit = (flagged & scored.wrong).sum()
    assert summary["estimated"]["precision"] == pytest.approx(hit / flagged.sum(), abs=0.05)
    assert summary["estimated"]["recall"] == pytest.approx(hit / scored.wrong.sum(), abs=0.05)


@pytest.fixture
def run_of(tmp_path, scored):
    """Write the files of a run with two shards in which some utterances failed."""
    plan = scored.corpus.plan.iloc[:600].copy()
    speakers = sorted(plan["speaker"].unique())
    plan["shard"] = ["000" if s in speakers[::2] else "001" for s in plan["speaker"]]
    plan.loc[5, "seconds"] = ""
    plan.loc[7, "seconds"] = ""
    write_table(tmp_path / "plan/utterances.parquet", plan)
    failed_audio, failed_both = plan["utterance"][3], plan["utterance"][7]
    for shard, rows in plan.groupby("shard"):
        write_table(tmp_path / f"plan/shards/{shard}.parquet", rows)
        for m in ("audio", "visual"):
            keep = rows[~rows["utterance"].isin([failed_both] + [failed_audio] * (m == "audio"))]
            extra = {"duration_s": np.full(len(keep), 4.25)} if m == "audio" else {"n_faces": [3] * len(keep)}
            vectors = getattr(scored.corpus, m)[keep.index]
            write_embeddings(tmp_path / f"embed_{m}/{shard}.parquet", keep["utterance"].tolist(), vectors, **extra)
    return tmp_path, plan, failed_audio, failed_both


def words(block):
    """Return the options of a block as the rules give them."""
    return shlex.split(flags(block))


@pytest.fixture
def call(repository, monkeypatch):
    """Run a script of the workflow in this process, as its command line would."""

    def run_script(script, *arguments):
        path = repository / "workflow" / "scripts" / f"{script}.py"
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(path), run_name="__main__")
        assert end.value.code == 0

    return run_script


def test_the_scripts_make_the_lists_from_shards(run_of, call, caplog):
    base, plan, failed_audio, failed_both = run_of
    shards = ["000", "001"]
    files = {k: [base / k / f"{s}.parquet" for s in shards] for k in ("plan/shards", "embed_audio", "embed_visual")}
    centres = base / "scores/centres.parquet"
    audio, visual = files["embed_audio"], files["embed_visual"]
    call(
        "pool_speakers", "--plans", *files["plan/shards"], "--audio", *audio, "--visual", *visual, "--centres", centres
    )
    for plan_of, a, v, s in zip(files["plan/shards"], audio, visual, shards, strict=True):
        inputs = ["--plan", plan_of, "--audio", a, "--visual", v, "--centres", centres]
        call("score_utterances", *inputs, "--scores", base / f"scores/shards/{s}.parquet")
    merged = [base / f"scores/shards/{s}.parquet" for s in shards]
    scores, plan_table = base / "scores/scores.parquet", base / "plan/utterances.parquet"
    call("merge_scores", "--inputs", *merged, "--out", scores)
    train_all = base / "lists/train_all.txt"
    call("list_utterances", "--plan", plan_table, "--durations", *files["embed_audio"], "--out", train_all)
    call("clean_list", "--train-list", train_all, "--scores", scores, "--out-dir", base / "lists", *words(Cleansing()))

    lines = (base / "lists/train_all.txt").read_text().splitlines()
    assert len(lines) == len(plan)
    assert [x.split()[1] for x in lines] == [f"{u}.wav" for u in plan["utterance"]]
    assert lines[5].endswith(" 4.250")
    assert lines[7].endswith(" nan")
    clean = (base / "lists/train_all_clean.txt").read_text().splitlines()
    assert clean[3].split()[3] == "nan"
    assert clean[7].split()[3:] == ["nan", "nan", "0"]
    kept = [x.rsplit(" ", 3)[0] for x in clean if x.endswith(" 1")]
    assert (base / "lists/train_clean.txt").read_text().splitlines() == kept
    decisions = read_table(base / "lists/decisions.parquet").set_index("utterance")
    assert decisions.loc[failed_both, "reason"] == "no_embedding"
    assert np.isnan(decisions.loc[failed_audio, "p_audio_wrong"])
    assert pd.notna(decisions.loc[failed_audio, "p_visual_wrong"])
    summary = json.loads((base / "lists/summary.json").read_text())
    assert summary["utterances"] == len(plan)
    assert summary["missing"] == {"audio": 2, "visual": 1}

    review = base / "review.csv"
    rows = [f"{u},right,{'0' * 64}" for u in plan["utterance"][:120]] + ["who/what/1,right,"]
    review.write_text("utterance,decision,list_sha256\n" + "\n".join(rows) + "\n")
    given = words(Cleansing(review=str(review)))
    caplog.clear()
    call("clean_list", "--train-list", train_all, "--scores", scores, "--out-dir", base / "lists", *given)
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert f"{review}: 1 review of utterances that are not in the list; they count for nothing: who/what/1" in told
    assert any(": 120 reviews made on another list" in line for line in told)
    decisions = read_table(base / "lists/decisions.parquet")
    assert set(decisions["decision"][:120]) == {"clean", "incomplete"}


def test_the_audit_breaks_labels_and_reports_how_many_were_found(run_of, call):
    base, plan, _, _ = run_of
    out = base / "audit/audit.json"
    files = {m: [base / f"embed_{m}/{s}.parquet" for s in ("000", "001")] for m in ("audio", "visual")}
    inputs = ["--plan", base / "plan/utterances.parquet", "--audio", *files["audio"], "--visual", *files["visual"]]
    call("audit_noise", *inputs, *words(Audit(rate=0.15, seed=3)), *words(Cleansing()), "--out", out)
    found = json.loads(out.read_text())
    assert found["settings"]["rate"] == 0.15
    assert 30 <= found["injected"] <= 0.2 * len(plan)
    assert found["utterances"] + found["set_aside"] <= len(plan)
    recall = found["measured"]["recall"]
    assert 0.6 < recall["value"] <= 1
    assert recall["low"] <= recall["value"] <= recall["high"]
    assert set(found["recall_by_kind"]) <= {"video", "audio", "visual", "mixed"}


def test_the_audit_refuses_settings_that_are_not_json(run_of, repository, monkeypatch, capsys):
    base, *_ = run_of
    path = repository / "workflow/scripts/audit_noise.py"
    line = ["--plan", base / "plan/utterances.parquet", "--kinds", "video", "--out", base / "audit.json"]
    monkeypatch.setattr(sys, "argv", [str(path), *map(str, line)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(path), run_name="__main__")
    assert end.value.code not in (0, None)
    assert "expected a JSON object" in capsys.readouterr().err
    assert not (base / "audit.json").exists()
