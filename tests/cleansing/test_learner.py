from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing import learner
from avsieve.cleansing.decisions import decide, expected
from avsieve.cleansing.judge import judge
from avsieve.cleansing.learner import Corpus, Learner

from .conftest import f1


@pytest.fixture
def corpus(scored):
    right = {m: np.where(e.present, e.similarity, 1.0) for m, e in scored.scores.learned.items()}
    return Corpus(scored.scores.learned, right, scored.scores.video_code(), scored.scores.speaker)


def test_a_corpus_judged_by_what_some_speakers_taught_is_judged_as_by_all(scored, monkeypatch):
    scores = scored.scores
    whole = judge(scores, "posterior")
    monkeypatch.setattr(learner, "ENOUGH", 1000)
    monkeypatch.setattr(learner, "_BLOCK", 100)
    part = judge(scores, "posterior")
    assert not np.array_equal(whole.wrong, part.wrong)
    for one, other in ((whole, part), (whole.sceptical, part.sceptical)):
        # Of a thousand utterances less can be learned than of a hundred thousand.
        assert ((one.wrong > 0.5) != (other.wrong > 0.5)).mean() < 0.02
        assert abs(f1(scored.wrong, one.wrong > 0.5) - f1(scored.wrong, other.wrong > 0.5)) < 0.03
    figures = [expected(decide(scores, j, "either", 0.5)) for j in (whole, part)]
    for name in ("precision", "recall"):
        assert figures[0][name] == pytest.approx(figures[1][name], abs=0.03)


def test_who_is_judged_with_whom_does_not_matter(scored, monkeypatch):
    monkeypatch.setattr(learner, "ENOUGH", len(scored.scores) // 2)
    found = []
    for size in (60, 10_000):
        monkeypatch.setattr(learner, "_BLOCK", size)
        found.append(judge(scored.scores, "posterior").wrong)
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)


def test_enough_speakers_are_drawn_whole_and_by_the_seed(corpus):
    part = corpus.some_speakers(500, seed=0)
    assert 500 <= len(part) < 500 + np.bincount(corpus.speaker).max()
    # Numbered anew, and all their utterances are there.
    sizes = np.bincount(part.speaker)
    assert sizes.min() > 0
    similarity = corpus.evidence["audio"].similarity
    mine = part.evidence["audio"].similarity
    whole = [similarity[corpus.speaker == s] for s in range(corpus.speaker.max() + 1)]
    assert all(any(np.array_equal(mine[part.speaker == s], w) for w in whole) for s in range(len(sizes)))
    again, other = corpus.some_speakers(500, seed=0), corpus.some_speakers(500, seed=1)
    np.testing.assert_array_equal(again.evidence["audio"].similarity, mine)
    assert not np.array_equal(other.evidence["audio"].similarity[:50], mine[:50])


def test_beliefs_stay_with_their_utterances(corpus, monkeypatch):
    monkeypatch.setattr(learner, "ENOUGH", 500)
    first = Learner(corpus, seed=0)
    assert len(first.part) < len(corpus)
    for m, e in first.part.evidence.items():
        np.testing.assert_array_equal(first.found.settled[m][e.present], e.similarity[e.present])


def test_where_there_are_no_more_than_enough_nobody_is_left_out(corpus):
    assert corpus.some_speakers(len(corpus), seed=0) is corpus


def test_blocks_have_every_utterance_once_and_whole_speakers(corpus):
    blocks = list(corpus.blocks(100))
    assert len(blocks) > 5
    np.testing.assert_array_equal(np.sort(np.concatenate(blocks)), np.arange(len(corpus)))
    speakers = [set(corpus.speaker[rows].tolist()) for rows in blocks]
    assert sum(map(len, speakers)) == len(set.union(*speakers))
