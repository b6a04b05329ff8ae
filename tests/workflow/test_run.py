"""The whole pipeline on a very small corpus: what it leaves behind, and what runs again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from avsieve.lists.train_list import read_clean_list, read_train_list
from avsieve.storage.tables import read_table

from .conftest import Project

# One worker for all of them: the finished run that they look at is made once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]

# What each stage plans when it and everything after it runs again, with two shards.
AFTER_CLEAN = {"clean_list", "train_fusion", "evaluate_fusion", "write_report", "all"}
AFTER_SCORE = AFTER_CLEAN | {"score_utterances", "merge_scores"}
AFTER_ALIGN = AFTER_SCORE | {"align_faces", "embed_visual", "pool_speakers"}


def test_the_line_runs_and_leaves_what_it_promises(finished: Project) -> None:
    results = finished.work / "results"
    for name in (
        "lists/train_all.txt", "lists/train_all_clean.txt", "lists/train_clean.txt", "lists/train_clean_audio.txt",
        "lists/train_clean_visual.txt", "scores/scores.parquet",
        "evaluation/results.csv", "report/index.html", "report/summary.txt",
    ):  # fmt: skip
        assert (results / name).stat().st_size > 0, name
    listed = read_train_list(results / "lists/train_all.txt")
    flagged = read_clean_list(results / "lists/train_all_clean.txt")
    assert flagged["utterance"].tolist() == listed["utterance"].tolist()
    assert len(listed) == 5 * 3 * 2
    kept = read_train_list(results / "lists/train_clean.txt")
    assert kept["utterance"].tolist() == flagged.loc[flagged["clean"] == 1, "utterance"].tolist()
    assert len(read_table(results / "scores/scores.parquet")) == len(listed)
    evaluated = pd.read_csv(results / "evaluation/results.csv")
    assert {"audio", "visual", "score_average", "concatenation", "gated"} <= set(evaluated["model"])
    assert evaluated["eer"].between(0, 1).all()


def test_every_stage_has_a_row_for_every_utterance(finished: Project) -> None:
    plan = read_table(finished.work / "results/plan/utterances.parquet")
    for stage in ("media", "extract", "align", "embed_audio", "embed_visual"):
        status = pd.concat([read_table(p) for p in (finished.work / "results" / stage).glob("*.status.parquet")])
        assert sorted(status["utterance"]) == sorted(plan["utterance"]), stage


def test_no_output_names_a_folder_of_this_machine(finished: Project) -> None:
    for name, content in finished.outputs().items():
        if not name.endswith((".tar", ".html")):
            assert str(finished.work).encode() not in content, name
            assert str(finished.root).encode() not in content, name


def test_a_second_run_has_nothing_to_do(finished: Project) -> None:
    assert finished.planned() == {}


def test_stages_are_targets(finished: Project) -> None:
    for stage in ("fetch", "extract", "align", "embed", "score", "clean", "train", "evaluate", "report"):
        assert set(finished.planned("--", stage)) <= {stage}


def test_an_edit_of_the_alignment_reruns_it_and_what_follows(project: Project) -> None:
    project.edit("src/avsieve/faces/template.py", "import numpy as np\n", "import numpy as np\n\nEDITED = 1\n")
    planned = project.planned()
    assert set(planned) == AFTER_ALIGN
    assert planned["align_faces"] == 2
    assert planned["embed_visual"] == 2


@pytest.mark.parametrize(
    ("path", "after", "first"),
    [
        ("src/avsieve/media/decode.py", "import av\n", "extract_media"),
        ("src/avsieve/cleansing/decisions.py", "import numpy as np\n", "clean_list"),
        ("src/avsieve/synthetic/corpus.py", "import pandas as pd\n", "plan_shards"),
        ("workflow/scripts/embed_audio.py", "from pathlib import Path\n", "embed_audio"),
    ],
)
def test_an_edit_reruns_its_stage_and_none_before_it(project: Project, path: str, after: str, first: str) -> None:
    order = ["plan_shards", "fetch_media", "extract_media", "align_faces", "embed_audio", "pool_speakers"]
    order += ["score_utterances", "clean_list", "train_fusion", "evaluate_fusion"]
    project.edit(path, after, f"{after}\nEDITED = 1\n")
    planned = set(project.planned())
    assert first in planned
    assert not planned & set(order[: order.index(first)])
    assert {"clean_list", "write_report"} <= planned


def test_what_is_no_code_reruns_nothing(project: Project) -> None:
    ahead = time.time() + 86400  # the clock of a file server may be ahead
    for path in [*project.root.rglob("*.py"), *project.root.rglob("*.smk")]:
        os.utime(path, (ahead, ahead))
    project.edit(
        "src/avsieve/faces/template.py", "import numpy as np\n", "import numpy as np  # arrays\n\n\n# A remark.\n"
    )
    project.edit("src/avsieve/media/decode.py", '"""Decode a clip once', '"""Decode each clip once')
    assert project.planned() == {}


def test_a_branch_switch_and_back_reruns_nothing(project: Project) -> None:
    file = project.root / "src/avsieve/media/decode.py"
    text = file.read_text()
    file.write_text(text + "\nOTHER_BRANCH = 1\n")
    assert "extract_media" in project.planned()
    file.write_text(text)
    assert project.planned() == {}


def test_a_moved_project_reruns_nothing(project: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for name in ("checkout", "work"):
        (tmp_path / name).rename(tmp_path / "elsewhere" / name)
    moved = Project(tmp_path / "elsewhere" / "checkout", tmp_path / "elsewhere" / "work")
    assert moved.planned() == {}


@pytest.mark.parametrize(
    ("setting", "first", "untouched"),
    [
        ("cleansing={threshold: 0.7}", "clean_list", ["merge_scores", "list_utterances"]),
        ("cleansing={policy: audio}", "clean_list", ["merge_scores", "list_utterances"]),
        ("faces={min_score: 0.6}", "align_faces", ["extract_media", "embed_audio"]),
        ("audio={segments: [{name: hops, length_s: 1.5}]}", "embed_audio", ["extract_media", "embed_visual"]),
        ("media={jpeg_quality: 90}", "extract_media", ["fetch_media"]),
    ],
)
def test_a_changed_setting_reruns_its_stage_and_none_before_it(
    finished: Project, setting: str, first: str, untouched: list[str]
) -> None:
    planned = finished.planned("--config", setting)
    assert first in planned
    assert not set(planned) & set(untouched)


def test_an_audit_that_is_there_is_shown_and_never_asked_for(project: Project) -> None:
    audit = project.work / "results/audit/audit.json"
    audit.parent.mkdir()
    audit.write_text("{}")
    assert set(project.planned()) == {"write_report", "all"}
    audit.write_text('{"list_sha256": "0"}')
    project.snakemake()
    page = (project.work / "results/report/index.html").read_text(encoding="utf-8")
    assert "Not shown: the audit is of another list (0, not " in page
    assert project.planned() == {}
    audit.unlink()
    assert set(project.planned("--config", "report={with_audit: true}")) == {"audit_noise", "write_report", "all"}


def test_a_wrong_setting_ends_with_one_message(finished: Project) -> None:
    done = finished.snakemake("-n", "--config", "cleansing={treshold: 0.7}", check=False)
    assert done.returncode
    shown = done.stdout + done.stderr
    known = "anchors, method, options, policy, review, rounds, rounds_folds, rounds_modalities, threshold"
    assert f"unknown key cleansing.treshold; expected one of {known}" in shown
    assert "Traceback" not in shown


def test_the_finished_run_is_whole_and_current_and_a_damaged_shard_is_made_anew(project: Project) -> None:
    def verified() -> dict[str, Any]:
        command = [sys.executable, "-m", "avsieve", "verify", "results", "--json", "--cores", "2"]
        environment = project.environment() | {"PYTHONPATH": str(project.root / "src")}
        done = subprocess.run(command, cwd=project.work, env=environment, capture_output=True, text=True, check=False)
        found: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == found["status"]
        return found

    found = verified()
    assert (found["status"], found["findings"], found["unrecorded"]) == (0, [], 0)
    assert found["jobs"] > 20
    tar = project.work / "results/extract/000.wav.tar"
    content = bytearray(tar.read_bytes())
    content[600] ^= 1
    tar.write_bytes(content)
    os.utime(tar, (0, 0))  # Snakemake sees nothing of it
    assert verified()["remake"] == ["extract/000.wav.tar"]
    assert project.planned() == {}
    assert project.planned("--forcerun", "results/extract/000.wav.tar")["extract_media"] == 1
    tar.unlink()  # what needs it makes it anew
    assert project.planned("--forcerun", "embed_audio")["extract_media"] == 1


def test_a_second_snakemake_in_the_same_folder_is_refused_with_what_to_do(project: Project) -> None:
    (project.work / "results/report/index.html").unlink()
    locks = project.work / ".snakemake" / "locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.output.lock").write_text("results/report/index.html\n")  # as a run that goes on leaves it
    done = project.snakemake(check=False)
    assert done.returncode
    shown = done.stdout + done.stderr
    assert "Directory cannot be locked" in shown
    assert "--unlock" in shown
    assert "Traceback" not in shown
    assert not (project.work / "results/report/index.html").exists()
