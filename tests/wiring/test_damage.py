from __future__ import annotations

from pathlib import Path

from avsieve.wiring.rules import Wiring


def test_damaged_signals_are_wanted_of_the_modalities_that_some_condition_damages(repository: Path) -> None:
    def wired(source: object = None, **damage: object) -> Wiring:
        values = {"shards": 1, "evaluation": {"damage": damage}}
        return Wiring(values if source is None else values | {"source": source}, repository / "workflow")

    table, voices = "results/evaluation/damage.parquet", "results/damage_audio/000.parquet"
    assert (wired().damage.files, wired().damage.flags) == ([], {})
    short = [{"name": "short", "kind": "short"}]
    assert wired(conditions=short).damage.files == [table, voices]
    assert wired(conditions=short).damage.flags == {"damage_table": table, "damaged_audio": [voices]}
    assert wired(conditions=short).damage.settings["level"] == "signal"
    faces = "results/damage_visual/000.parquet"
    assert wired(conditions=["vut"]).damage.files == [table, voices, faces]
    gone = [{"name": "gone", "kind": "missing", "modality": "audio"}]
    assert wired(conditions=gone).damage.files == [table]
    embeddings = {"kind": "embeddings", "embeddings": {"train_list": "l", "audio": "a.npz", "visual": "v.npz"}}
    for wiring in (wired(conditions=["vut"], level="embedding"), wired(embeddings, conditions=["vut"])):
        assert (wiring.damage.files, wiring.damage.settings["level"]) == ([table], "embedding")
