from __future__ import annotations

from dataclasses import replace

import numpy as np

from avsieve.cleansing.decisions import decide
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.suggestions import Suggestions
from avsieve.cleansing.summary import summarise
from avsieve.cleansing.table import score_table
from avsieve.cleansing.warning_texts import warnings_in_words
from avsieve.cleansing.write import cleanse
from avsieve.lists.train_list import read_clean_list, read_train_list
from avsieve.storage.tables import read_table

from .test_decisions import judged, without
from .test_few_speakers import people


def texts(summary):
    return [w.text for w in warnings_in_words(summary)]


def summary_of(scores, judgement, policy="either"):
    nobody = Suggestions(np.full(len(scores), -1), np.full(len(scores), np.nan))
    return summarise(scores, judgement, decide(scores, judgement, policy, 0.5), nobody, [], policy)


def test_a_speaker_without_faces_is_another_story_than_one_with_wrong_labels(scored):
    first, second = (np.flatnonzero(scored.scores.speaker == k) for k in (0, 1))
    scores = without(scored.scores, "visual", first)
    found = summary_of(scores, judged(scores, audio=second))["warnings"]
    assert found["incomplete_speakers"] == {"count": 1, "speakers": [scores.speakers[0]]}
    assert found["emptied_speakers"] == {"count": 1, "speakers": [scores.speakers[1]]}
    assert found["mostly_wrong_speakers"]["count"] == 0


def test_counts_add_up_and_lists_agree_with_them(scored, tmp_path):
    scores = without(without(scored.scores, "visual", range(140)), "audio", [3, 200], not_finite=True)
    summary = cleanse(scores, scored.corpus.plan["seconds"].tolist(), tmp_path, Cleansing())
    assert summary["clean"] + summary["noisy"] + summary["incomplete"] == summary["utterances"] == len(scores)
    assert sum(summary["reasons"].values()) == len(scores)
    assert sum(summary["noisy_by_kind"].values()) == summary["noisy"]
    n = len(scores)
    assert summary["coverage"]["visual"] | {"share": None} == {
        "embeddings": n - 140, "of": n, "share": None, "not_finite": 0, "not_judged": 0,
    }  # fmt: skip
    assert summary["coverage"]["audio"]["not_finite"] == 2
    for name, count in summary["lists"].items():
        assert len(read_train_list(tmp_path / f"{name}.txt")) == count
    table = read_table(tmp_path / "decisions.parquet").set_index("utterance")
    lists = {name: set(read_train_list(tmp_path / f"{name}.txt")["utterance"]) for name in summary["lists"]}
    has_voice, has_face = (set(table.index[table[f"{m}_similarity"].notna()]) for m in ("audio", "visual"))
    assert lists["train_clean"] <= has_voice & has_face
    assert lists["train_clean_audio"] <= has_voice
    assert lists["train_clean_visual"] <= has_face
    assert lists["train_clean"] < lists["train_clean_audio"]
    flagged = read_clean_list(tmp_path / "train_all_clean.txt")
    assert set(flagged.loc[flagged["clean"], "utterance"]) == lists["train_clean"]


def test_low_coverage_is_a_warning(scored):
    n = len(scored.scores)
    scores = without(scored.scores, "visual", range(n // 2))
    summary = summary_of(scores, judged(scores))
    assert summary["warnings"]["low_coverage"] == {"visual": 0.5}
    warned = warnings_in_words(summary)[0]
    assert warned.severe
    assert f"only {n - n // 2:,} of {n:,} utterances (50.0%) have an embedding of the face" in warned.text
    # A modality that was never given is no half-covered one.
    none = without(scored.scores, "visual", range(n))
    assert summary_of(none, judged(none))["warnings"]["low_coverage"] == {}


def test_that_nothing_was_judged_cannot_be_missed(tmp_path):
    frame, tables = people(1, videos=2, utterances=2)
    summary = cleanse(score_table(frame, tables), ["4.0"] * len(frame), tmp_path, Cleansing())
    assert summary["reasons"] == {"not_judged": 4}
    assert summary["estimated"] is None
    assert summary["warnings"]["not_judged"]["judged"] == 0
    assert summary["coverage"]["audio"]["not_judged"] == 4
    first = warnings_in_words(summary)[0]
    assert first.severe
    assert first.text.startswith("NOTHING WAS JUDGED: there are too few utterances or speakers")
    assert read_table(tmp_path / "decisions.parquet")["p_wrong"].isna().all()


def test_one_modality_that_was_not_judged_is_told_beside_the_other(tmp_path):
    frame, tables = people(20)
    tables["audio"].embedding[:] = 1.0
    summary = cleanse(score_table(frame, tables), ["4.0"] * len(frame), tmp_path, Cleansing())
    assert "no voice was judged: the embeddings do not tell the speakers apart" in texts(summary)
    assert summary["coverage"]["audio"]["not_judged"] == len(frame)
    assert summary["coverage"]["visual"]["not_judged"] == 0
    assert "not_judged" not in summary["reasons"]


def test_a_simpler_rule_is_told(tmp_path):
    frame, tables = people(2)
    summary = cleanse(score_table(frame, tables), ["4.0"] * len(frame), tmp_path, Cleansing())
    assert summary["method"]["judged_by"] == {"audio": "few_speakers", "visual": "few_speakers"}
    assert any("were judged by a simpler rule" in text for text in texts(summary))


def test_a_speaker_who_may_be_somebody_else_is_a_note(scored):
    doubt = np.where(scored.scores.speaker == 3, 0.5, 0.1).astype(np.float32)
    scores = replace(scored.scores, doubt=doubt)
    warned = warnings_in_words(summary_of(scores, judged(scores)))
    assert [(w.severe, w.speakers) for w in warned if "close call" in w.text] == [(False, [scores.speakers[3]])]
