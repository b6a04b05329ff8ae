import numpy as np
import pytest
import torch

from avsieve.errors import ModelError
from avsieve.evaluation.metrics import eer, error_rates
from avsieve.evaluation.trial_maker import make_trials
from avsieve.fusion import calibrated_network, measures, pairs
from avsieve.fusion.baselines import ScoreAverage
from avsieve.fusion.checkpoint import Trained, load_fusion, save_fusion
from avsieve.fusion.inputs import Inputs, Stream

from .made_up import make_people, new_model

NAMES = ("score_weighted", "calibrated", "calibrated_qmf")
# Voices tell people worse than faces do.
TRAIN, SPEAKERS = make_people("train", 60, seed=1, videos=4, audio_noise=2.5, visual_noise=1.2)
TEST, _ = make_people("test", 60, seed=2, videos=4, audio_noise=2.5, visual_noise=1.2)
TRIALS = make_trials(TEST.utterances, max_targets=5000)


def fitted(name, inputs=TRAIN, speakers=SPEAKERS, seed=0):
    model = new_model(name, inputs.audio.dim, inputs.visual.dim)
    history = model.fit(inputs, speakers, seed=seed, device=torch.device("cpu"))
    return model, history


def scores_of(model, inputs=TEST):
    return model.score(model.encode(inputs), TRIALS.enrol, TRIALS.test)


def eer_of(scores, trials=TRIALS):
    return eer(error_rates(scores, trials.is_target))


def cllr(scores):
    """Return the cost of log-likelihood ratios in bits (Brümmer and du Preez, 2006): 1 is knowing nothing."""
    return (
        np.logaddexp(0, -scores[TRIALS.is_target]).mean() + np.logaddexp(0, scores[~TRIALS.is_target]).mean()
    ) / np.log(4)


def without(inputs, audio=None, visual=None):
    nothing = np.zeros(len(inputs), bool)
    return Inputs(
        inputs.utterances,
        inputs.audio.without(nothing if audio is None else audio),
        inputs.visual.without(nothing if visual is None else visual),
    )


@pytest.mark.parametrize("name", ["calibrated", "calibrated_qmf"])
def test_scores_are_log_likelihood_ratios_of_people_never_seen(name):
    model, (before, after) = fitted(name)
    assert after < before
    scores = scores_of(model)
    found = cllr(scores)
    assert found < 0.7
    # Neither stretching nor shifting them makes them much better.
    others = [cllr(scale * scores + shift) for scale in (0.7, 1.0, 1.4) for shift in (-0.7, 0.0, 0.7)]
    assert found < min(others) + 0.02


def test_what_tells_more_weighs_more():
    average = eer_of(scores_of(ScoreAverage()))
    for name in NAMES:
        model, _ = fitted(name)
        w = model.network.weights["both"][:2].detach().numpy()
        assert w[1] > 1.2 * w[0]
        assert eer_of(scores_of(model)) < average


def test_trials_that_lack_a_modality_share_the_threshold():
    gone = np.random.default_rng(0).random(len(TEST)) < 0.4
    damaged = without(TEST, audio=gone & (np.arange(len(TEST)) % 2 == 0), visual=gone & (np.arange(len(TEST)) % 2 == 1))
    model, _ = fitted("calibrated")
    scores, plain = scores_of(model, damaged), scores_of(ScoreAverage(), damaged)
    known = ~np.isnan(scores)
    assert (known == ~np.isnan(plain)).all()
    assert 0 < (~known).sum() < len(known)
    rates = [eer(error_rates(x[known], TRIALS.is_target[known])) for x in (scores, plain)]
    assert rates[0] < rates[1]
    alone = without(TEST, visual=np.ones(len(TEST), bool))
    rows = np.flatnonzero(~np.isnan(scores_of(model, alone)))
    w = model.network.weights["audio"].detach().numpy()
    cosine = scores_of(ScoreAverage(), alone)[rows]
    np.testing.assert_allclose(scores_of(model, alone)[rows], w[0] * cosine + w[1], atol=1e-4)


def noisy(inputs, seed):
    """Return half of the utterances with noisier voices, which their durations tell."""
    rng = np.random.default_rng(seed)
    bad = rng.random(len(inputs)) < 0.5
    pooled = inputs.audio.pooled + 1.5 * bad[:, None] * rng.normal(size=inputs.audio.pooled.shape)
    durations = np.where(bad, 1.0, 8.0) * np.exp(0.1 * rng.normal(size=len(inputs)))
    audio = Stream(
        pooled.astype(np.float32), inputs.audio.present, measures={"duration_s": durations.astype(np.float32)}
    )
    return Inputs(inputs.utterances, audio, inputs.visual)


def test_quality_helps_where_it_tells():
    train, test = noisy(TRAIN, 3), noisy(TEST, 4)
    plain, quality = (scores_of(fitted(name, train)[0], test) for name in ("calibrated", "calibrated_qmf"))
    assert cllr(quality) < cllr(plain)


def test_measures_that_nobody_has_change_nothing():
    flat = Inputs(TRAIN.utterances, *(Stream(s.pooled / np.linalg.norm(s.pooled, axis=1, keepdims=True), s.present)
                                      for s in (TRAIN.audio, TRAIN.visual)))  # fmt: skip
    plain, quality = (fitted(name, flat)[0].network.weights["both"].detach() for name in NAMES[1:])
    torch.testing.assert_close(quality[:2], plain[:2], rtol=1e-3, atol=1e-3)
    assert not quality[2:-1].any()


@pytest.mark.parametrize("name", NAMES)
def test_enrolment_and_test_may_change_places_and_a_file_keeps_the_scores(name, tmp_path):
    model, _ = fitted(name)
    encoded, scores = model.encode(TEST), scores_of(model)
    np.testing.assert_array_equal(model.score(encoded, TRIALS.test, TRIALS.enrol), scores)
    save_fusion(tmp_path / "m.safetensors", Trained(model, "all", 0, [], {}))
    np.testing.assert_array_equal(scores_of(load_fusion(tmp_path / "m.safetensors").model), scores)
    np.testing.assert_array_equal(scores_of(fitted(name)[0]), scores)


def test_embeddings_of_another_encoder_are_refused():
    model, _ = fitted("calibrated")
    other, _ = make_people("x", 3, dims=(5, 16))
    with pytest.raises(ModelError, match=r"calibrated: embeddings of lengths \(5, 16\), the model was trained on"):
        model.encode(other)


def test_a_list_is_fitted_by_the_block_to_the_same_numbers(monkeypatch):
    voices = np.random.default_rng(0).random(len(TRAIN)) < 0.1
    inputs = without(TRAIN, audio=voices)
    whole, losses = fitted("calibrated_qmf", inputs)
    sizes = []
    unit = calibrated_network.Part.of
    monkeypatch.setattr(calibrated_network.Part, "of", lambda *given: sizes.append(len(given[0])) or unit(*given))
    for module in (calibrated_network, measures, pairs):
        monkeypatch.setattr(module, "_BLOCK", 7)
    blocks, again = fitted("calibrated_qmf", inputs)
    assert max(sizes) == 14  # both sides of seven pairs
    np.testing.assert_allclose(again, losses, rtol=1e-9)
    for name, weights in whole.network.weights.items():
        torch.testing.assert_close(blocks.network.weights[name], weights, rtol=1e-6, atol=1e-8)
