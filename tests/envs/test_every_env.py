"""Every rule in an environment made of its own yaml, from PyPI: it takes minutes and gigabytes, so only if asked for.

``AVSIEVE_ENVS=cpu`` runs every rule of two tiny runs, as CI does; ``AVSIEVE_ENVS=1`` (`make envs`) makes the other
environments, too, and solves those for GPUs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.every_rule import TARGETS

from .conda_stand_in import requirements

ASKED = os.environ.get("AVSIEVE_ENVS")
pytestmark = pytest.mark.skipif(not ASKED, reason="takes long: make envs")
all_of_them = pytest.mark.skipif(ASKED == "cpu", reason="takes long: make envs")

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted((ROOT / "workflow" / "envs").glob("*.yaml"))
# What no script of these rules tells: modules that a family is there for, of rules that the tiny run does not have.
HELD = {
    "speech-onnx": ["onnxruntime", "torch"], "wavlm": ["torch", "transformers"],
    "training": ["insightface", "onnx", "lightning_fabric", "torch"], "snakemake": ["snakemake", "pydantic"],
}  # fmt: skip


def families_of_rules() -> dict[str, set[str]]:
    """Return the families of the rules' environments, by their script, where they are named as they are."""
    own = re.compile(r'W\.env\("(\w+)"\)(?:.|\n)*?AVSIEVE_SCRIPTS/(\w+)\.py')
    rules = [path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    found: dict[str, set[str]] = {}
    for text in rules:
        for family, script in own.findall(text):
            found.setdefault(script, set()).add(family)
    return found


def test_every_rule_runs_in_an_environment_of_its_own_yaml(snakemake: Callable[..., str], tmp_path: Path) -> None:
    snakemake("--", *TARGETS)
    simulated = ["simulate", "--sequences", "--out", str(tmp_path / "brought" / "data"), "--speakers", "12"]
    subprocess.run([sys.executable, "-m", "avsieve", *simulated], check=True)
    snakemake("--", "all", config="brought")
    # Frames that are not kept: decoding and aligning in one job.
    snakemake("--forcerun", "extract_faces", "--config", "media={keep_frames: false}", "--", "align")
    called: dict[str, set[str]] = {}
    for path in (tmp_path / "envs").glob("*.yaml"):
        [family] = [own.stem for own in ENVIRONMENTS if own.read_text() == path.read_text()]
        told = (path.with_suffix("") / "called.txt").read_text()
        called[family] = set(re.findall(r"workflow/scripts/(\w+)\.py", told))
    families = families_of_rules()
    elsewhere = {
        (script, family) for family, scripts in called.items() for script in scripts
        if family not in families.get(script, {family})
    }  # fmt: skip
    assert elsewhere == set()
    assert {"core", "media", "faces", "torch", "encoders", "report"} <= set(called)
    # Not in it: the models that ship with the package.
    apart = {"render_people", "train_tiny_detector", "export_face_encoder", "train_tiny_audio"}
    scripts = {path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py")}
    assert scripts - set().union(*called.values()) == apart
    shutil.rmtree(tmp_path / "envs")  # pytest keeps the folders of some runs, and these are large


@all_of_them
@pytest.mark.parametrize("family", HELD)
def test_the_other_environments_are_made_and_hold_what_they_are_for(
    family: str, bin_folder: Path, tmp_path: Path
) -> None:
    prefix = tmp_path / "prefix"
    made = [bin_folder / "conda", "env", "create", "--file", ROOT / "workflow/envs" / f"{family}.yaml"]
    subprocess.run([*made, "--prefix", prefix], check=True)
    subprocess.run([prefix / "bin" / "python", "-c", f"import {', '.join(HELD[family])}"], check=True)
    subprocess.run([prefix / "bin" / "python", "-m", "pip", "check"], check=True)


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return uv, which reads what packages need from the index or from the head of a wheel, and downloads none.

    pip downloads each wheel to solve, and takes torch for the CPU where such a wheel lies on the disk.
    """
    folder = tmp_path_factory.mktemp("uv")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), "uv"], check=True)
    return folder / "bin" / "uv"


@all_of_them
@pytest.mark.parametrize("path", [p for p in ENVIRONMENTS if p.stem.endswith("-gpu")], ids=lambda path: path.stem)
def test_the_environments_for_gpus_can_be_solved(path: Path, uv: Path, tmp_path: Path) -> None:
    (tmp_path / "wanted.txt").write_text("".join(f"{line}\n" for line in requirements(path)))
    command = [uv, "pip", "compile", "--no-config", "--no-build", "--quiet", "--python-platform", "linux"]
    command += ["--cache-dir", uv.parents[1] / "cache", "--output-file", tmp_path / "solved.txt"]
    certificates = {"SSL_CERT_FILE": os.environ["PIP_CERT"]} if "PIP_CERT" in os.environ else {}
    subprocess.run([*command, tmp_path / "wanted.txt"], check=True, env=os.environ | certificates)
    solved = re.findall(r"^([\w.-]+)==", (tmp_path / "solved.txt").read_text(), re.MULTILINE)
    assert {"torch", "onnxruntime-gpu"} & set(solved)
    assert "onnxruntime" not in solved, "it cannot live beside onnxruntime-gpu"
    assert any(name.startswith("nvidia-") for name in solved), "builds for the CPU"
