import numpy as np
import pytest

from avsieve.evaluation.scoring import mean_of_cosines
from avsieve.fusion.registry import MODELS

from .made_up import make_people

INPUTS, _ = make_people("p", 5)
ENROL, TEST = np.triu_indices(len(INPUTS), 1)


def scores(name, inputs=INPUTS):
    return mean_of_cosines(MODELS[name]().encode(inputs), ENROL, TEST)


def cosine(side):
    unit = side.pooled / np.linalg.norm(side.pooled, axis=1, keepdims=True)
    return np.einsum("ij,ij->i", unit[ENROL], unit[TEST])


def test_each_modality_alone_scores_by_its_cosine():
    np.testing.assert_allclose(scores("audio"), cosine(INPUTS.audio), atol=1e-6)
    np.testing.assert_allclose(scores("visual"), cosine(INPUTS.visual), atol=1e-6)


def test_averaging_and_concatenation_agree_where_nothing_is_missing():
    mean = (cosine(INPUTS.audio) + cosine(INPUTS.visual)) / 2
    np.testing.assert_allclose(scores("score_average"), mean, atol=1e-6)
    np.testing.assert_allclose(scores("concatenation"), mean, atol=1e-6)


def test_a_missing_modality_is_scored_by_the_other():
    missing = np.zeros(len(INPUTS), dtype=bool)
    missing[TEST[0]] = True
    damaged = type(INPUTS)(INPUTS.utterances, INPUTS.audio.without(missing), INPUTS.visual)
    assert np.isnan(scores("audio", damaged)[0])
    assert scores("score_average", damaged)[0] == pytest.approx(cosine(INPUTS.visual)[0], abs=1e-6)
    assert scores("concatenation", damaged)[0] == pytest.approx(cosine(INPUTS.visual)[0] / np.sqrt(2), abs=1e-6)
