"""``avsieve evaluate --draws`` on files in the layout of BAFFN's own."""

from __future__ import annotations

import argparse
import json
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from avsieve.cli import evaluate as command
from avsieve.errors import AvsieveError, ConfigError
from avsieve.fusion.checkpoint import Trained, save_fusion
from avsieve.fusion.trained_models import trained_model

A, V = 1024, 512
VIDEOS = ["1zcIwhmdeo4", "7gWzIy6yIIk"]


class Gated(nn.Module):
    """The attributes and sizes of the published module."""

    def __init__(self):
        super().__init__()
        self.fc_a, self.fc_v, self.fc_att = nn.Linear(A, 1024), nn.Linear(V, 1024), nn.Linear(A + V, 1024)
        self.bn_a, self.bn_v, self.bn_cat = nn.BatchNorm1d(1024), nn.BatchNorm1d(V), nn.BatchNorm1d(A + V)
        self.fc_out = nn.Linear(1024, 7)


@pytest.fixture
def files(tmp_path):
    """A pickle of voices, faces (N, 1, 512) with a bracketed list of images, and the options that name them."""
    rng = np.random.default_rng(0)
    people = {f"id1027{k}": (rng.normal(size=A), rng.normal(size=V)) for k in range(5)}
    voices, images, faces = {}, [], []
    for name, (voice, face) in people.items():
        for video in VIDEOS:
            for k in range(3):
                voices[f"{name}/{video}/0000{k + 1}"] = (voice + 2.5 * rng.normal(size=A)).astype(np.float32)
                images.append(f"{name}/{video}/0000{k}75.jpg")
                faces.append((face + 2.5 * rng.normal(size=V)).astype(np.float32)[None])
    (tmp_path / "TTA_vox1_eval.pk").write_bytes(pickle.dumps(voices))
    np.save(tmp_path / "face.npy", np.array(faces))
    (tmp_path / "label.txt").write_text(f"[{','.join(images)}]")
    face = f"{tmp_path / 'face.npy'}:{tmp_path / 'label.txt'}"
    return tmp_path, ["--audio", str(tmp_path / "TTA_vox1_eval.pk"), "--visual", face]


def run(*options):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(list(options)))


def found(capsys, *options):
    assert run(*options, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_voices_and_faces_are_paired_at_random_and_figures_say_of_what_they_are(files, capsys):
    _, given = files
    told = found(capsys, *given, "--draws", "3", "--pairs", "400")
    assert (told["protocol"], told["draws"], told["trials"], told["targets"]) == ("random_pairs", 3, 400, 200)
    assert (told["speakers"], told["voices"], told["faces"]) == (5, 30, 30)
    rows = {row["system"]: row for row in told["results"]}
    assert list(rows) == ["audio", "visual", "fused"]
    assert 0 < rows["fused"]["eer_mean"] < min(rows["audio"]["eer_mean"], rows["visual"]["eer_mean"]) < 0.4
    assert found(capsys, *given, "--draws", "3", "--pairs", "400") == told
    other = found(capsys, *given, "--draws", "3", "--pairs", "400", "--seed", "5")
    assert other["results"] != told["results"]
    assert run(*given, "--draws", "2", "--pairs", "400") == 0
    text = capsys.readouterr().out
    assert "random pairs: 2 draws of 400 trials (200 target), 5 speakers, 30 voices, 30 faces" in text
    assert "These are no figures of a trial list" in text


def test_as_many_trials_are_drawn_as_published(files, capsys):
    told = found(capsys, *files[1], "--draws", "1")
    assert (told["trials"], told["targets"]) == (20_000, 10_000)


def test_published_weights_and_trained_models_are_evaluated_too(files, capsys):
    folder, given = files
    torch.manual_seed(0)
    torch.save(Gated(), folder / "best_model.pkl")
    kind = trained_model("baffn_gated")
    own = kind(A, V, 1024, kind.settings())
    own.network.eval()
    save_fusion(folder / "own.safetensors", Trained(own, "clean", 3, ["id99999"], {}))
    models = [f"baffn_gated:{folder / 'best_model.pkl'}", str(folder / "own.safetensors")]
    told = found(capsys, *given, "--draws", "2", "--pairs", "200", "--fusion", *models)
    rows = {row["system"]: row["eer_mean"] for row in told["results"]}
    published = ["baffn_gated published", "baffn_gated published, its scoring"]
    assert list(rows) == ["audio", "visual", "fused", *published, "baffn_gated clean 3"]
    assert all(rate < 0.4 for rate in rows.values())
    save_fusion(folder / "own.safetensors", Trained(own, "clean", 3, ["id10271"], {}))
    with pytest.raises(
        AvsieveError, match="1 of 5 speakers, such as id10271, are in the training of baffn_gated clean 3"
    ):
        run(*given, "--draws", "2", "--fusion", str(folder / "own.safetensors"))
    with pytest.raises(ConfigError, match="baffn_gated published is evaluated already; name each model once"):
        run(*given, "--draws", "2", "--fusion", models[0], models[0])
    with pytest.raises(ConfigError, match="no weights were published for gated; give a model that a run trained"):
        run(*given, "--draws", "2", "--fusion", f"gated:{folder / 'best_model.pkl'}")


def test_speakers_of_the_encoders_training_are_refused(files):
    folder, given = files
    (folder / "list.txt").write_text("id10270 id10270/v/1.wav 4.0\n")
    with pytest.raises(AvsieveError, match="1 of 5 speakers, such as id10270, are in the training of an encoder"):
        run(*given, "--draws", "2", "--trained-on", str(folder / "list.txt"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--draws", "0"], "0 draws of 20000 trials; expected 1 or more of an even number of trials"),
        (["--draws", "2", "--pairs", "3"], "2 draws of 3 trials; expected 1 or more of an even number"),
        (["--draws", "2", "--protocol", "both"], "--protocol belongs to --trials; leave it"),
        (["--draws", "2", "--cohort", "c.txt"], "--cohort belongs to --trials; leave it"),
        (["--trials", "t.txt", "--pairs", "10"], "--pairs belongs to --draws; leave it"),
        (["--trials", "t.txt", "--fusion", "x"], "--fusion belongs to --draws; leave it"),
    ],
)
def test_options_that_do_not_go_together_are_told(files, options, message):
    with pytest.raises(ConfigError, match=message):
        run(*files[1], *options)


def test_both_modalities_and_speakers_are_needed(files, tmp_path):
    with pytest.raises(ConfigError, match="--draws pairs voices with faces; give --audio and --visual"):
        run(*files[1][:2], "--draws", "2")
    np.savez(tmp_path / "v.npz", utterance=np.array(["a", "b"]), embedding=np.ones((2, 4), np.float32))
    with pytest.raises(AvsieveError, match=r"'a' has no speaker; expected names such as speaker/video/utterance"):
        run("--audio", str(tmp_path / "v.npz"), *files[1][2:], "--draws", "2")


def test_one_of_trials_and_draws_is_given(files, capsys):
    for options in ([], ["--trials", "t.txt", "--draws", "2"]):
        with pytest.raises(SystemExit):
            run(*files[1], *options)
    assert "one of the arguments --trials --draws is required" in capsys.readouterr().err
