from __future__ import annotations

import numpy as np

from avsieve.cleansing.decisions import decide
from avsieve.cleansing.judge import judge
from avsieve.cleansing.suggestions import find_merges, suggest
from avsieve.cleansing.table import EmbeddingTable, score_table


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
    decisions = decide(scores, judge(scores, "posterior"), "either", 0.5)
    both = frame["speaker"].isin([speaker, "twin"]).to_numpy() & ~scored.wrong
    assert decisions.clean[both].mean() > 0.8
