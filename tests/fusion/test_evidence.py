from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from avsieve.errors import ModelError
from avsieve.evaluation.metrics import summarise
from avsieve.fusion.checkpoint import Trained, load_fusion, save_fusion
from avsieve.fusion.evidence_network import EvidenceNetwork
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.modality_evidence import ModalityEvidence, Sides
from avsieve.fusion.pairs import TooFewError
from avsieve.fusion.registry import MODELS

from .made_up import make_people, new_model

CPU = torch.device("cpu")
TRAIN, SPEAKERS = make_people("train", 60, seed=1)
TEST, NAMES = make_people("test", 20, seed=2)
ENROL, AGAINST = np.triu_indices(len(TEST), 1)
IS_TARGET = np.array([NAMES[e] == NAMES[t] for e, t in zip(ENROL, AGAINST, strict=True)])


def fitted(inputs=TRAIN, speakers=SPEAKERS, seed=0, **own):
    model = new_model("evidence", inputs.audio.dim, inputs.visual.dim, **own)
    model.fit(inputs, speakers, seed=seed, device=CPU)
    return model


@pytest.fixture(scope="module")
def model():
    return fitted()


def scores(model, inputs=TEST, enrol=ENROL, test=AGAINST):
    return model.score(model.encode(inputs), enrol, test)


def bare(b, sizes):
    """Return a modality with calibration off."""
    found = ModalityEvidence(int(sum(sizes)), 2)
    found.b[: len(b)] = torch.tensor(b, dtype=torch.float64)
    found.sizes.zero_()[: len(sizes)] = torch.tensor(sizes, dtype=torch.float64)
    return found


def sides_of(z1, z2, b, sizes):
    """Sum products over groups; measures are zero."""
    member = np.zeros((sum(sizes), len(sizes)))
    member[np.arange(sum(sizes)), np.repeat(np.arange(len(sizes)), sizes)] = 1
    products = (torch.from_numpy((x * y)[None] @ member) for x, y in ((z1, z1), (z2, z2), (z1, z2)))
    measures = [torch.zeros(1, 2, dtype=torch.float64) for _ in range(2)]
    return Sides(*products, *measures, torch.tensor(b, dtype=torch.float64), torch.tensor(sizes, dtype=torch.float64))


@pytest.mark.parametrize("noises", [(1.0, 1.0), (0.3, 2.5), (7.0, 0.9)])
def test_the_ratio_is_that_of_two_gaussians(noises):
    b, sizes, rng = [3.0, 0.5], [2, 3], np.random.default_rng(0)
    spread = np.repeat(b, sizes)
    z = rng.standard_normal((2, 5))
    z = [x * np.sqrt(5 / np.sum(x**2 / (spread + n))) for x, n in zip(z, noises, strict=True)]
    same = np.block([[np.diag(spread + noises[0]), np.diag(spread)], [np.diag(spread), np.diag(spread + noises[1])]])
    apart = np.diag(np.diag(same))
    both = np.concatenate(z)
    direct = multivariate_normal(cov=same).logpdf(both) - multivariate_normal(cov=apart).logpdf(both)
    n1, n2 = (torch.tensor([n], dtype=torch.float64) for n in noises)
    found = bare(b, sizes).ratio(sides_of(*z, b, sizes), (n1, n2)).detach()
    assert float(found) == pytest.approx(direct, abs=1e-9)


def test_what_is_noise_alone_says_nothing():
    found, rng = bare([2.0], [6]), np.random.default_rng(0)
    with torch.no_grad():
        found.numbers[3] = 1.5  # an offset, which has to fade as well
    sides = sides_of(*rng.standard_normal((2, 6)), [2.0], [6])
    fine = torch.ones(1, dtype=torch.float64)
    ratios = [float(found.ratio(sides, (fine, n * fine)).detach()) for n in (1.0, 1e3, 1e9)]
    assert abs(ratios[0]) > 0.3
    assert abs(ratios[1]) < abs(ratios[0]) / 5
    assert ratios[2] == pytest.approx(0.0, abs=1e-4)


def test_negative_evidence_is_bounded_by_the_doubt(model):
    voice = model.network.audio
    length = np.zeros((1, 2))
    z = np.r_[np.ones(12), np.zeros(12)] * 1e3
    opposite = sides_of(z, -z, [5.0], [24])
    assert (length == opposite.enrol_measures.numpy()).all()
    pi = 1 - torch.sigmoid(-voice.numbers[4]) ** 2
    found = bare([5.0], [24])
    with torch.no_grad():
        found.numbers[4] = voice.numbers[4]
        assert float(found.ratio(opposite)) < -30
        assert float(found.evidence(opposite)) == pytest.approx(float(torch.log(pi)), abs=1e-6)


def test_the_worse_a_measure_the_weaker_the_evidence():
    found = bare([2.0], [4])
    quality = torch.tensor([[0.0, -3.0], [0.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    noise = found.noise(quality).detach().numpy()
    assert noise[0] > noise[1] > noise[2]
    assert noise[1] == pytest.approx(1.0)


def test_it_beats_the_average_on_other_people_and_is_calibrated(model):
    average = MODELS["score_average"]()
    mine, others = (summarise(scores(m), IS_TARGET)["eer"] for m in (model, average))
    assert mine < 0.6 * others
    ratio = scores(model).astype(np.float64)
    cost = np.logaddexp(0, -ratio[IS_TARGET]).mean() + np.logaddexp(0, ratio[~IS_TARGET]).mean()
    assert cost / 2 / np.log(2) < 4 * mine + 0.02


def test_a_score_is_the_sum_of_both_modalities_and_one_alone_is_its_own_evidence(model):
    everyone = np.ones(len(TEST), dtype=bool)
    voice = scores(model, Inputs(TEST.utterances, TEST.audio, TEST.visual.without(everyone)))
    face = scores(model, Inputs(TEST.utterances, TEST.audio.without(everyone), TEST.visual))
    np.testing.assert_allclose(scores(model), voice + face, atol=1e-4)
    half = np.arange(len(TEST)) % 2 == 0
    mixed = scores(model, Inputs(TEST.utterances, TEST.audio, TEST.visual.without(half)))
    lacks = half[ENROL] | half[AGAINST]
    np.testing.assert_array_equal(mixed[lacks], voice[lacks])
    np.testing.assert_array_equal(mixed[~lacks], scores(model)[~lacks])


def test_sides_with_nothing_in_common_have_no_score(model):
    first = np.arange(len(TEST)) < 10
    crossed = Inputs(TEST.utterances, TEST.audio.without(first), TEST.visual.without(~first))
    found = scores(model, crossed, np.array([0, 0, 15]), np.array([15, 1, 16]))
    assert np.isnan(found).tolist() == [True, False, False]


def test_the_order_of_the_sides_does_not_matter(model):
    np.testing.assert_array_equal(scores(model), scores(model, enrol=AGAINST, test=ENROL))


def test_a_score_does_not_depend_on_the_other_trials(model):
    rows = np.arange(len(ENROL) - 7, len(ENROL))
    alone = scores(model, enrol=ENROL[rows], test=AGAINST[rows])
    np.testing.assert_allclose(alone, scores(model)[rows], atol=2e-6)


def test_a_saved_model_gives_equal_scores(tmp_path, model):
    save_fusion(tmp_path / "m", Trained(model, "all", 0, [], {}))
    found = load_fusion(tmp_path / "m").model
    np.testing.assert_array_equal(scores(found), scores(model))
    assert found.own == model.own


def test_equal_seeds_give_equal_models_and_others_other_pairs(model):
    again, other = fitted(), fitted(seed=1)
    np.testing.assert_array_equal(scores(again), scores(model))
    assert not torch.equal(again.network.audio.numbers, other.network.audio.numbers)


def test_quality_measures_make_the_noisy_count_less():
    rng = np.random.default_rng(3)

    def noisy(inputs):
        size = rng.choice([0.3, 3.0], len(inputs))
        loud = inputs.visual.pooled + size[:, None] * rng.standard_normal(inputs.visual.pooled.shape)
        measures = {"quality": (-np.log(size)).astype(np.float32), "n_faces": np.full(len(inputs), 5, np.float32)}
        return Inputs(
            inputs.utterances,
            inputs.audio,
            Stream(loud.astype(np.float32), inputs.visual.present, measures=measures),
        ), size

    told, test = noisy(TRAIN)[0], noisy(TEST)
    face = fitted(told).network.visual
    weights = face.numbers[6:].abs().detach().numpy()
    assert weights[1] > 3 * weights[0]  # the number of faces, which tells nothing, keeps its first weight
    blind = Inputs(told.utterances, told.audio, Stream(told.visual.pooled, told.visual.present))
    seen, unseen = (
        summarise(scores(fitted(x), y), IS_TARGET)["eer"]
        for x, y in (
            (told, test[0]),
            (blind, Inputs(TEST.utterances, TEST.audio, Stream(test[0].visual.pooled, test[0].visual.present))),
        )
    )
    assert seen < unseen


def test_few_people_are_refused_in_a_line():
    with pytest.raises(TooFewError, match="speakers with audio embeddings"):
        fitted(*make_people("few", 6))
    with pytest.raises(TooFewError, match="visual embeddings"):
        fitted(Inputs(TRAIN.utterances, TRAIN.audio, TRAIN.visual.without(np.ones(len(TRAIN), dtype=bool))))
    with pytest.raises(TooFewError):
        fitted(*make_people("once", 40, videos=1))


def test_a_list_of_a_few_dozen_people_is_enough():
    model = fitted(*make_people("small", 28, videos=4))
    assert summarise(scores(model), IS_TARGET)["eer"] < summarise(scores(MODELS["score_average"]()), IS_TARGET)["eer"]


def test_embeddings_of_one_modality_alone_or_of_other_lengths_are_refused(model):
    with pytest.raises(ModelError, match="needs both modalities"):
        EvidenceNetwork(24, 0, 8)
    with pytest.raises(ModelError, match="lengths"):
        model.encode(make_people("other", 2, dims=(20, 16))[0])
