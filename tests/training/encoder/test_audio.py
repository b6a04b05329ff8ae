from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from avsieve.config.model import parse_config
from avsieve.encoders.audio import AUDIO, load_audio_encoder
from avsieve.encoders.registry import build
from avsieve.encoders.visual import VISUAL
from avsieve.errors import ConfigError, ModelError
from avsieve.training import loop
from avsieve.training.encoder.audio import train_audio
from avsieve.training.encoder.augment import KINDS
from avsieve.training.encoder.settings import Augmentation, TrainAudio
from avsieve.training.encoder.validation import Validation
from avsieve.training.state import Row
from avsieve.wiring.flags import flags

from .conftest import TinySpeech, run_script
from .recipes import run_of

RECIPE: dict[str, Any] = {"batch": 8, "crop_s": 0.5, "augment": ["none", "noise"], "lr": 3e-3}


def train(
    speech: TinySpeech, output: Path, steps: int = 12, run: dict[str, Any] | None = None, **settings: Any
) -> list[Row]:
    how = run_of(**{"log_every": 4, **(run or {})})
    given = TrainAudio(steps=steps, **{**RECIPE, **settings})
    return train_audio(speech.train_list, [speech.tar], output, settings=given, run=how)


def test_training_writes_an_encoder_that_tells_the_people_apart(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    rows = train(tiny_speech, tmp_path / "net.safetensors", run={"provenance": tmp_path / "net.json"})
    assert rows[-1][2] > rows[0][2]
    encoder = load_audio_encoder("ecapa_small", tmp_path / "net.safetensors")
    assert encoder(torch.randn(2, 16_000)).shape == (2, 128)
    with safe_open(tmp_path / "net.safetensors", "pt") as handle:
        assert handle.metadata() == {"arch": "ecapa_small", "dim": "128", "classes": "4", "seed": "0"}
    facts = json.loads((tmp_path / "net.json").read_text())
    assert facts["speakers"] == 4
    assert facts["recipe"]["augment"] == ["none", "noise"]


def test_equal_trainings_give_equal_bytes(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    for name in ("one", "two"):
        train(tiny_speech, tmp_path / name, steps=3)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_half_precision_halves_the_file_and_still_loads(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    train(tiny_speech, tmp_path / "a.safetensors", steps=2)
    train(tiny_speech, tmp_path / "b.safetensors", steps=2, run={"half": True})
    assert (tmp_path / "b.safetensors").stat().st_size < 0.55 * (tmp_path / "a.safetensors").stat().st_size
    whole, half = (load_audio_encoder("ecapa_small", tmp_path / f"{x}.safetensors") for x in "ab")
    waves = torch.randn(1, 16_000)
    assert torch.cosine_similarity(whole(waves), half(waves)).item() > 0.999


def test_fine_tuning_starts_from_given_weights(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    train(tiny_speech, tmp_path / "a.safetensors", steps=2)
    train(
        tiny_speech, tmp_path / "b.safetensors", steps=1, lr=1e-9,
        start_from=str(tmp_path / "a.safetensors"),
    )  # fmt: skip
    a, b = (load_audio_encoder("ecapa_small", tmp_path / f"{x}.safetensors") for x in "ab")
    assert torch.allclose(a.get_parameter("fc6.weight"), b.get_parameter("fc6.weight"), atol=1e-6)


WATCH: dict[str, Any] = {"validation": 0.65, "validate_every": 3, "keep": "best"}


def test_the_weights_of_the_best_step_can_be_kept(
    tiny_speech: TinySpeech, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second of four measurements is the best one; a training of as many steps ends with its weights.
    monkeypatch.setattr(Validation, "eer", lambda *_: next(measured))
    measured = iter([0.4, 0.1, 0.3, 0.1])
    run = {"provenance": tmp_path / "best.json", "log": tmp_path / "l.csv"}
    rows = train(tiny_speech, tmp_path / "best", run=run, **WATCH)
    assert [row[0] for row in rows] == [3, 4, 6, 8, 9, 12]
    assert [row[5] for row in rows] == [0.4, None, 0.1, None, 0.3, 0.1]
    facts = json.loads((tmp_path / "best.json").read_text())
    assert facts["validation"] == {
        "speakers": 2, "utterances": 6, "keep": "best", "best_step": 6, "best_eer": 0.1, "last_eer": 0.1,
    }  # fmt: skip
    assert facts["speakers"] == 2
    assert facts["utterances"] == 6

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(*arguments: object) -> None:
        torch.save(arguments[2].network.encoder.state_dict(), tmp_path / "six.pt")  # type: ignore[attr-defined]
        raise Stopped

    measured = iter([0.4, 0.1])
    monkeypatch.setattr(loop, "save_state", stop)
    with pytest.raises(Stopped):
        kept_on_the_way = {"checkpoint": tmp_path / "state", "checkpoint_every": 5}
        train(tiny_speech, tmp_path / "cut", run=kept_on_the_way, **WATCH)
    kept, six = load_file(tmp_path / "best"), torch.load(tmp_path / "six.pt", weights_only=True)
    assert kept.keys() == six.keys()
    assert all(torch.equal(kept[name], six[name]) for name in kept)


def test_a_second_phase_with_a_large_margin_is_part_of_the_run_and_resumable(
    tiny_speech: TinySpeech, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = {"steps": 4, "crop_s": 1.0, "batch": 4, "margin": 0.5, "lr": 1e-4}
    how: dict[str, Any] = {"speeds": [0.9, 1.0], "large_margin": second, "steps": 6}
    rows = train(tiny_speech, tmp_path / "whole", run={"provenance": tmp_path / "whole.json"}, **how)
    assert [row[0] for row in rows] == [4, 6, 8, 10]
    assert [row[4] for row in rows][2:] == [0.5, 0.5]
    assert rows[2][3] < 1e-4 < rows[0][3]  # type: ignore[operator]
    assert json.loads((tmp_path / "whole.json").read_text())["large_margin"]["crop_s"] == 1.0

    save, state = loop.save_state, {"checkpoint": tmp_path / "state"}

    def die_in_the_second_phase(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        if arguments[-1].step == 8:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "save_state", die_in_the_second_phase)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_speech, tmp_path / "cut", run={**state, "checkpoint_every": 1}, **how)
    monkeypatch.setattr(loop, "save_state", save)
    other = {**how, "large_margin": {**second, "crop_s": 0.8}}
    with pytest.raises(ModelError, match="another recipe"):
        train(tiny_speech, tmp_path / "cut", run=state, **other)
    assert train(tiny_speech, tmp_path / "cut", run=state, **how) == rows
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_second_phase_needs_the_voices_as_they_are(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"speeds are \[0\.9\]; expected 1\.0 among them"):
        train(tiny_speech, tmp_path / "a", speeds=[0.9], large_margin={"steps": 1})


def test_cuda_is_never_replaced_by_the_cpu(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not available"):
        train(tiny_speech, tmp_path / "a.safetensors", run={"device": "cuda:7"})


def test_the_script_takes_what_the_rule_passes_on(tiny_speech: TinySpeech, tmp_path: Path, repository: Path) -> None:
    pytest.importorskip("tensorboard")
    # The configuration's flags, a preset among them, with a small network and few steps.
    given = {"preset": "avcleanse", "arch": "ecapa_small", "steps": 2, "batch": 4, "augment": ["none"]}
    given["large_margin"] = {"steps": 1, "crop_s": 0.5, "batch": 2}
    options = shlex.split(flags(parse_config({"training": {"audio": given}}).training.audio))
    out = tmp_path / "out"
    run_script(
        repository / "workflow/scripts/train_audio.py", "--list", tiny_speech.train_list, "--wav", tiny_speech.tar,
        "--output", out / "a.safetensors", "--log", out / "a.csv", "--provenance", out / "a.json",
        *options, "--device", "cpu", "--devices", 1, "--precision", "fp32", "--workers", 0, "--threads", 1,
        "--tensorboard", tmp_path / "board",
    )  # fmt: skip
    assert sorted(p.name for p in out.iterdir()) == ["a.csv", "a.json", "a.safetensors"]
    assert len(list((tmp_path / "board").glob("events.*"))) == 2  # one a phase
    facts = json.loads((out / "a.json").read_text())
    assert facts["recipe"]["crop_s"] == 2.015
    assert facts["recipe"]["batch"] == 4
    assert [plan["steps"] for plan in facts["schedule"]] == [2, 1]
    assert facts["schedule"][0]["kind"] == "exponential"
    assert facts["schedule"][0]["epoch_steps"] == 3  # twelve utterances in steps of four
    assert facts["optimiser"] == {"name": "adam", "weight_decay": 2e-5, "clip": 0.0}


def test_the_configuration_knows_every_augmentation() -> None:
    assert set(get_args(Augmentation)) == set(KINDS)


@pytest.mark.parametrize("layout", ["bare", "joint", "nested"])
def test_a_training_begins_with_a_published_file_as_it_is(tiny_speech: TinySpeech, tmp_path: Path, layout: str) -> None:
    torch.manual_seed(1)
    weights = build(AUDIO, "ecapa_small").state_dict()
    # AVCleanse's files: torchaudio's constants and the loss's weight beside the encoder; the joint trainer's prefixes.
    constants = {"torchfbank.1.spectrogram.window": torch.hamming_window(400)}
    state: dict[str, object] = {
        "bare": {**weights, **constants, "weight": torch.zeros(5994, 128)},
        "joint": {f"module.speaker_encoder.{k}": v for k, v in (weights | constants).items()}
        | {"module.speaker_loss.weight": torch.zeros(9, 128), "module.face_encoder.conv1.weight": torch.zeros(3)},
        "nested": {"net": weights, "EER": np.float64(1.975), "epoch": 3},
    }[layout]
    torch.save(state, tmp_path / "A.model")
    train(
        tiny_speech, tmp_path / "a.safetensors", steps=1, lr=1e-12, lr_end=1e-12,
        start_from=str(tmp_path / "A.model"), run={"provenance": tmp_path / "a.json"},
    )  # fmt: skip
    found = load_file(tmp_path / "a.safetensors")
    assert torch.allclose(found["conv1.weight"], weights["conv1.weight"], atol=1e-9)
    assert torch.allclose(found["fc6.weight"], weights["fc6.weight"], atol=1e-9)


def test_first_weights_of_another_architecture_are_told_in_one_line(tiny_speech: TinySpeech, tmp_path: Path) -> None:
    torch.save(build(VISUAL, "iresnet18").state_dict(), tmp_path / "V.model")
    with pytest.raises(ModelError, match=r"V\.model: does not fit ECAPA .* another architecture\?") as told:
        train(tiny_speech, tmp_path / "a.safetensors", start_from=str(tmp_path / "V.model"))
    assert "\n" not in str(told.value)
    with pytest.raises(ModelError, match=r"holds an encoder of architecture 'ecapa_small', asked for 'ecapa512'"):
        train(tiny_speech, tmp_path / "a.safetensors", arch="ecapa512", start_from="builtin")
