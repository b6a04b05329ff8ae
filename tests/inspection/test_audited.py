from __future__ import annotations

import json
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.audit_text import audit_lines
from avsieve.inspection.audited import embeddings_of_run, settings_of_run

FOUND = {
    "utterances": 1480, "flagged": 102, "injected": 134, "set_aside": 7, "outside": 0.277,
    "measured": {"precision": {"value": 0.978, "low": 0.826, "high": 1.0}, "recall": {"value": None}},
    "estimated": {"precision": 0.99, "recall": 0.987, "f1": None},
    "recall_by_kind": {"audio": 0.893, "mixed": 0.0}, "recall_by_person": {"any": 0.97},
    "mixed_voices": {"found": 0.0, "hidden_at_most": 112.6, "recall": {"value": 0.64, "low": 0.27, "high": 0.95}},
}  # fmt: skip


def test_the_settings_are_those_that_the_run_decided_with(copied: Path) -> None:
    path = copied / "results" / "lists" / "summary.json"
    summary = json.loads(path.read_text())
    summary["settings"] |= {"policy": "audio", "threshold": 0.7}
    path.write_text(json.dumps(summary))
    found = settings_of_run(path)
    assert (found.policy, found.threshold, found.method) == ("audio", 0.7, "posterior")
    path.write_text("{}")
    with pytest.raises(AvsieveError, match=r"summary.json: no settings of a cleansing .* cleanse the list again"):
        settings_of_run(path)


def test_embeddings_are_found_shard_by_shard(copied: Path) -> None:
    found = embeddings_of_run(copied / "results")
    assert {m: [path.name for path in paths] for m, paths in found.items()} == {
        "audio": ["000.parquet", "001.parquet"],
        "visual": ["000.parquet", "001.parquet"],
    }
    found["visual"][1].unlink()
    with pytest.raises(AvsieveError, match=r"embed_visual/001.parquet: no such embeddings; .*snakemake embed"):
        embeddings_of_run(copied / "results")
    with pytest.raises(AvsieveError, match=r"no plan of shards"):
        embeddings_of_run(copied)


def test_every_figure_of_an_audit_has_a_line() -> None:
    lines = audit_lines(FOUND)
    of = {line[:22].strip(): line[22:].split(maxsplit=1) for line in lines}
    assert of["precision measured"] == ["0.978", "95 %: 0.826 to 1.000"]
    assert of["recall measured"] == ["-"]
    assert of["recall of audio"][0] == "0.893"
    assert of["mixed voices"][0] == "113"
    assert of["recall with them"][0] == "0.640"
    without = audit_lines(FOUND | {"mixed_voices": None})
    assert len(without) == len(lines) - 2
