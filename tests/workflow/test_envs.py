"""The conda environments: each holds what the scripts of its rules import, and Snakemake plans with them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from avsieve.cleansing.registry import METHODS
from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.export.registry import FORMS
from avsieve.fusion.registry import MODELS
from avsieve.registry import Registry
from avsieve.runtime.code_facts import statements
from avsieve.sources.registry import SOURCES
from avsieve.wiring.codehash import Library, modules_of

# Import name -> name of the package in an environment, where they differ.
PACKAGES = {
    "cv2": "opencv-python", "sklearn": "scikit-learn", "yaml": "pyyaml", "ffmpeg": "ffmpeg-python",
    "imageio_ffmpeg": "imageio-ffmpeg", "matplotlib": "matplotlib-base", "torch": "pytorch",
    "lightning_fabric": "lightning-fabric", "yt_dlp": "yt-dlp",
    "google": "onnx",  # protobuf comes with it
}  # fmt: skip
# What a rule's script can import but does not need in that family: the networks that another family is for.
ELSEWHERE = {
    # They know fusion models by their labels alone.
    "write_report": {"torch"},
    "compare_lists": {"torch"},
}
HEADS = [name for name, model in MODELS.items() if not model.joint]
JOINT = [name for name, model in MODELS.items() if model.joint]
# What a rule's script loads by name.
PLUG_INS: dict[str, tuple[Registry, Iterable[str]]] = {
    "clean_list": (METHODS, METHODS),
    "audit_noise": (METHODS, METHODS),
    "compare_rounds": (METHODS, METHODS),
    "train_fusion": (MODELS, HEADS),
    "evaluate_fusion": (MODELS, HEADS),
    "compare_lists": (MODELS, HEADS),
    "write_report": (MODELS, HEADS),
    "train_joint": (MODELS, JOINT),
    "embed_joint": (MODELS, JOINT),
    "export": (FORMS, FORMS),
}


def _loaded(registry: Registry, names: Iterable[str]) -> list[str]:
    return [registry.module(name) for name in names]


def rules(repository: Path) -> dict[str, str]:
    """Return the family of environments of every rule that has a script."""
    found: dict[str, str] = {}
    for path in sorted((repository / "workflow" / "rules").glob("*.smk")):
        for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), re.MULTILINE):
            family = re.search(r'W\.env\((?:"(\w+)"|W\.encoder\("(\w+)")', body)
            script = re.search(rf"AVSIEVE_SCRIPTS/({name})\.py", body)
            if family and script:
                found[name] = family.group(1) or {"audio": "torch", "visual": "faces"}[family.group(2)]
    # The rules of the forms are made in a loop, and have one script.
    exports = (repository / "workflow" / "rules" / "export.smk").read_text()
    return found | {"export": re.findall(r'W\.env\("(\w+)"', exports)[0]}


def third_party_imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.split(".")[0])
    return {n for n in names if n not in sys.stdlib_module_names and n != "avsieve"}


def packages_of(environment: Path) -> set[str]:
    names: set[str] = set()
    for item in yaml.safe_load(environment.read_text())["dependencies"]:
        for line in item["pip"] if isinstance(item, dict) else [item]:
            names.add(re.match(r"[A-Za-z0-9_.-]+", line).group(0))  # type: ignore[union-attr]
    return names


def test_every_environment_holds_what_its_rules_import(repository: Path) -> None:
    found = rules(repository)
    assert {"plan_shards", "extract_media", "align_faces", "embed_audio", "clean_list", "write_report"} <= set(found)
    for rule, family in found.items():
        script = repository / "workflow" / "scripts" / f"{rule}.py"
        also = (
            [source.module("plan" if rule == "plan_shards" else "fetch") for source in SOURCES.values()]
            if rule in ("plan_shards", "fetch_media")
            else _loaded(*PLUG_INS.get(rule, (MODELS, [])))
        )
        files = [script, *modules_of(script, Library(repository / "src"), also).values()]
        needed = set().union(*(third_party_imports(f) for f in files)) - ELSEWHERE.get(rule, set())
        held = packages_of(repository / "workflow" / "envs" / f"{family}.yaml")
        missing = {n for n in needed if PACKAGES.get(n, n) not in held}
        assert not missing, f"{rule} imports {missing}, which envs/{family}.yaml does not hold"


@pytest.mark.parametrize(
    ("modality", "arch"), [*(("audio", arch) for arch in AUDIO), *(("visual", arch) for arch in VISUAL)]
)
def test_every_encoder_finds_its_packages(repository: Path, modality: str, arch: str) -> None:
    script, src = repository / "workflow" / "scripts" / f"embed_{modality}.py", repository / "src"
    architecture = {"audio": AUDIO, "visual": VISUAL}[modality][arch]
    files = [script, *modules_of(script, Library(src), architecture.modules).values()]
    needed = {PACKAGES.get(n, n) for f in files for n in third_party_imports(f)}
    family = architecture.environment
    assert needed <= packages_of(repository / "workflow" / "envs" / f"{family}.yaml")
    on_gpu = packages_of(repository / "workflow" / "envs" / f"{family}-gpu.yaml")
    renamed = {"pytorch": {"pytorch-gpu", "torch"}, "onnxruntime": {"onnxruntime-gpu"}}
    # Without its dependencies, by faces-gpu.post-deploy.sh: it asks for the CPU's runtime.
    apart = {"insightface"} if family == "faces" else set()
    assert all(on_gpu & renamed.get(n, {n}) for n in needed - apart)


def test_the_ranges_agree_with_those_of_the_package(repository: Path) -> None:
    text = (repository / "pyproject.toml").read_text()
    for name in ("insightface", "av", "opencv-python", "numpy", "pandas"):
        wanted = re.search(rf'"{name}([<>=][^"]*)"', text)
        assert wanted
        for path in (repository / "workflow" / "envs").glob("*"):
            for found in re.findall(rf"- {name} ?([<>=].*)$", path.read_text(), re.MULTILINE):
                assert found == wanted.group(1), f"{path.name}: {name} {found}"


def test_the_gpu_environments_never_hold_the_cpu_runtime(repository: Path) -> None:
    held = packages_of(repository / "workflow" / "envs" / "faces-gpu.yaml")
    assert "onnxruntime-gpu" in held
    assert not held & {"onnxruntime", "insightface"}
    assert (repository / "workflow" / "envs" / "faces-gpu.post-deploy.sh").is_file()


@pytest.mark.slow
def test_snakemake_plans_with_conda(repository: Path, tmp_path: Path) -> None:
    # A stand-in that answers what Snakemake asks before it plans; nothing is solved or installed.
    facts = {
        "conda_version": "25.1.0",
        "conda_prefix": "/x",
        "root_prefix": "/x",
        "platform": "linux-64",
        "channels": [],
    }
    shim = tmp_path / "bin" / "conda"
    shim.parent.mkdir()
    answers = json.dumps(facts | {"get": {"channel_priority": "strict"}})
    shim.write_text(f"#!/bin/sh\necho '{answers}'\n")
    shim.chmod(0o755)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "workflow" / "Snakefile"), "-n"]
    command += ["--directory", str(tmp_path), "--cores", "2", "--use-conda", "--quiet", "host", "reason"]
    command += ["--jobs", "2"]  # as for a cluster, whose head needs no GPU
    for device, family in (("cpu", "faces"), ("cuda", "faces-gpu")):
        done = subprocess.run(
            [*command, "--config", f"device={device}"],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PATH": f"{shim.parent}:{os.environ['PATH']}"},
        )
        shown = done.stdout + done.stderr
        assert done.returncode == 0, shown
        assert f"envs/{family}.yaml will be created" in shown
