import numpy as np

from avsieve.fusion.examples import pair_anew
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.pairs import labels_of

from .made_up import make_people

PEOPLE, SPEAKERS = make_people("p", 5)
LABELS = labels_of(SPEAKERS)[1]
EVERYBODY = np.arange(len(PEOPLE))


def draw(count=2000, seed=0, inputs=PEOPLE, rows=EVERYBODY, labels=LABELS):
    return pair_anew(inputs, rows, labels, count, np.random.default_rng(seed))


def test_voice_and_face_of_a_pair_are_of_its_speaker():
    found = draw()
    assert len(found) == 2000
    np.testing.assert_array_equal(LABELS[found.audio], found.labels)
    np.testing.assert_array_equal(LABELS[found.visual], found.labels)


def test_voices_and_faces_are_drawn_apart_and_speakers_alike():
    rows = np.concatenate([np.arange(9), [9, 10, 18, 19]])  # nine utterances of one, two each of two others
    found = draw(rows=rows, labels=labels_of([SPEAKERS[i] for i in rows])[1])
    assert 0.8 < (found.audio != found.visual)[found.labels == 0].mean() < 0.95
    assert np.ptp(np.bincount(found.labels)) < 150
    assert set(found.audio) == set(found.visual) == set(rows)
    assert abs(np.corrcoef(found.audio[found.labels == 0], found.visual[found.labels == 0])[0, 1]) < 0.15


def test_only_what_is_there_is_paired():
    no_face, no_voice = EVERYBODY % 3 == 0, EVERYBODY % 3 == 1
    found = draw(inputs=Inputs(PEOPLE.utterances, PEOPLE.audio.without(no_voice), PEOPLE.visual.without(no_face)))
    assert not no_voice[found.audio].any()
    assert not no_face[found.visual].any()


def test_a_speaker_without_faces_goes_without_and_borrows_none():
    faceless = LABELS == 2
    found = draw(inputs=Inputs(PEOPLE.utterances, PEOPLE.audio, PEOPLE.visual.without(faceless)))
    np.testing.assert_array_equal(LABELS[found.visual], found.labels)
    assert (found.labels == 2).any()


def test_equal_seeds_give_equal_pairs_and_other_seeds_others():
    first, again, other = draw(seed=1), draw(seed=1), draw(seed=2)
    np.testing.assert_array_equal(first.audio, again.audio)
    np.testing.assert_array_equal(first.visual, again.visual)
    assert (first.audio != other.audio).any()
