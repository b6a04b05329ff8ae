"""How a run is asked for: stages by name, reasons that can be read, other shards, other sources, other folders."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from avsieve.config.model import Config
from avsieve.export.registry import FORMS

from .conftest import TINY, Project, copy_project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]


def reasons(project: Project, *arguments: str) -> str:
    """Return what a dry run says, reasons included."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(project.root / "workflow" / "Snakefile"), "-n"]
    command += ["--directory", str(project.work), "--cores", "1", "--configfile", str(project.work / "tiny.yaml")]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True, env=project.environment())
    return done.stdout + done.stderr


def test_a_reason_names_the_module_that_was_edited_and_no_other(project: Project) -> None:
    project.edit("src/avsieve/faces/template.py", "import numpy as np\n", "import numpy as np\n\nEDITED = 1\n")
    shown = reasons(project)
    told = re.findall(r"before: '(\S+) \w+' now: '(\S+) \w+'", shown)
    assert told
    assert set(told) == {("avsieve.faces.template", "avsieve.faces.template")}


def test_a_reason_names_the_script_and_the_setting(project: Project) -> None:
    script = "workflow/scripts/clean_list.py"
    project.edit(script, "from pathlib import Path\n", "from pathlib import Path\n\nEDITED = 1\n")
    shown = reasons(project)
    assert re.search(r"before: 'clean_list.py \w+' now: 'clean_list.py \w+'", shown)
    assert re.search(r"now: .*--threshold 0.7", reasons(project, "--config", "cleansing={threshold: 0.7}"))


def test_every_rule_of_the_library_carries_the_hashes_of_its_code_one_by_one(repository: Path) -> None:
    for path in sorted((repository / "workflow" / "rules").glob("*.smk")):
        for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), re.MULTILINE):
            if name != "remove_old_shards" and "AVSIEVE_SCRIPTS" in body:
                assert "        *W.code(" in body, f"{path.name}: {name}"
        assert not re.search(r"=\s*W\.code\(", path.read_text()), f"{path.name}: *W.code(...), so that each is a param"


@pytest.mark.parametrize(
    ("stage", "forced", "before"),
    [
        ("fetch", {"fetch_media"}, {"plan_shards"}),
        ("extract", {"extract_media"}, {"fetch_media"}),
        ("align", {"align_faces"}, {"extract_media"}),
        ("embed", {"embed_audio", "embed_visual"}, {"align_faces"}),
        ("score", {"pool_speakers", "score_utterances", "merge_scores"}, {"embed_audio"}),
        ("clean", {"clean_list", "list_utterances"}, {"merge_scores"}),
        ("train", {"train_fusion"}, {"clean_list"}),
        ("evaluate", {"make_trials", "evaluate_fusion"}, {"train_fusion"}),
        ("report", {"write_report"}, {"evaluate_fusion"}),
    ],
)
def test_forcing_a_stage_forces_its_rules(finished: Project, stage: str, forced: set[str], before: set[str]) -> None:
    planned = set(finished.planned("--forcerun", stage, "--", stage))
    assert forced <= planned
    assert not before & planned


def test_every_target_that_the_texts_name_can_be_asked_for(finished: Project, repository: Path) -> None:
    texts = [repository / "README.md", repository / "config/README.md", *sorted((repository / "docs").rglob("*.md"))]
    texts += [*sorted((repository / "src").rglob("*.py")), *sorted((repository / "workflow").rglob("*.smk"))]
    named = set()
    for path in texts:
        for words in re.findall(r"`snakemake ([^`]*)`", path.read_text(encoding="utf-8")):
            plain = re.sub(r"--?[\w-]+(?:[ =](?:'[^']*'|\S+=\S+|\d+|N))?", " ", words.replace("--forcerun", ""))
            named |= {word for word in plain.split() if re.fullmatch(r"[a-z_]+", word)}
    assert {"audit_noise", "train_encoders", "train_audio_encoders", "compare_lists", "export_tree"} <= named
    listed = finished.snakemake("--list-rules").stdout + finished.snakemake("--list-target-rules").stdout
    targets = set(finished.snakemake("--list-target-rules").stdout.split())
    known = set(listed.split())
    # Rules with wildcards are named for --forcerun alone.
    assert {name for name in named if name not in targets} <= {"fetch_media"}
    assert named <= known
    every = set(re.findall(r'"reruns": "(\w+)"', json.dumps(Config.model_json_schema()))) - {"none", "refused"}
    assert {"align_faces", "train_audio"} <= every
    # Those of every source, of which this run has one.
    files = sorted((repository / "workflow" / "rules").glob("*.smk"))
    rule = re.compile(r"^(?:use rule \w+ as|rule) (\w+)", re.MULTILINE)
    names = {name for path in files for name in rule.findall(path.read_text())}
    assert every <= names | {f"export_{form}" for form in FORMS}


def test_fewer_shards_leave_files_that_are_told_not_read_and_removed_on_request(project: Project) -> None:
    results = project.work / "results"
    before = {path.name for path in (results / "align").glob("*.status.parquet")}
    assert before == {"000.status.parquet", "001.status.parquet"}
    (project.work / "tiny.yaml").write_text(TINY.replace("shards: 2", "shards: 1"))
    shown = project.snakemake("-n")
    assert "1 shard more than the configuration has (shards: 1): 001. Nothing reads them" in shown.stdout + shown.stderr
    project.snakemake()
    text = (results / "report/summary.txt").read_text()
    assert "utterances        30 of 5 speakers" in text
    page = (results / "report/index.html").read_text()
    assert re.search(r"align_faces</code></td><td[^>]*>1</td>", page), "the report counts a shard that is gone"
    project.snakemake("--", "remove_old_shards")
    assert not list(results.rglob("001.*"))
    shown = project.snakemake("-n")
    assert "Nothing reads them" not in shown.stdout + shown.stderr
    assert project.planned() == {}


def test_another_source_is_not_run_over_the_results_of_the_first(finished: Project, tmp_path: Path) -> None:
    (tmp_path / "mp4").mkdir()
    before = finished.outputs()
    words = f"source={{kind: tree, tree: {{root: '{tmp_path / 'mp4'}'}}}}"
    for dry in (["-n"], []):
        done = finished.snakemake(*dry, "--config", words, check=False)
        assert done.returncode == 1
        shown = done.stdout + done.stderr
        assert "results holds a run of the source synthetic, and the configuration names the source tree" in shown
        assert "--directory" in shown
        assert "Traceback" not in shown
    assert finished.outputs() == before


def test_a_plan_says_what_a_run_would_lack(repository: Path, tmp_path: Path) -> None:
    project = copy_project(repository, tmp_path)
    for words, told in (
        ("source={kind: tree, tree: {root: nowhere}}", "source.tree.root: nowhere is not there"),
        ("source={kind: archive, archive: {video: [no*.zip]}}", "source.archive.video: nothing matches no*.zip"),
        ("source={kind: tree, tree: {root: ., train_list: no.txt}}", "no.txt"),
    ):
        done = project.snakemake("-n", "--config", words, check=False)
        assert done.returncode == 1
        assert told in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
    environment = {**project.environment(), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(project.root / "workflow" / "Snakefile"), "-n"]
    command += ["--directory", str(project.work), "--cores", "1"]
    done = subprocess.run(
        [*command, "--config", "device=cuda"], capture_output=True, text=True, check=False, env=environment
    )
    assert "device is cuda, but this machine has no GPU" in done.stdout + done.stderr
    (tmp_path / "tools").mkdir()  # the plugin for Slurm asks `which` when Snakemake loads it
    (tmp_path / "tools" / "which").symlink_to(shutil.which("which") or "/usr/bin/which")
    nothing = {**environment, "PATH": str(tmp_path / "tools")}
    done = subprocess.run([*command, "--use-conda"], capture_output=True, text=True, check=False, env=nothing)
    assert "--use-conda: there is no conda on PATH; install Miniforge" in done.stdout + done.stderr


def test_a_folder_of_ones_own_needs_no_copy_of_the_configuration(repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "workflow" / "Snakefile")]
    (tmp_path / "my.yaml").write_text(TINY)
    (tmp_path / "elsewhere").mkdir()
    command += ["--directory", "elsewhere", "--configfile", "my.yaml", "--cores", "1", "--", "plan_shards"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert (tmp_path / "elsewhere/results/plan/utterances.parquet").is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["elsewhere", "my.yaml"]
