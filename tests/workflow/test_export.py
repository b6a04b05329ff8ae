"""A finished run leaves in other layouts, on request."""

from __future__ import annotations

import pytest

from avsieve.export.registry import FORMS
from avsieve.lists.train_list import read_train_list

from .conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]


def test_a_finished_run_is_exported_and_a_second_request_has_nothing_to_do(project: Project) -> None:
    targets = [f"export_{form}" for form in FORMS]
    project.snakemake("--", *targets)
    kept = read_train_list(project.work / "results/lists/train_clean.txt")["utterance"]
    out = project.work / "export"
    assert sorted(p.stem for p in (out / "tree/wav").rglob("*.wav")) == sorted(u.split("/")[2] for u in kept)
    assert read_train_list(out / "tree/train_clean.txt")["utterance"].tolist() == kept.tolist()
    assert (out / "webdataset/000000.tar").is_file()
    assert (out / "parquet/part-00000-of-00001.parquet").is_file()
    assert project.planned("--", *targets) == {}
    project.edit("src/avsieve/export/selection.py", "2**64", "2**63")
    assert set(project.planned("--", *targets)) == set(targets)
