"""Joint models trained from shards, written, read, and embedding the trials."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from avsieve.errors import ModelError
from avsieve.evaluation.conditions.table import SCHEMA, write_damage
from avsieve.evaluation.trials import make_trial_list, write_trials
from avsieve.fusion.checkpoint import left_out
from avsieve.fusion.settings import Fusion, FusionValidation
from avsieve.fusion.strata import strata_of
from avsieve.joint.checkpoint import load_joint
from avsieve.joint.embed import SignalFiles, embed_trials
from avsieve.joint.embedded import EmbeddedModel, embedded_systems
from avsieve.joint.models import joint_model
from avsieve.joint.pairs import Names, needed_pairs
from avsieve.joint.training import Work, train_joint
from avsieve.lists.train_list import write_train_list
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.jpeg import jpeg_of
from avsieve.storage.tables import write_table
from avsieve.storage.wav import wav_bytes
from avsieve.training.devices import Machine

from .made_up import settings_of

PEOPLE, VIDEOS = 6, 2
QUICK = {"epochs": 2, "batch_size": 6, "crop_s": 0.4, "augmentation": "none"}


class Corpus(NamedTuple):
    folder: Path
    utterances: list[str]
    files: SignalFiles

    def work(self, out: str, seed: int = 0, **other: object) -> Work:
        names = [self.folder / f"{kind}" for kind in ("train.txt", "plan.parquet")]
        found = Work(names[0], "all", names[1], self.files.wav, self.files.faces, self.folder / out, seed)
        return replace(found, **other)  # type: ignore[arg-type]


def voice(person: int, rng: np.random.Generator) -> np.ndarray:
    """A hum at a pitch of the person's own; int16."""
    time = np.arange(8000) / 16_000
    tones = sum(np.sin(2 * np.pi * (90 + 35 * person) * k * time + rng.uniform(0, 6)) / k for k in range(1, 12))
    return (3000 * tones + 200 * rng.standard_normal(8000)).astype(np.int16)


def face(person: int, rng: np.random.Generator) -> np.ndarray:
    """Stripes of a colour and width of the person's own."""
    stripes = (np.arange(112) // (3 + person)) % 2
    colour = np.array([40 * person, 255 - 40 * person, 30 * (person % 3)])
    image = stripes[:, None, None] * colour + rng.integers(0, 30, (112, 112, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Six people, the last of whom is held out, two utterances of each; and damaged versions of the held-out."""
    folder, rng = tmp_path_factory.mktemp("corpus"), np.random.default_rng(2)
    utterances = [f"id{p}/v{i}/00001" for p in range(PEOPLE) for i in range(VIDEOS)]
    paths = {kind: folder / f"000.{kind}.tar" for kind in ("wav", "faces", "damaged.wav", "damaged.faces")}
    with TarWriter(paths["wav"]) as wavs, TarWriter(paths["faces"]) as faces:
        for name in utterances:
            wavs.add(name, f"{name}.wav", wav_bytes(voice(int(name[2]), rng)))
            for time in (4, 8):
                faces.add(name, f"{name}/{time:04d}.jpg", jpeg_of(face(int(name[2]), rng), 90))
    with TarWriter(paths["damaged.wav"]) as wavs, TarWriter(paths["damaged.faces"]) as faces:
        version = f"{utterances[-1]}@loud"
        wavs.add(version, f"{version}.wav", wav_bytes(rng.integers(-9000, 9000, 8000).astype(np.int16)))
        version = f"{utterances[-1]}@dark"
        faces.add(version, f"{version}/0004.jpg", jpeg_of(np.zeros((112, 112, 3), np.uint8), 90))
    write_train_list(folder / "train.txt", utterances, ["0.500"] * len(utterances))
    held = [name.startswith(f"id{PEOPLE - 1}") for name in utterances]
    write_table(folder / "plan.parquet", pd.DataFrame({"utterance": utterances, "held_out": held}))
    rows = [
        ("loud", "audio", "noise", "{}", "signal", f"{utterances[-1]}@loud"),
        ("dark", "visual", "overexposure", "{}", "signal", f"{utterances[-1]}@dark"),
        ("mute", "audio", "missing", "{}", "signal", ""),
        ("other", "visual", "other_person", json.dumps({"utterance": utterances[0]}), "signal", ""),
    ]
    table = pd.DataFrame(
        [
            (name, utterances[-1], "test", m, kind, text, 1, level, version)
            for name, m, kind, text, level, version in rows
        ],
        columns=SCHEMA.names,
    )
    import pyarrow as pa

    write_damage(folder / "damage.parquet", pa.Table.from_pandas(table, schema=SCHEMA, preserve_index=False))
    trials = make_trial_list([True, False], [utterances[-2], utterances[-2]], [utterances[-1], utterances[1]])
    write_trials(folder / "trials.txt", trials)
    every = [[path] for path in paths.values()]
    return Corpus(folder, utterances, SignalFiles(*every))


def trained(corpus: Corpus, name: str, out: str, *, seed: int = 0, fusion: Fusion | None = None, **own: object) -> Path:
    kind, settings = joint_model(name), settings_of(name, **QUICK | own)
    work = corpus.work(out, seed)
    train_joint(kind, settings, fusion or Fusion(dim=16), work, machine=Machine("cpu"))
    return work.out


@pytest.fixture(scope="module")
def gated(corpus: Corpus) -> Path:
    """A model of both encoders under a gate."""
    return trained(corpus, "vut_joint_gated", "all/vut_joint_gated.0.safetensors", length=16, test_crop_s=None)


def test_a_model_is_written_with_all_that_embedding_needs(corpus: Corpus, gated: Path) -> None:
    found = load_joint(gated)
    assert (found.kind.name, found.trained_on, found.seed, found.channels) == ("vut_joint_gated", "all", 0, "rgb")
    assert found.speakers == [f"id{p}" for p in range(PEOPLE - 1)]  # without the one who is held out
    assert found.facts["utterances"] == (PEOPLE - 1) * VIDEOS
    told = json.loads(gated.with_suffix(".json").read_text())
    assert told["stage"] == "train_joint"
    assert told["parameters"] == sum(p.numel() for p in found.network.parameters())
    assert told["steps"] == 4  # 10 utterances in batches of 6, twice
    assert len(gated.with_suffix(".csv").read_text().splitlines()) == 3
    assert not gated.with_name(gated.name + ".resume").exists()


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(corpus: Corpus, gated: Path) -> None:
    again = trained(corpus, "vut_joint_gated", "again/vut_joint_gated.0.safetensors", length=16, test_crop_s=None)
    assert again.read_bytes() == gated.read_bytes()
    other = trained(corpus, "vut_joint_gated", "o/vut_joint_gated.1.safetensors", seed=1, length=16, test_crop_s=None)
    assert other.read_bytes() != gated.read_bytes()


def test_a_training_goes_on_where_it_was_interrupted(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"length": 8, "batch_size": 3}
    whole = trained(corpus, "vut_joint_soft", "whole/vut_joint_soft.0.safetensors", **own)
    work = corpus.work("broken/vut_joint_soft.0.safetensors")
    kind, settings = joint_model("vut_joint_soft"), settings_of("vut_joint_soft", **QUICK | own)

    class StopError(Exception):
        """What ends the training."""

    def stop(*_: object, **__: object) -> None:
        raise StopError

    monkeypatch.setattr("avsieve.joint.training.save_joint", stop)
    with pytest.raises(StopError):
        train_joint(kind, settings, Fusion(dim=16), work, machine=Machine("cpu"), checkpoint_every=1)
    assert work.out.with_name(work.out.name + ".resume").exists()
    monkeypatch.undo()
    train_joint(kind, settings, Fusion(dim=16), work, machine=Machine("cpu"))
    assert work.out.read_bytes() == whole.read_bytes()


def test_training_learns_and_is_measured_on_speakers_held_out(corpus: Corpus) -> None:
    fusion = Fusion(dim=16, validation=FusionValidation(speakers=0.7, every=1))
    out = trained(corpus, "speaker_face", "all/speaker_face.0.safetensors", fusion=fusion, epochs=8, batch_size=4)
    told = json.loads(out.with_suffix(".json").read_text())
    assert told["loss_last"] < told["loss_first"]
    assert 0 <= told["validation"]["last_eer"] <= 1
    assert told["validation"]["speakers"] >= 2


def test_what_the_evaluation_asks_for_is_embedded_and_nothing_else(corpus: Corpus, gated: Path) -> None:
    u, out = corpus.utterances, corpus.folder / "all/vut_joint_gated.0.parquet"
    told = embed_trials(
        gated, [corpus.folder / "trials.txt"], corpus.files, out, damage=corpus.folder / "damage.parquet", cohort=None,
        device=torch.device("cpu"),
    )  # fmt: skip
    assert "vut_joint_gated (all): 7 pairs of a voice and faces in" in told
    model = EmbeddedModel(out)
    assert model.embedding_s == json.loads(out.with_suffix(".json").read_text())["seconds"] > 0  # counted as encoding
    from avsieve.evaluation.conditions.table import DamageTable
    from avsieve.evaluation.trials import read_trials

    trials, table = read_trials(corpus.folder / "trials.txt"), DamageTable(corpus.folder / "damage.parquet")
    pairs = needed_pairs([trials], table)
    assert set(pairs) == {
        (u[-2], u[-2]), (u[-1], u[-1]), (u[1], u[1]),
        (f"{u[-1]}@loud", u[-1]), (u[-1], f"{u[-1]}@dark"), ("", u[-1]), (u[-1], u[0]),
    }  # fmt: skip
    whole = Names().inputs(trials.utterances)
    parts = model.encode(whole)
    assert parts[0].present.all()
    np.testing.assert_allclose(np.linalg.norm(parts[0].vectors, axis=1), 1)
    own = parts[0].vectors[trials.utterances.index(u[-1])]
    for stratum in strata_of(table, trials, whole, Names()):
        (found,) = model.encode(stratum.inputs)
        assert found.present.all()
        assert found.vectors[0] @ own < 0.99999, stratum.name
        assert np.isfinite(stratum.scores(model, parts)).all()
    with pytest.raises(ModelError, match=f"has no embedding of the voice {u[3]} with the faces {u[3]}, and of 1 pairs"):
        model.encode(Names().inputs([u[3]]))
    systems, missing = embedded_systems([out])
    assert missing == {}
    assert (systems[0].model.name, systems[0].trained_on, systems[0].seed) == ("vut_joint_gated", "all", 0)
    assert systems[0].speakers == {f"id{p}" for p in range(PEOPLE - 1)}


def test_too_few_people_leave_a_model_out_and_the_evaluation_is_told_why(corpus: Corpus) -> None:
    names = [name for name in corpus.utterances if name.startswith(("id0", "id5"))]  # of whom id5 is held out
    write_train_list(corpus.folder / "short.txt", names, ["0.500"] * len(names))
    work = corpus.work("all/avn_f.0.safetensors", train_list=corpus.folder / "short.txt")
    told = train_joint(
        joint_model("avn_f"), settings_of("avn_f", **QUICK), Fusion(dim=16), work, machine=Machine("cpu")
    )
    assert "left out: avn_f: 2 utterances of 1 speakers have a voice and a face" in told
    assert left_out(work.out)
    out = corpus.folder / "all/avn_f.0.parquet"
    embed_trials(
        work.out,
        [corpus.folder / "trials.txt"],
        corpus.files,
        out,
        damage=None,
        cohort=None,
        device=torch.device("cpu"),
    )
    systems, missing = embedded_systems([out])
    assert systems == []
    assert missing["all/avn_f.0.parquet"].startswith("avn_f: 2 utterances of 1 speakers")


def test_a_file_that_is_no_joint_model_is_refused(corpus: Corpus, gated: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such joint model"):
        load_joint(tmp_path / "none.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="its metadata has no avsieve_joint"):
        load_joint(tmp_path / "a.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "b.safetensors", {"avsieve_joint": "[1]"})
    with pytest.raises(ModelError, match="its avsieve_joint is a list, expected an object"):
        load_joint(tmp_path / "b.safetensors")
    from safetensors import safe_open

    with safe_open(gated, framework="pt") as handle:
        told = handle.metadata()
        state = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118 - not a dict
    name = next(iter(state))
    save_file(state | {name: torch.zeros(3)}, tmp_path / "c.safetensors", told)
    with pytest.raises(ModelError, match="its tensors do not fit its settings"):
        load_joint(tmp_path / "c.safetensors")


def test_training_begins_at_the_files_that_avcleanse_published(corpus: Corpus, tmp_path: Path) -> None:
    from avsieve.joint.encoders import first_encoders

    audio, visual, _, _ = first_encoders(settings_of("speaker_face"))
    speaker = {f"speaker_encoder.{key}": value for key, value in audio.state_dict().items()}
    torch.save(speaker | {"speaker_loss.weight": torch.zeros(5994, 192)}, tmp_path / "A-Vox2.model")
    faces = {f"face_encoder.{key}": value for key, value in visual.state_dict().items()}
    torch.save(faces | {"face_loss.weight": torch.zeros(5994, 128)}, tmp_path / "V-Vox2.model")
    own = settings_of(
        "speaker_face", audio_weights=str(tmp_path / "A-Vox2.model"), visual_weights=str(tmp_path / "V-Vox2.model"),
        channels="bgr",
    )  # fmt: skip
    begun = first_encoders(own)
    for encoder, found in zip((audio, visual), begun[:2], strict=True):
        was, now = encoder.state_dict(), found.state_dict()
        assert all(torch.equal(value, now[key]) for key, value in was.items())
    assert begun[2] == "bgr"
    assert set(begun[3]) == {"audio_weights_sha256", "visual_weights_sha256"}
