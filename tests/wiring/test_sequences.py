from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from avsieve.config.model import parse_config
from avsieve.errors import ConfigError
from avsieve.fusion.registry import MODELS
from avsieve.wiring.flags import flags
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
    with pytest.raises(
        ConfigError, match=r"gated, which reads eighths, but source\.embeddings\.audio_segments has nothing"
    ):
        parse_config({"source": source})


def test_tables_of_segments_and_faces_are_read_where_a_model_or_the_protocol_asks_for_them(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODELS["gated"], "sequences", ("eighths", "frames"))
    tables = {"train_list": "l.txt", "audio": "a.npz", "visual": "v.npz", "audio_segments": {"eighths": "e.parquet"}}
    source = {"kind": "embeddings", "embeddings": tables}
    with pytest.raises(
        ConfigError, match=r"reads frames, but source\.embeddings\.visual_frames has nothing: add a table"
    ):
        parse_config({"source": source})
    tables["visual_frames"] = ["f.parquet", "g.parquet"]
    wiring = Wiring({"source": source, "shards": 1}, repository / "workflow")
    both = ["results/embed_audio/000.segments.parquet", "results/embed_visual/000.frames.parquet"]
    assert wiring.sequences.files == wiring.sequences.of_model(SimpleNamespace(model="gated")) == both
    assert wiring.source.sequence_files("visual") == ["f.parquet", "g.parquet"]
    shown = flags(wiring.source.sequence_settings("audio"))
    assert shown.startswith("""--tables '{"eighths": ["e.parquet"]}' --names-key utterance""")
    with pytest.raises(
        ConfigError, match=r"scores by hops, but source\.embeddings\.audio_segments has eighths: add hops: "
    ):
        parse_config({"source": source, "evaluation": {"protocol": "both"}})
    voices = {"train_list": "l.txt", "audio": "a.npz", "audio_segments": {"hops": "h.parquet"}}
    values = {"evaluation": {"protocol": "both"}, "fusion": {"models": []}, "shards": 1}
    alone = Wiring({"source": {"kind": "embeddings", "embeddings": voices}} | values, repository / "workflow")
    assert alone.sequences.files == both[:1]
