from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import nn

from avsieve.config.model import Config, parse_config
from avsieve.encoders.contract import Architecture, Examined, listed
from avsieve.encoders.registry import AUDIO, VISUAL, build, trainable
from avsieve.encoders.settings import Audio, Visual
from avsieve.errors import ConfigError, ModelError
from avsieve.runtime.options import add_settings
from avsieve.wiring.rules import Wiring

TABLES = [(table, name) for table in (AUDIO, VISUAL) for name in table]


@pytest.mark.parametrize(("table", "name"), TABLES, ids=[f"{t.kind.split()[0]}-{n}" for t, n in TABLES])
def test_every_encoder_names_code_that_is_there(table, name: str) -> None:
    architecture = table[name]
    for entry in (architecture.network, architecture.loads, architecture.examines):
        if entry:
            module, _, attribute = entry.partition(":")
            assert callable(getattr(import_module(module), attribute))
    assert architecture.label
    assert architecture.packages
    assert len(set(architecture.modules)) == 1 + bool(architecture.network)
    if architecture.extra:
        assert f"the extra `{architecture.extra}`" in listed(table)


@pytest.mark.parametrize("name", trainable(VISUAL))
def test_every_face_network_says_what_it_is_fed_with(name: str) -> None:
    network = build(VISUAL, name)
    assert int(network.dim) > 0  # type: ignore[arg-type]
    assert network.face_input.size in (112, 160)  # type: ignore[union-attr]


def test_files_of_a_format_have_no_network_to_train() -> None:
    assert "onnx" not in trainable(AUDIO)
    with pytest.raises(ModelError, match="any ONNX speaker encoder: has no network"):
        build(AUDIO, "onnx")


def test_the_tables_load_nothing_heavy() -> None:
    code = (
        "import sys, json, avsieve.encoders.settings; print(json.dumps([m for m in ('torch', 'numpy', 'onnxruntime', "
        "'pandas') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


class Loudness(nn.Module):
    """Maps (B, samples) to (B, 1): how loud it is."""

    dim = 1
    min_samples = 1

    def forward(self, waves: torch.Tensor) -> torch.Tensor:
        return waves.abs().mean(1, keepdim=True)


def load(arch: str, checkpoint: str | Path, **options: object) -> Loudness:
    return Loudness()


def examine(audio: Audio) -> Examined:
    return Examined(None)


def test_a_new_encoder_is_a_module_and_an_entry(monkeypatch: pytest.MonkeyPatch, repository: Path) -> None:
    made = Architecture(
        "how loud it is", loads=f"{__name__}:load", examines=f"{__name__}:examine", origin="none is needed",
        environment="core", has_precision=False,
    )  # fmt: skip
    monkeypatch.setitem(AUDIO._entries, "loudness", made)
    assert "`loudness` (how loud it is)" in listed(AUDIO)
    assert Wiring.encoder("audio", "loudness").modules == [__name__]
    wiring = Wiring({}, repository / "workflow")
    assert wiring.env(Wiring.encoder("audio", "loudness").environment) == "../envs/core.yaml"

    from avsieve.doctor.models import _audio
    from avsieve.encoders.audio import load_audio_encoder

    config = parse_config({"source": {"kind": "tree", "tree": {"root": "x"}}})
    audio = Audio.model_construct(**(config.audio.model_dump() | {"arch": "loudness", "checkpoint": "x.wav"}))
    found = _audio(Config.model_construct(**(dict(config) | {"audio": audio})))
    assert [f.level for f in found] == ["ok"]
    assert load_audio_encoder("loudness", "x.wav")(torch.full((2, 8), -0.5)).tolist() == [[0.5], [0.5]]
    with pytest.raises(ConfigError, match="which has no effect on how loud it is"):
        AUDIO["loudness"].check_precision("audio.precision", "fp16")


@pytest.mark.parametrize(("block", "arch"), [(Audio, "ecapa2048"), (Visual, "iresnet7")])
def test_a_script_refuses_an_architecture_that_there_is_not(
    block: type, arch: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ap = argparse.ArgumentParser()
    add_settings(ap, block)
    with pytest.raises(SystemExit):
        ap.parse_args(["--arch", arch])
    assert "onnx" in capsys.readouterr().err
