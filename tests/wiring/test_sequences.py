from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from avsieve.config.model import parse_config
from avsieve.errors import ConfigError
from avsieve.fusion.registry import MODELS
from avsieve.wiring.rules import Wiring


def test_only_models_that_read_sequences_have_their_tables_as_inputs(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Wiring({"shards": 1}, repository / "workflow").sequences.files == []
    monkeypatch.setattr(MODELS["gated"], "sequences", ("eighths", "frames"))
    values = {"shards": 1, "audio": {"segments": ["hops", "eighths"]}}
    wiring = Wiring(values, repository / "workflow")
    both = ["results/embed_audio/000.segments.parquet", "results/embed_visual/000.frames.parquet"]
    assert wiring.sequences.files == wiring.sequences.of_model(SimpleNamespace(model="gated")) == both
    assert wiring.sequences.of_model(SimpleNamespace(model="linear")) == []
    shown = wiring.sequences.flags_of_model(SimpleNamespace(model="gated"))
    assert shown == f"--audio-segments {both[0]} --visual-frames {both[1]}"


def test_a_segmentation_that_is_read_has_to_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"scores by the segmentation hops, but audio\.segments has centre"):
        parse_config({"audio": {"segments": ["centre"]}, "evaluation": {"protocol": "both"}})
    monkeypatch.setattr(MODELS["gated"], "sequences", ("eighths", "frames"))
    with pytest.raises(ConfigError, match=r"gated, which reads the segmentation eighths, but audio\.segments has hops"):
        parse_config({})
    source = {"kind": "embeddings", "embeddings": {"train_list": "l.txt", "audio": "a.npz", "visual": "v.npz"}}
    with pytest.raises(ConfigError, match=r"gated, which reads eighths, frames, but source\.kind embeddings has no"):
        parse_config({"source": source})
