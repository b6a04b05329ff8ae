"""Decoding and aligning in one rule, with media.keep_frames: false."""

from __future__ import annotations

import pytest

from avsieve.storage.tables import read_table

from .conftest import Project

# One worker for all of them: the finished run that they look at is made once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]
FUSED = ("--config", "media={keep_frames: false}")


def test_one_rule_takes_the_place_of_two_and_what_follows_works_on(project: Project) -> None:
    embedded = "results/embed_visual/000.parquet"
    planned = project.planned(*FUSED)
    assert planned["extract_faces"] == 2
    assert planned["embed_audio"] == planned["embed_visual"] == 2
    assert not {"extract_media", "align_faces", "fetch_media"} & set(planned)
    results = project.work / "results"
    before = read_table(results / "embed_visual/000.parquet")
    for path in [*results.glob("extract/*"), *results.glob("align/*")]:
        path.unlink()
    project.snakemake(*FUSED, "--", embedded)
    after = read_table(project.work / embedded)
    assert after["utterance"].tolist() == before["utterance"].tolist()
    assert after["n_faces"].tolist() == before["n_faces"].tolist()
    kept = {path.name for stage in ("extract", "align") for path in (results / stage).iterdir()}
    assert kept == {
        "000.wav.tar", "000.wav.parquet", "000.status.parquet", "000.json", "000.faces.tar", "000.faces.parquet",
        "000.detections.parquet",
    }  # fmt: skip
    for stage in ("extract", "align"):
        assert len(read_table(results / stage / "000.status.parquet")) > 0


def test_stages_are_targets_of_the_fused_line_too(finished: Project) -> None:
    assert set(finished.planned(*FUSED, "--", "extract", "align")) == {"extract_faces", "extract", "align"}
