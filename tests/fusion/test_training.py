import functools

import numpy as np
import pandas as pd
import pytest
import torch

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import AvsieveError, ModelError
from avsieve.evaluation.metrics import summarise
from avsieve.evaluation.scoring import mean_of_cosines
from avsieve.fusion.base import NeuralModel
from avsieve.fusion.checkpoint import Trained, load_fusion, save_fusion
from avsieve.fusion.discriminant import discriminant_directions
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.neural import Standardise
from avsieve.fusion.pairs import labels_of
from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import TRAINED, Fusion
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.fusion.training import train_fusion, train_on_list
from avsieve.storage.tables import write_table

from .made_up import QUICK, both, make_people, new_model

NEURAL = [name for name in TRAINED if issubclass(MODELS[name], NeuralModel)]
NETWORKS = {name: new_model(name, 4, 3, dim=5).network for name in NEURAL}
FROM_DATA = [name for name in NEURAL if NETWORKS[name].from_data]
GATES = [name for name in NEURAL if hasattr(NETWORKS[name], "gate")]
CPU = torch.device("cpu")
TRAIN, SPEAKERS = make_people("train", 24, seed=1)
MANY, NAMES = make_people("train", 80, seed=1)  # for what starts at random
TEST, _ = make_people("test", 12, seed=2)
SHORT = Fusion(epochs=12)


def trained(name, settings=SHORT, seed=0, inputs=TRAIN, speakers=SPEAKERS, **own):
    torch.manual_seed(seed)
    model = new_model(name, inputs.audio.dim, inputs.visual.dim, dim=32, **QUICK.get(name, {}) | own)
    train_fusion(model, inputs, speakers, settings, seed=seed, device=CPU)
    return model


def error_rate(model, inputs=TEST):
    enrol, test = np.triu_indices(len(inputs), 1)
    target = np.array([inputs.utterances[e][:6] == inputs.utterances[t][:6] for e, t in zip(enrol, test, strict=True)])
    return summarise(mean_of_cosines(model.encode(inputs), enrol, test), target)["eer"]


@functools.cache
def good(name):
    return trained(name) if name in FROM_DATA else trained(name, inputs=MANY, speakers=NAMES)


@pytest.fixture(params=NEURAL)
def model(request):
    return good(request.param)


def test_a_trained_model_beats_each_modality_on_other_people(model):
    alone = [error_rate(MODELS[name]()) for name in ("audio", "visual")]
    assert error_rate(model) < 0.8 * min(alone)


@pytest.mark.parametrize("name", FROM_DATA)
def test_before_training_a_model_is_no_worse_than_the_concatenation(name):
    start = new_model(name, 24, 16, dim=40)
    start.network.start(TRAIN, labels_of(SPEAKERS)[1])
    assert error_rate(start) < error_rate(MODELS["concatenation"]()) + 0.005


def test_it_does_not_collapse(model):
    vectors = model.encode(TEST)[0].vectors
    spread = np.linalg.eigvalsh(np.cov(vectors, rowvar=False))
    effective = spread.sum() ** 2 / np.square(spread).sum()
    positive = (vectors >= 0).all()  # a ReLU ends it, and no cosine is below 0
    assert effective > (5 if positive else 8)
    assert np.abs(vectors @ vectors.T).mean() < (0.75 if positive else 0.5)


def test_an_embedding_does_not_depend_on_its_batch(model):
    together = model.encode(TEST)[0].vectors
    np.testing.assert_allclose(model.network.encode(TEST, batch_size=7)[0].vectors, together, atol=1e-5)


def test_one_utterance_under_two_names_has_one_embedding_to_the_bit(model):
    twice = np.tile(np.arange(len(TEST)), 2)
    names = [*TEST.utterances, *(f"again/{u}" for u in TEST.utterances)]
    found = model.network.encode(Inputs(names, TEST.audio.of(twice), TEST.visual.of(twice)), batch_size=50)[0].vectors
    np.testing.assert_array_equal(found[: len(TEST)], found[len(TEST) :])
    assert len(np.unique(found, axis=0)) == len(TEST)


def test_utterances_without_one_modality_are_still_recognised_and_without_both_are_absent(model):
    missing = np.arange(len(TEST)) % 3 == 0
    one = Inputs(TEST.utterances, TEST.audio, TEST.visual.without(missing))
    assert model.encode(one)[0].present.all()
    assert error_rate(model, one) < 0.3
    none = Inputs(TEST.utterances, TEST.audio.without(missing), TEST.visual.without(missing))
    assert (model.encode(none)[0].present == ~missing).all()


@pytest.mark.parametrize("name", GATES)
def test_the_gate_is_closed_to_a_missing_modality(name):
    network = good(name).network
    rows = torch.randn(5, 24), torch.randn(5, 16)
    yes, no = torch.ones(5, dtype=torch.bool), torch.zeros(5, dtype=torch.bool)
    with torch.no_grad():
        assert (network.gate(*both(*rows, yes, no)) == 1).all()
        assert (network.gate(*both(*rows, no, yes)) == 0).all()
        open_gate = network.gate(*both(*rows, yes, yes))
    assert open_gate.std() > 0
    assert ((open_gate > 0) & (open_gate < 1)).all()


@pytest.mark.parametrize("name", GATES)
def test_the_gate_depends_on_its_input_in_scoring_as_in_training(name):
    # Skipping the normalisation in scoring would leave the gate at a constant.
    network = trained("gated", Fusion(epochs=40, l2_sp=0.0)).network if name == "gated" else good(name).network
    with torch.no_grad():
        audio = network.audio_standard(StreamBatch.of(TEST.audio, np.arange(len(TEST)), CPU))
        visual = network.visual_standard(StreamBatch.of(TEST.visual, np.arange(len(TEST)), CPU))
        scoring = network.gate(audio, visual)
        state = {key: tensor.clone() for key, tensor in network.state_dict().items()}
        training = network.train().gate(audio, visual)
        network.load_state_dict(state)
        network.eval()
    assert scoring.std(dim=0).mean() > 0.5 * training.std(dim=0).mean() > 0.005


@pytest.mark.parametrize("name", NEURAL)
def test_equal_seeds_give_equal_bytes_and_other_seeds_others(tmp_path, name):
    for file, seed in (("a", 3), ("b", 3), ("c", 4)):
        own = {} if name in FROM_DATA else {"epochs": 2}
        model = trained(name, seed=seed, **own)
        save_fusion(tmp_path / file, Trained(model, "all", seed, ["x", "y"], {"k": 1, "a": 2}))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


@pytest.mark.parametrize("name", [name for name in NEURAL if name not in FROM_DATA])
def test_what_starts_at_random_starts_as_the_seed_of_its_training_says(name):
    found = []
    for state in (1, 2):
        torch.manual_seed(state)
        model = new_model(name, 24, 16, **QUICK.get(name, {}) | {"epochs": 1})
        train_fusion(model, TRAIN, SPEAKERS, SHORT, seed=5, device=CPU)
        found.append(model.encode(TEST)[0].vectors)
    np.testing.assert_array_equal(*found)


def test_a_recipe_of_its_own_stands_above_that_of_all_and_in_the_record(tmp_path):
    for name, stream in TRAIN.streams.items():
        write_embeddings(tmp_path / f"{name}.parquet", TRAIN.utterances, stream.pooled)
    lines = [f"{s} {u}.wav 1.0\n" for s, u in zip(SPEAKERS, TRAIN.utterances, strict=True)]
    (tmp_path / "list").write_text("".join(lines))
    write_table(tmp_path / "plan.parquet", pd.DataFrame({"utterance": TRAIN.utterances, "held_out": False}))
    for name, own in (("baffn_gated", {"pairs": 100, "epochs": 1, "loss": "ce + 0.2 centre"}), ("linear", {})):
        kind = MODELS[name]
        train_on_list(
            kind, kind.settings(**own), Fusion(epochs=2), train_list=tmp_path / "list", list_name="all",
            plan=tmp_path / "plan.parquet", audio=[tmp_path / "audio.parquet"], visual=[tmp_path / "visual.parquet"],
            out={0: tmp_path / name}, device=CPU,
        )  # fmt: skip
    found = load_fusion(tmp_path / "baffn_gated")
    recipe = found.facts["recipe"]
    assert (recipe["epochs"], recipe["pairs"], recipe["loss"]) == (1, 100, "ce + 0.2 centre")
    assert found.model.network.dim == found.model.own.length == 1024
    plain = load_fusion(tmp_path / "linear").facts["recipe"]
    assert plain == Fusion(epochs=2).model_dump(exclude={"models", "seeds", "dim", "twins"})


@pytest.mark.parametrize("loss", ["ce", "am", "aam", "ce + 0.2 centre", "0.6 ce + 0.4 centre", "aam + centre"])
def test_every_loss_falls(loss):
    model = new_model("baffn_gated", 24, 16, **QUICK["baffn_gated"] | {"loss": loss, "epochs": 4, "scale": 15.0})
    history = train_fusion(model, TRAIN, SPEAKERS, Fusion(), seed=0, device=CPU)
    assert len(history) == 4
    assert history[-1] < 0.8 * history[0]


def test_voices_and_faces_are_paired_anew_within_a_speaker_only(monkeypatch):
    seen = []
    forward = StreamBatch.of.__func__

    def note(cls, stream, rows, *others):
        seen.append((stream is TRAIN.audio, rows))
        return forward(cls, stream, rows, *others)

    model = new_model("baffn_gated", 24, 16, **QUICK["baffn_gated"] | {"pairs": 300, "epochs": 1})
    monkeypatch.setattr(StreamBatch, "of", classmethod(note))
    train_fusion(model, TRAIN, SPEAKERS, SHORT, seed=0, device=CPU)
    voices, faces = (
        np.concatenate([rows for is_audio, rows in seen if is_audio == wanted]) for wanted in (True, False)
    )
    assert len(voices) == 300
    assert (np.array(SPEAKERS)[voices] == np.array(SPEAKERS)[faces]).all()
    assert (voices != faces).mean() > 0.7


def test_embeddings_of_another_encoder_are_refused(model):
    other, _ = make_people("x", 3, dims=(20, 16))
    with pytest.raises(ModelError, match=r"lengths \(20, 16\), the model was trained on \(24, 16\)"):
        model.encode(other)


def test_a_trained_fusion_needs_both_modalities():
    with pytest.raises(ModelError, match="needs both modalities"):
        new_model("gated", 24, 0)


def test_a_list_of_one_speaker_cannot_train():
    with pytest.raises(AvsieveError, match="216 utterances of 1 speakers"):
        trained("linear", speakers=["one"] * len(TRAIN))


def test_rows_without_any_modality_are_left_out_of_training():
    gone = np.zeros(len(TRAIN), dtype=bool)
    gone[:9] = True  # the first speaker
    inputs = Inputs(TRAIN.utterances, TRAIN.audio.without(gone), TRAIN.visual.without(gone))
    history = train_fusion(new_model("linear", 24, 16), inputs, SPEAKERS, Fusion(epochs=2), seed=0, device=CPU)
    assert np.isfinite(history).all()


def test_training_lowers_the_loss():
    model = new_model("gated", 24, 16)
    noisy, speakers = make_people("n", 20, audio_noise=2.0, visual_noise=2.0)
    history = train_fusion(
        model, noisy, speakers, Fusion(epochs=30, margin=0.0, l2_sp=0.0, drop_modality=0.0), seed=0, device=CPU
    )
    assert history[-1] < 0.7 * history[0]


def test_centring_gives_both_modalities_one_length_and_absent_rows_none():
    standard = Standardise(3, length=2.0)
    present = np.array([True, True, True, False])
    pooled = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 5], [9, 9, 9]], dtype=np.float32)
    side = Stream(pooled, present)
    standard.fit(side)
    out = standard(StreamBatch.of(side, np.arange(4), CPU)).pooled
    torch.testing.assert_close(standard.mean, torch.full((3,), 1 / 3))
    torch.testing.assert_close(out.norm(dim=1), torch.tensor([2.0, 2.0, 2.0, 0.0]))


def test_discriminant_directions_prefer_what_people_differ_in():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(60), 10)
    between, within = np.array([2.0, 1.0, 0.1, 0.1]), np.array([0.2, 0.2, 3.0, 0.2])
    data = rng.standard_normal((60, 4))[labels] * between + rng.standard_normal((600, 4)) * within
    rows = discriminant_directions(data, labels, 2)
    assert np.abs(rows).argmax(axis=1).tolist() == [0, 1]  # not 2, which varies most of all
    projected = (data - data.mean(axis=0)) @ rows.T
    means = np.stack([projected[labels == c].mean(axis=0) for c in range(60)])[labels]
    assert means.var() > 10 * (projected - means).var()


def test_discriminant_directions_of_few_utterances_leave_the_cosine_alone():
    rng = np.random.default_rng(0)
    rows = discriminant_directions(rng.standard_normal((12, 40)), np.repeat(np.arange(6), 2), 40)
    size = np.linalg.svd(rows, compute_uv=False)
    assert size.max() < 1.5 * size.min()


def test_more_directions_than_there_are_stay_zero():
    rows = discriminant_directions(np.random.default_rng(0).standard_normal((50, 4)), np.repeat(np.arange(10), 5), 6)
    assert rows.shape == (6, 4)
    assert not rows[4:].any()


def test_classes_are_ranks_of_the_speakers_present():
    names, labels = labels_of(["c", "a", "c"])
    assert names == ["a", "c"]
    assert labels.tolist() == [1, 0, 1]
