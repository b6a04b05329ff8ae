import numpy as np
import pytest
import torch
import torch.nn.functional as F

from avsieve.errors import ConfigError, ModelError
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.registry import MODELS
from avsieve.fusion.sequences import FRAMES, HeldSequences
from avsieve.settings import filled

from .made_up import make_people, new_model

HEADS = ["vut_video_mean", "vut_video_scalar", "vut_video_fixed"]
PEOPLE, _ = make_people("p", 3)
COUNTS = PEOPLE.visual.sequences[FRAMES].counts
FIXED = {"vut_video_fixed": {"frames": 5}}


def made(name, **own):
    torch.manual_seed(3)
    network = new_model(name, 24, 16, **{"length": 10, **FIXED.get(name, {}), **own}).network
    network.draw()
    return network.eval()


def count(name, **own):
    return sum(p.numel() for p in new_model(name, 256, 512, **own).network.parameters())


def test_the_heads_have_as_many_parameters_as_their_layers():
    assert count("vut_video_mean") == count("vut_soft") == 395_778
    assert count("vut_video_scalar") == 395_778 + 512 + 1 + 513 * 512
    assert count("vut_video_fixed", frames=75) == 395_778 + 75 * (75 * 512 + 1) + 513 * 512


def rows_of(network, inputs=PEOPLE, rows=None):
    rows = np.arange(len(inputs)) if rows is None else rows
    audio, visual = network.batch(inputs, rows, rows)
    return network.audio_standard(audio), network.visual_standard(visual)


def soft_attention(network, a, v):
    w = network.attention(torch.cat([a, v])).exp()
    return (w[0] * network.audio_projection(a) + w[1] * network.visual_projection(v)) / w.sum()


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_its_formula_of_the_frames_that_exist(name):
    # One utterance at a time, with nothing padded: what the mask leaves of a batch must be that.
    network = made(name)
    with torch.no_grad():
        found = network(*network.batch(PEOPLE, np.arange(len(PEOPLE)), np.arange(len(PEOPLE))))
        for i in range(len(PEOPLE)):
            visual = network.batch(PEOPLE, np.array([i]), np.array([i]))[1]
            faces = F.normalize(visual.sequence[0][visual.mask[0]], dim=1)
            if name == "vut_video_mean":
                face = faces.mean(dim=0)
            else:
                if name == "vut_video_scalar":
                    scores = faces @ network.frame_score.weight[0] + network.frame_score.bias
                else:
                    n, row = len(faces), faces.flatten()
                    scores = network.frame_score.weight[:n, : len(row)] @ row + network.frame_score.bias[:n]
                weights = scores.exp() / scores.exp().sum()
                face = (weights[:, None] * network.frame_projection(faces)).sum(dim=0)
            voice = F.normalize(torch.from_numpy(PEOPLE.audio.pooled[i]), dim=0)
            torch.testing.assert_close(found[i], soft_attention(network, voice, F.normalize(face, dim=0)))
    assert 0 < (COUNTS < 5).sum() < len(COUNTS)  # some have fewer frames than the fixed number, others more


@pytest.mark.parametrize("name", HEADS)
def test_padding_changes_nothing(name):
    network = made(name)
    few = np.flatnonzero(COUNTS <= 4)
    with torch.no_grad():
        alone = network.fuse(*rows_of(network, rows=few))
        together = network.fuse(*rows_of(network))[few]
    torch.testing.assert_close(alone, together)


def test_the_number_of_frames_does_not_scale_the_face():
    # The source divides a weighted mean by T once more; the normalisation after it takes that away.
    network = made("vut_video_scalar")
    vectors = PEOPLE.visual.pooled[:, None]
    found = []
    for n in (1, 6):
        frames = HeldSequences(np.repeat(vectors, n, axis=1), np.ones((len(PEOPLE), n), bool))
        visual = Stream(PEOPLE.visual.pooled, PEOPLE.visual.present, {FRAMES: frames})
        found.append(network.encode(Inputs(PEOPLE.utterances, PEOPLE.audio, visual))[0].vectors)
    np.testing.assert_allclose(*found, atol=1e-6)


@pytest.mark.parametrize("name", HEADS)
def test_scoring_twice_gives_equal_bytes_and_training_draws_frames_of_a_fixed_number_only(name):
    network = made(name)
    np.testing.assert_array_equal(network.encode(PEOPLE)[0].vectors, network.encode(PEOPLE)[0].vectors)
    rows = np.arange(len(PEOPLE))
    drawn = [network.batch(PEOPLE, rows, rows, np.random.default_rng(seed))[1] for seed in (0, 1)]
    assert (drawn[0].sequence != drawn[1].sequence).any() == (name == "vut_video_fixed")
    for batch in drawn:
        assert (batch.start_s.diff(dim=1)[batch.mask[:, 1:]] > 0).all()  # in the order of time


@pytest.mark.parametrize("name", HEADS[1:])
def test_the_weights_of_frames_learn_from_the_loss(name):
    network = made(name).train()
    (network.fuse(*rows_of(network)) * torch.randn(len(PEOPLE), 10)).sum().backward()
    for parameter in network.parameters():
        assert parameter.grad is not None
    assert network.frame_score.weight.grad.abs().mean() > 1e-4
    assert network.frame_projection.weight.grad.abs().mean() > 1e-2
    assert network.attention.weight.grad.abs().mean() > 1e-3


@pytest.mark.parametrize("name", HEADS)
def test_a_missing_face_leaves_what_the_voice_says(name):
    network = made(name)
    gone = np.ones(len(PEOPLE), dtype=bool)
    one = Inputs(PEOPLE.utterances, PEOPLE.audio, PEOPLE.visual.without(gone))
    with torch.no_grad():
        found = network.fuse(*rows_of(network, one))
        expected = network.audio_projection(F.normalize(torch.from_numpy(PEOPLE.audio.pooled)))
    torch.testing.assert_close(found, expected)


def test_the_voice_is_that_of_the_utterance_or_of_its_centre():
    utterance, centre = (made("vut_video_mean", audio=audio) for audio in ("utterance", "centre"))
    assert "audio" not in utterance.readings
    swapped = Stream(PEOPLE.audio.pooled[::-1].copy(), PEOPLE.audio.present, PEOPLE.audio.sequences)
    other = Inputs(PEOPLE.utterances, swapped, PEOPLE.visual)
    with torch.no_grad():
        torch.testing.assert_close(centre(*rows_of(centre, other)), centre(*rows_of(centre)))
        assert (utterance(*rows_of(utterance, other)) != utterance(*rows_of(utterance))).any()
    without = Inputs(PEOPLE.utterances, Stream(PEOPLE.audio.pooled, PEOPLE.audio.present), PEOPLE.visual)
    with pytest.raises(ModelError, match="vut_video_mean reads the sequence centre of audio, found none"):
        centre.encode(without)
    with pytest.raises(ConfigError, match="vut_video_mean: audio 'middle'; expected `utterance` or `centre`"):
        filled(MODELS["vut_video_mean"].settings, {"audio": "middle"}, "vut_video_mean")


def test_inputs_without_frames_are_refused():
    pooled = Inputs(PEOPLE.utterances, PEOPLE.audio, Stream(PEOPLE.visual.pooled, PEOPLE.visual.present))
    with pytest.raises(ModelError, match="vut_video_scalar reads the sequence frames of visual, found none"):
        made("vut_video_scalar").encode(pooled)
