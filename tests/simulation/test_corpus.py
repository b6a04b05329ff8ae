from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec
from avsieve.simulation.world import unit

WORLD = WorldSpec(speakers=120, outsiders=60, videos_per_speaker=9, utterances_per_video=4)


@pytest.fixture(scope="module")
def corpus():
    return simulate(WORLD, NoiseSpec(rate=0.2), seed=7)


def centres(corpus):
    """Return per person the mean of what is really theirs, for the faces."""
    who = corpus.truth["visual_of"].to_numpy()
    return {p: unit(corpus.visual[who == p].sum(axis=0, keepdims=True))[0] for p in np.unique(who)}


def test_equal_seeds_give_equal_corpora_and_others_do_not(corpus):
    again, other = simulate(WORLD, NoiseSpec(rate=0.2), seed=7), simulate(WORLD, NoiseSpec(rate=0.2), seed=8)
    np.testing.assert_array_equal(corpus.audio, again.audio)
    assert corpus.truth.equals(again.truth)
    assert not np.array_equal(corpus.audio[:50], other.audio[:50])


def test_the_rate_and_the_kinds_are_those_asked_for(corpus):
    kind = corpus.truth["kind"]
    assert (kind != "clean").mean() == pytest.approx(0.2, abs=0.03)
    share = kind[kind != "clean"].value_counts(normalize=True)
    assert share["audio"] == pytest.approx(0.15, abs=0.05)
    assert share["visual"] == pytest.approx(0.15, abs=0.05)


def test_the_kind_says_who_is_heard_and_seen(corpus):
    truth = corpus.truth
    heard, seen = truth["audio_of"] == truth["speaker"], truth["visual_of"] == truth["speaker"]
    expected = {"clean": (True, True), "video": (False, False), "audio": (False, True), "visual": (True, False)}
    for name, (a, v) in expected.items():
        rows = truth["kind"] == name
        assert rows.any()
        assert (heard[rows] == a).all()
        assert (seen[rows] == v).all()
    both = truth[truth["kind"] == "video"]
    assert (both["audio_of"] == both["visual_of"]).all()


def test_outsiders_are_nobodys_label(corpus):
    wrong = corpus.truth[corpus.truth["kind"] == "video"]
    outside = wrong["visual_of"].str.startswith("outside")
    assert outside.mean() == pytest.approx(0.4, abs=0.12)
    assert not corpus.truth["speaker"].str.startswith("outside").any()


def test_errors_are_unevenly_spread(corpus):
    wrong = (corpus.truth["kind"] != "clean").groupby(corpus.truth["speaker"]).mean()
    even = simulate(WORLD, NoiseSpec(rate=0.2, evenness=500.0), seed=7).truth
    evenly = (even["kind"] != "clean").groupby(even["speaker"]).mean()
    assert wrong.std() > 1.3 * evenly.std()


def test_right_and_wrong_faces_lie_where_pretrained_encoders_put_them(corpus):
    mean = centres(corpus)
    label, clean = corpus.truth["speaker"], (corpus.truth["kind"] == "clean").to_numpy()
    similarity = np.array([e @ mean[s] if s in mean else np.nan for e, s in zip(corpus.visual, label, strict=True)])
    right, wrong = similarity[clean], similarity[(corpus.truth["kind"] == "visual").to_numpy()]
    assert np.nanmean(right) == pytest.approx(0.64, abs=0.05)
    assert np.nanstd(right) == pytest.approx(0.13, abs=0.04)
    assert np.nanmean(wrong) == pytest.approx(0.10, abs=0.07)


def test_lookalikes_are_nearer_than_strangers():
    corpus = simulate(WORLD, NoiseSpec(rate=0.0), seed=1)
    mean = np.stack(list(centres(corpus).values()))
    cosine = mean @ mean.T
    np.fill_diagonal(cosine, -1)
    nearest = np.sort(cosine.max(axis=1))
    assert nearest[-len(nearest) // 10 :].mean() > np.median(cosine) + 0.25


def test_utterances_of_a_video_share_their_channel():
    one = replace(ModalitySpec(dim=128), channel=0.6, clean_similarity=0.5)
    corpus = simulate(replace(WORLD, visual=one), NoiseSpec(rate=0.0), seed=2)
    video, speaker = corpus.plan["video"].to_numpy(), corpus.plan["speaker"].to_numpy()
    rows = np.arange(len(video) - 1)
    cosine = np.einsum("ij,ij->i", corpus.visual[:-1], corpus.visual[1:])
    same_video = video[rows] == video[rows + 1]
    same_speaker = (speaker[rows] == speaker[rows + 1]) & ~same_video
    assert cosine[same_video].mean() > cosine[same_speaker].mean() + 0.2


def test_some_speakers_have_one_video():
    corpus = simulate(replace(WORLD, one_video_share=0.3), NoiseSpec(), seed=3)
    videos = corpus.plan.groupby("speaker")["video"].nunique()
    assert (videos == 1).mean() == pytest.approx(0.3, abs=0.1)


def test_a_large_corpus_is_made_in_pieces(monkeypatch):
    world = WorldSpec(speakers=20, videos_per_speaker=5, utterances_per_video=4)
    whole = simulate(world, NoiseSpec(rate=0.1), seed=4)
    monkeypatch.setattr("avsieve.simulation.corpus.AT_ONCE", 64)
    pieces = simulate(world, NoiseSpec(rate=0.1), seed=4)
    assert len(whole.plan) > 3 * 64
    assert pieces.plan["utterance"].tolist() == whole.plan["utterance"].tolist()
    for found in (pieces.audio, pieces.visual):
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    # Voices of a speaker lie near each other, whatever piece they were made in.
    right = (pieces.truth["kind"] == "clean").to_numpy()
    names = pieces.plan["speaker"].to_numpy()
    same = np.array([names[i] == names[i + 1] for i in range(len(names) - 1)]) & right[:-1] & right[1:]
    near = np.einsum("ij,ij->i", pieces.audio[:-1], pieces.audio[1:])
    assert near[same].mean() > near[~same].mean() + 0.2
