from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.decisions import decide
from avsieve.cleansing.likelihood import LikelihoodModel
from avsieve.cleansing.registry import judge
from avsieve.cleansing.structure import Shares, infer
from avsieve.cleansing.suggestions import find_merges, suggest
from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.cli import cleanse, compare, simulate
from avsieve.errors import AvsieveError
from avsieve.lists.train_list import read_clean_list

from .conftest import f1


def arguments(module, *words):
    ap = argparse.ArgumentParser()
    module.add_arguments(ap)
    return ap.parse_args([*map(str, words)])


def test_the_commands_simulate_cleanse_and_compare(tmp_path, capsys):
    made, one, two = tmp_path / "made", tmp_path / "one", tmp_path / "two"
    words = ["--speakers", 40, "--videos", 6, "--utterances", 3, "--rate", 0.15]
    assert simulate.run(arguments(simulate, "--out", made, *words)) == 0
    inputs = ["--train-list", made / "train_all.txt", "--audio", made / "audio.npz", "--visual", made / "visual.npz"]
    assert cleanse.run(arguments(cleanse, *inputs, "--out", one)) == 0
    assert cleanse.run(arguments(cleanse, *inputs, "--out", two, "--method", "two_step")) == 0
    assert compare.run(arguments(compare, one / "train_all_clean.txt", two / "train_all_clean.txt", "--out", two)) == 0
    assert "Cohen's kappa" in capsys.readouterr().out
    assert (one / "train_all.txt").read_bytes() == (made / "train_all.txt").read_bytes()
    assert json.loads((two / "agreement.json").read_text())["kappa"] > 0.3
    truth = pd.read_csv(made / "truth.csv")
    clean = read_clean_list(one / "train_all_clean.txt")
    assert f1((truth["kind"] != "clean").to_numpy(), ~clean["clean"].to_numpy()) > 0.85


def test_suggested_speakers_are_the_ones_who_are_heard_and_seen(scored):
    scores, truth = scored.scores, scored.corpus.truth
    kind = np.where(scored.wrong_audio & scored.wrong_visual, "video", "").astype(object)
    named = suggest(scores, (~scored.wrong).astype(float), kind)
    made = named.speaker >= 0
    names = np.array(scores.speakers, dtype=object)
    assert made.sum() > 50
    assert np.mean(names[named.speaker[made]] == truth["audio_of"].to_numpy()[made]) > 0.95
    outside = truth["audio_of"].str.startswith("outside").to_numpy() & (kind == "video")
    assert np.mean(made[outside]) < 0.2


def test_two_labels_of_one_person_are_found_and_do_not_empty_each_other(scored):
    frame = scored.corpus.plan[["utterance", "speaker"]].copy()
    videos = scored.corpus.plan["video"]
    speaker = videos.groupby(frame["speaker"]).nunique().idxmax()
    mine = sorted(videos[frame["speaker"] == speaker].unique())
    frame.loc[videos.isin(mine[::2]), "speaker"] = "twin"
    ids = frame["utterance"].tolist()
    tables = {"audio": EmbeddingTable(ids, scored.corpus.audio), "visual": EmbeddingTable(ids, scored.corpus.visual)}
    scores = score_table(frame, tables)
    assert (speaker, "twin") in {(m.first, m.second) for m in find_merges(scores, (~scored.wrong).astype(float))}
    from avsieve.cleansing.registry import judge

    decisions = decide(scores, judge(scores))
    both = frame["speaker"].isin([speaker, "twin"]).to_numpy() & ~scored.wrong
    assert decisions.clean[both].mean() > 0.8


def test_names_that_do_not_agree_are_refused(scored):
    tables = {"audio": EmbeddingTable(["other/v/1"], np.ones((1, 4))), "visual": None}
    with pytest.raises(AvsieveError, match="names must agree"):
        score_table(scored.corpus.plan[["utterance", "speaker"]], tables)


def alone(ratio):
    """Log likelihoods that do not depend on the video, from log ratios for "right"."""
    table = np.zeros((len(ratio), 2, 2))
    table[:, :, 1] = -np.asarray(ratio)[:, None]
    return table


def test_wrong_labels_are_told_from_right_ones_and_lonely_errors_from_whole_videos(scored):
    wrong, kind = scored.wrong_visual, scored.corpus.truth["kind"].to_numpy()
    model = LikelihoodModel(scored.scores.visual, scored.scores.video_code())
    table = model.log_likelihood((~wrong).astype(float))
    assert (table[:, 0, 0] == 0).all()
    assert np.median(table[~wrong, 0, 1]) < -3
    assert np.median(table[~wrong, 1, 1]) < -3
    lonely = table[kind == "visual"]
    assert np.median(lonely[:, 0, 1]) > 3
    assert np.median(lonely[:, 0, 1] - lonely[:, 1, 1]) > 1
    company = scored.scores.visual.agreement
    followers = table[(kind == "video") & (company > np.nanquantile(company, 0.3))]
    assert np.median(followers[:, 1, 1] - followers[:, 0, 1]) > 1


def test_without_other_utterances_of_the_video_the_label_still_speaks(scored):
    none = replace(scored.scores.visual, agreement=np.full(len(scored.scores), np.nan, np.float32))
    table = LikelihoodModel(none, scored.scores.video_code()).log_likelihood((~scored.wrong_visual).astype(float))
    np.testing.assert_array_equal(table[:, 0, 1], table[:, 1, 1])
    assert (table[:, 1, 0] == 0).all()
    assert np.median(table[scored.wrong_visual, 0, 1]) > 3


def test_a_wrong_video_is_believed_although_one_utterance_is_unclear():
    # Ten videos of five; in the last all are wrong, one of them with no evidence of its own.
    video, speaker = np.repeat(np.arange(10), 5), np.zeros(50, np.int64)
    ratio = np.full(50, 6.0)
    ratio[45:], ratio[49] = -6.0, 0.0
    found = infer(alone(ratio), alone(ratio), video, speaker, Shares())
    assert found.cases[49, 3] > 0.8
    assert found.cases[:45, 0].min() > 0.95
    assert found.settled["audio"][:45].min() > 0.95
    assert found.settled["audio"][45:].max() < 0.2
    assert found.shares.states[3] == pytest.approx(0.1, abs=0.05)


def test_the_same_evidence_weighs_more_where_a_speaker_has_many_errors():
    # Two speakers, thirty videos of two each; the second has a wrong voice in a third of the videos already.
    video, speaker = np.repeat(np.arange(60), 2), np.repeat([0, 1], 60)
    ratio = np.full(120, 8.0)
    ratio[60:120:6] = -8.0
    ratio[[1, 63]] = -2.0
    found = infer(alone(ratio), alone(np.full(120, 8.0)), video, speaker, Shares())
    assert found.cases[63, 1] > found.cases[1, 1] + 0.1


def test_without_evidence_nothing_is_decided():
    nothing = np.zeros((20, 2, 2))
    found = infer(nothing, nothing, np.arange(20) // 4, np.zeros(20, np.int64), Shares())
    assert found.cases[:, 0].min() > 0.5


def test_where_the_speaker_is_in_doubt_nothing_is_certain(scored):
    doubt = np.where(scored.scores.speaker == 0, 0.5, 0.0).astype(np.float32)
    unsure = judge(replace(scored.scores, doubt=doubt, rival=np.zeros_like(doubt)))
    sure = judge(replace(scored.scores, doubt=np.zeros_like(doubt)))
    mine = scored.scores.speaker == 0
    np.testing.assert_allclose(unsure.wrong[~mine], sure.wrong[~mine])
    np.testing.assert_allclose(unsure.wrong[mine], 0.5 + 0.5 * sure.wrong[mine])
