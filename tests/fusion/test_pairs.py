import numpy as np
import pytest

from avsieve.fusion.pairs import TooFewError, draw_pairs

from .made_up import make_people

PEOPLE, SPEAKERS = make_people("p", 12, videos=3, utterances=4)
OF, VIDEO = np.array(SPEAKERS), np.array([u.rsplit("/", 1)[0] for u in PEOPLE.utterances])


def test_targets_are_one_person_in_two_videos_and_nontargets_two_people():
    pairs = draw_pairs(PEOPLE, SPEAKERS, np.random.default_rng(0))
    targets = pairs.is_target
    assert (OF[pairs.enrol[targets]] == OF[pairs.test[targets]]).all()
    assert (VIDEO[pairs.enrol[targets]] != VIDEO[pairs.test[targets]]).all()
    assert (OF[pairs.enrol[~targets]] != OF[pairs.test[~targets]]).all()
    assert targets.sum() == 12 * 3 * 16  # all that there are
    assert 0.8 < (~targets).sum() / targets.sum() <= 1


def test_no_more_pairs_than_are_wanted_and_of_everybody():
    pairs = draw_pairs(PEOPLE, SPEAKERS, np.random.default_rng(0), most=100)
    assert pairs.is_target.sum() == 100
    assert set(OF[pairs.enrol[pairs.is_target]]) == set(SPEAKERS)


def test_what_has_no_modality_is_in_no_pair():
    gone = OF == "p03"
    inputs = type(PEOPLE)(PEOPLE.utterances, PEOPLE.audio.without(gone), PEOPLE.visual.without(gone))
    pairs = draw_pairs(inputs, SPEAKERS, np.random.default_rng(0))
    assert "p03" not in {*OF[pairs.enrol], *OF[pairs.test]}


def test_half_of_the_nontargets_are_alike():
    pairs = draw_pairs(PEOPLE, SPEAKERS, np.random.default_rng(0))
    rows = ~pairs.is_target
    unit = PEOPLE.visual.pooled / np.linalg.norm(PEOPLE.visual.pooled, axis=1, keepdims=True)
    drawn = np.random.default_rng(1)
    blind = [unit[i] @ unit[drawn.choice(np.flatnonzero(OF[i] != OF))] for i in pairs.enrol[rows].tolist()]
    assert np.einsum("ij,ij->i", unit[pairs.enrol[rows]], unit[pairs.test[rows]]).mean() > np.mean(blind)


@pytest.mark.parametrize(("speakers", "videos"), [(1, 3), (5, 1)])
def test_too_few_people_or_videos_are_refused(speakers, videos):
    inputs, names = make_people("q", speakers, videos=videos)
    with pytest.raises(TooFewError, match="in two videos; expected at least two, and one"):
        draw_pairs(inputs, names, np.random.default_rng(0))
