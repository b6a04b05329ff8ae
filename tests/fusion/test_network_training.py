import csv
import json
import os
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.errors import ConfigError, ModelError
from avsieve.fusion import paired_batches
from avsieve.fusion.checkpoint import left_out, load_fusion
from avsieve.fusion.network_training import epoch_losses, train_network
from avsieve.fusion.paired_batches import PairedBatches
from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import Fusion
from avsieve.fusion.training import train_on_list
from avsieve.fusion.validation import FusionValidation
from avsieve.storage.tables import write_table
from avsieve.training.devices import Machine, start
from avsieve.training.loop import Keeping
from avsieve.wiring.flags import flags

from .made_up import make_people, new_model

PEOPLE, SPEAKERS = make_people("p", 23)  # 207 utterances: batches of 34 and 35
SETTINGS = Fusion(epochs=4, batch_size=32, dim=16)
STEPS = 24


def trained(settings=SETTINGS, name="gated", inputs=PEOPLE, speakers=SPEAKERS, own=None, **keeping):
    torch.manual_seed(1)
    model = new_model(name, 24, 16, dim=settings.dim, **own or {})
    fabric = start(Machine("cpu", precision=settings.precision))
    course = train_network(
        model, inputs, speakers, settings, seed=1, fabric=fabric, keeping=Keeping(**{"log_every": 4} | keeping)
    )
    return model, course


def same(one, two):
    states = (model.network.state_dict() for model in (one, two))
    return all(torch.equal(a, b) for a, b in zip(*(state.values() for state in states), strict=True))


def broken_off_at(step, monkeypatch):
    get = PairedBatches.__getitem__

    def get_or_stop(self, wanted):
        if wanted == step:
            raise KeyboardInterrupt
        return get(self, wanted)

    monkeypatch.setattr(PairedBatches, "__getitem__", get_or_stop)


@pytest.mark.parametrize("stop", [9, 17])
def test_a_training_that_was_broken_off_resumes_to_the_same_weights_and_log(tmp_path, monkeypatch, stop):
    settings = SETTINGS.model_copy(
        update={"validation": type(SETTINGS.validation)(speakers=0.3, every=2, keep="best"), "l2_sp": 1.0}
    )
    own = {"dropout": 0.3, "pairs": 150, "drop_modality": 0.4, "length": 16, "epochs": 4}
    how = {"settings": settings, "name": "baffn_gated", "own": own}
    whole, course = trained(**how, log=tmp_path / "whole.csv")
    state = {"checkpoint": tmp_path / "state", "checkpoint_every": 1, "log": tmp_path / "broken.csv"}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        broken_off_at(min(stop, course.facts["steps"] - 1), patch)
        trained(**how, **state)
    assert state["checkpoint"].is_file()
    resumed, again = trained(**how, **state)
    assert same(whole, resumed)
    assert (again.rows, again.losses, again.facts) == (course.rows, course.losses, course.facts)
    assert (tmp_path / "broken.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_what_another_training_left_is_refused(tmp_path, monkeypatch):
    state = {"checkpoint": tmp_path / "state", "checkpoint_every": 1}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        broken_off_at(9, patch)
        trained(**state)
    with pytest.raises(ModelError, match=r"gated: .*left by a training with another recipe"):
        trained(SETTINGS.model_copy(update={"margin": 0.1}), **state)
    with pytest.raises(ModelError, match="left by a training with another recipe"):
        trained(speakers=[*SPEAKERS[:-1], SPEAKERS[0]], **state)


def test_batches_that_are_read_ahead_train_the_same_network(monkeypatch):
    plain, _ = trained()
    monkeypatch.setattr(paired_batches, "_LARGE", 0)
    assert same(plain, trained()[0])


def test_the_best_epoch_is_kept_where_a_validation_finds_it(monkeypatch):
    measured = iter([0.3, 0.1, 0.2, 0.4])
    states = []

    def eer(self, fabric, network):
        states.append({name: value.clone() for name, value in network.state_dict().items()})
        return next(measured)

    monkeypatch.setattr(FusionValidation, "eer", eer)
    watched = SETTINGS.model_copy(update={"validation": type(SETTINGS.validation)(speakers=0.3, keep="best")})
    model, course = trained(watched, log_every=100)
    assert all(torch.equal(value, states[1][name]) for name, value in model.network.state_dict().items())
    steps = course.facts["steps"] // 4
    assert [row[0] for row in course.rows] == [steps, 2 * steps, 3 * steps, 4 * steps]
    found = course.facts["validation"]
    assert (found["best_step"], found["best_eer"], found["last_eer"], found["keep"]) == (2 * steps, 0.1, 0.4, "best")


def test_a_validation_measures_other_people_and_learns_nothing_from_them():
    watched = SETTINGS.model_copy(update={"validation": type(SETTINGS.validation)(speakers=0.3)})
    model, course = trained(watched)
    found = course.facts["validation"]
    assert 2 <= found["speakers"] < 12
    assert found["utterances"] == 3 * found["speakers"]  # one of each video
    assert 0 <= found["last_eer"] < 0.3
    unseen = trained()[0]
    assert not torch.equal(model.network.audio_standard.mean, unseen.network.audio_standard.mean)
    with pytest.raises(ConfigError, match=r"holds out \d+ of 23 speakers; expected at least 2"):
        trained(SETTINGS.model_copy(update={"validation": type(SETTINGS.validation)(speakers=0.999)}))


def test_the_losses_of_epochs_are_the_means_of_their_rows():
    rows = [[2.0, 1.0, 0, 0, 0], [3.0, 4.0, 0, 0, 0], [6.0, 0.5, 0, 0, 0]]
    assert epoch_losses(rows, 3) == pytest.approx([2.0, 0.5])


def test_a_network_may_ask_for_rates_of_its_own(monkeypatch):
    network = type(new_model("gated", 24, 16).network)
    slow = [
        ("audio_projection", 1e-6),
        ("visual_projection", 1.0),
        *((f"gate_{x}", 1.0) for x in ("in", "norm", "out")),
    ]
    monkeypatch.setattr(network, "rates", lambda self: slow, raising=False)
    free = SETTINGS.model_copy(update={"l2_sp": 0.0})
    start_at = new_model("gated", 24, 16, dim=16)
    torch.manual_seed(1)
    start_at.network.start(PEOPLE, np.repeat(np.arange(23), 9))
    model, _ = trained(free)
    moved = {
        side: (getattr(model.network, side).weight - getattr(start_at.network, side).weight).abs().max().item()
        for side in ("audio_projection", "visual_projection")
    }
    assert moved["audio_projection"] < 1e-5 < 1e-3 < moved["visual_projection"]


def test_mixed_precision_trains():
    _, course = trained(SETTINGS.model_copy(update={"precision": "bf16"}))
    assert np.isfinite(course.losses).all()


def test_a_loss_that_is_not_finite_stops_the_training_with_the_name_of_the_model():
    with pytest.raises(ModelError, match=r"linear: step .*the loss is not finite; lower the learning rate"):
        trained(SETTINGS.model_copy(update={"learning_rate": 1e30}), "linear")


@pytest.fixture
def files(tmp_path):
    for name, stream in PEOPLE.streams.items():
        write_embeddings(tmp_path / f"{name}.parquet", PEOPLE.utterances, stream.pooled)
    lines = [f"{s} {u}.wav 1.0\n" for s, u in zip(SPEAKERS, PEOPLE.utterances, strict=True)]
    (tmp_path / "list").write_text("".join(lines))
    write_table(tmp_path / "plan.parquet", pd.DataFrame({"utterance": PEOPLE.utterances, "held_out": False}))
    return tmp_path


def on_list(files, out, name="gated", settings=SETTINGS, **how):
    kind = MODELS[name]
    return train_on_list(
        kind, kind.settings(), settings, train_list=files / "list", list_name="all", plan=files / "plan.parquet",
        audio=[files / "audio.parquet"], visual=[files / "visual.parquet"], out={0: out},
        device=torch.device("cpu"), **how,
    )  # fmt: skip


def test_the_course_of_a_training_lies_beside_its_model(files):
    out = files / "gated.0.safetensors"
    on_list(files, out, tensorboard=True, checkpoint_every=1)
    with out.with_suffix(".csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [int(row["step"]) for row in rows] == [6, 12, 18, 24]
    assert set(rows[0]) == {"step", "loss", "accuracy", "lr", "margin"}
    facts = json.loads(out.with_suffix(".json").read_text())
    model = load_fusion(out)
    count = sum(p.numel() for p in model.model.network.parameters())
    assert facts["parameters"] == model.facts["parameters"] == count
    assert facts["seconds"] > 0
    assert (facts["device"], facts["steps"], facts["processes"], facts["validation"]) == ("cpu", STEPS, 1, None)
    assert "seconds" not in model.facts
    assert list(out.with_suffix(".tensorboard").iterdir())
    assert not list(files.glob("*.resume"))


def test_models_without_steps_and_those_left_out_have_these_files_too(files):
    on_list(files, files / "calibrated.0.safetensors", "calibrated")
    facts = json.loads((files / "calibrated.0.json").read_text())
    assert facts["steps"] is None
    assert facts["seconds"] > 0
    assert (files / "calibrated.0.csv").read_text().startswith("step,loss,accuracy,lr,margin\n0,")
    (files / "list").write_text(f"{SPEAKERS[0]} {PEOPLE.utterances[0]}.wav 1.0\n")
    on_list(files, files / "gated.0.safetensors")
    reason = left_out(files / "gated.0.safetensors")
    assert json.loads((files / "gated.0.json").read_text())["left_out"] == reason
    assert (files / "gated.0.csv").read_text() == "step,loss,accuracy,lr,margin\n"


@pytest.mark.slow
def test_two_processes_train_the_network_of_one(files, repository):
    # Batch normalisation, uneven shares and rows without a voice or a face are all at work. No Adam: it would make
    # steps of the rounding where a gradient is 0.
    own = {"length": 16, "optimiser": "sgd", "epochs": 2, "batch_size": 32, "drop_modality": 0.5, "l2_sp": 1.0}
    own = MODELS["vut_gated"].settings(**own).model_dump()
    settings = SETTINGS.model_copy(update={"validation": type(SETTINGS.validation)(speakers=0.3)})
    found = []
    for devices in ("1", "2"):
        out = files / devices / "m.safetensors"
        command = [
            sys.executable, repository / "workflow/scripts/train_fusion.py", "--list", files / "list", "--list-name",
            "all", "--plan", files / "plan.parquet", "--audio", files / "audio.parquet", "--visual",
            files / "visual.parquet", "--model", "vut_gated", "--options", json.dumps(own),
            *shlex.split(flags(settings, leave=["models", "seeds", "twins"])), "--seed", "0", "--device", "cpu",
            "--devices", devices, "--threads", "1", "--out", out,
        ]  # fmt: skip
        ended = subprocess.run(
            [*map(str, command)], capture_output=True, text=True, timeout=120, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        assert ended.returncode == 0, ended.stderr
        found.append((load_file(out), json.loads(out.with_suffix(".json").read_text())))
    (one, about_one), (two, about_two) = found
    assert (about_one["processes"], about_two["processes"]) == (1, 2)
    assert about_two["loss_last"] == pytest.approx(about_one["loss_last"], abs=2e-4)
    assert about_two["validation"]["last_eer"] == pytest.approx(about_one["validation"]["last_eer"], abs=1e-6)
    for name, weight in one.items():
        np.testing.assert_allclose(two[name], weight, atol=2e-5, err_msg=name)
