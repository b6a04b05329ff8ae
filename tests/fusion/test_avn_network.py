import numpy as np
import pytest
import torch
import torch.nn.functional as F

from avsieve.fusion.avn_network import noise_covariance, square_root
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.pairs import TooFewError
from avsieve.fusion.settings import Fusion
from avsieve.fusion.training import train_fusion

from .made_up import make_people, new_model

PEOPLE, SPEAKERS = make_people("p", 20)
LABELS = np.repeat(np.arange(20), 9)
ROWS = np.arange(len(PEOPLE))


def made(**own):
    torch.manual_seed(3)
    network = new_model("avn_e", 24, 16, **{"length": 10, **own}).network
    network.start(PEOPLE, LABELS)
    return network


def rows_of(network, inputs=PEOPLE):
    audio, visual = network.batch(inputs, ROWS, ROWS)
    return network.audio_standard(audio), network.visual_standard(visual)


def test_it_is_its_formula_of_unit_vectors_in_scoring():
    network = made().eval()
    a, v = (F.normalize(torch.from_numpy(stream.pooled)) for stream in (PEOPLE.audio, PEOPLE.visual))
    with torch.no_grad():
        z = 1 / (1 + (-network.gate_logits(torch.cat([a, v], dim=1))).exp())
        expected = z * network.audio_projection(a).tanh() + (1 - z) * network.visual_projection(v).tanh()
        torch.testing.assert_close(network(*network.batch(PEOPLE, ROWS, ROWS)), expected)


def test_the_noise_has_the_covariance_of_how_a_person_varies_across_videos():
    rng = np.random.default_rng(0)
    scale = np.array([0.02, 0.05, 0.1, 0.01])
    people = np.repeat(F.normalize(torch.randn(300, 4, generator=torch.manual_seed(0))).numpy(), 8, axis=0)
    vectors = (people + scale * rng.standard_normal(people.shape)).astype(np.float32)
    labels, video = np.repeat(np.arange(300), 8), np.arange(2400) // 2
    # Unit vectors do not vary along themselves, so compare with what was computed by hand.
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    groups = unit.reshape(300, 8, 4)
    expected = np.mean([np.cov(g, rowvar=False) for g in groups], axis=0)
    found = noise_covariance(Stream(vectors, np.ones(2400, bool)), labels, video)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-9)
    drawn = rng.standard_normal((200_000, 4)) @ square_root(found)
    np.testing.assert_allclose(np.cov(drawn, rowvar=False), expected, atol=3e-2 * expected.max())


def test_people_in_one_video_and_missing_rows_do_not_count():
    video = np.array([u.rsplit("/", 1)[0] for u in PEOPLE.utterances])
    one_video = np.where(LABELS < 5, np.char.add("only", LABELS.astype(str)), video)
    rest = PEOPLE.of(np.flatnonzero(LABELS >= 5)).audio
    expected = noise_covariance(rest, LABELS[LABELS >= 5], video[LABELS >= 5])
    np.testing.assert_allclose(noise_covariance(PEOPLE.audio, LABELS, one_video), expected)
    np.testing.assert_allclose(noise_covariance(PEOPLE.audio.without(LABELS < 5), LABELS, video), expected)
    assert noise_covariance(PEOPLE.audio, LABELS, LABELS.astype(str)) is None


def test_training_perturbs_one_modality_of_a_share_of_the_rows_and_scoring_none():
    network = made(noisy=0.4, noise=3.0)
    changed = np.zeros(2)
    for _ in range(20):
        audio, visual = rows_of(network)
        noisy_audio, noisy_visual = network.augment(audio, visual)
        differ = [(a.pooled != b.pooled).any(dim=1) for a, b in ((audio, noisy_audio), (visual, noisy_visual))]
        assert not (differ[0] & differ[1]).any()
        changed += [float(d.float().mean()) / 20 for d in differ]
        torch.testing.assert_close(noisy_audio.pooled.norm(dim=1), torch.ones(len(ROWS)))
    assert changed == pytest.approx(0.2, abs=0.03)
    batches = network.batch(PEOPLE, ROWS, ROWS)
    with torch.no_grad():
        assert (network(*batches) != network(*batches)).any()
        network.eval()
        torch.testing.assert_close(network(*batches), network(*batches), rtol=0, atol=0)


def test_the_perturbation_is_as_large_as_was_asked_for():
    network = made(noisy=1.0, noise=0.1)  # small: the length of the embedding hides little of it
    covariance = network.audio_noise @ network.audio_noise
    expected = 0.1 * covariance.diagonal().sum().sqrt()
    audio, visual = rows_of(network)
    moved = (network.augment(audio, visual)[0].pooled - audio.pooled).norm(dim=1)
    assert moved[moved > 0].square().mean().sqrt() == pytest.approx(float(expected), rel=0.15)


def test_the_only_modality_of_a_row_is_not_perturbed():
    network = made(noisy=1.0)
    missing = ROWS % 2 == 0
    inputs = Inputs(PEOPLE.utterances, PEOPLE.audio, PEOPLE.visual.without(missing))
    audio, visual = rows_of(network, inputs)
    noisy_audio, noisy_visual = network.augment(audio, visual)
    alone = torch.from_numpy(missing)
    torch.testing.assert_close(noisy_audio.pooled[alone], audio.pooled[alone], rtol=0, atol=0)
    assert not noisy_visual.pooled[alone].any()
    assert ((noisy_audio.pooled != audio.pooled).any(dim=1) | (noisy_visual.pooled != visual.pooled).any(dim=1))[
        ~alone
    ].all()


def test_no_dropout_lies_on_the_gate_and_its_logits_learn_from_the_loss():
    network = made().train()
    rows = rows_of(network)
    first, again = network.gate(*rows), network.gate(*rows)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    (network(*network.batch(PEOPLE, ROWS, ROWS)) * torch.randn(len(ROWS), 10)).sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    assert network.gate_logits.weight.grad.abs().mean() > 1e-3


def test_the_noise_is_stored_with_the_model_and_fitted_to_the_list():
    state = made().state_dict()
    assert state["audio_noise"].shape == (24, 24)
    assert state["visual_noise"].shape == (16, 16)
    assert state["audio_noise"].diagonal().min() > 0


def test_a_list_of_one_video_each_cannot_train_it():
    rows = np.flatnonzero(np.char.find(np.array(PEOPLE.utterances), "/v0/") >= 0)
    model = new_model("avn_e", 24, 16)
    with pytest.raises(TooFewError, match="avn_e: no speaker of the list has audio embeddings in two videos"):
        train_fusion(
            model, PEOPLE.of(rows), [SPEAKERS[i] for i in rows], Fusion(), seed=0, device=torch.device("cpu")
        )  # fmt: skip
