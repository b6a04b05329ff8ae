"""Python, packages, ffmpeg and Snakemake: what is installed, and whether it is what the code needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.encoders.registry import AUDIO, VISUAL
from avsieve.sources.findings import Finding

if TYPE_CHECKING:
    from avsieve.config.model import Config

PYTHON_NEEDED = (3, 11)


def installed(package: str) -> str | None:
    """Return the version of an installed package, without importing it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def declared() -> list[str]:
    """Return the requirements that the project declares, extras marked: of the checkout, else of the installation."""
    import tomllib

    path = Path(__file__).resolve().parents[3] / "pyproject.toml"
    if not path.is_file():
        try:
            return requires("avsieve") or []
        except PackageNotFoundError:
            return []
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    return [*project["dependencies"], *(f'{r}; extra == "{e}"' for e, rs in extras.items() for r in rs)]


def check_software(config: Config, *, conda: bool = False) -> list[Finding]:
    """Look at Python, the packages, ffmpeg and conda."""
    extras = [extra for extra in (AUDIO[config.audio.arch].extra, VISUAL[config.visual.arch].extra) if extra]
    source = config.source.contract
    ffmpeg = _ffmpeg(source.name, needed=source.encodes)
    findings = [_python(), *_packages(extras), *_runtimes(), *ffmpeg]
    if config.training.tensorboard and installed("tensorboard") is None:
        findings.append(
            Finding("warning", "tensorboard", "not installed, and training.tensorboard asks for it",
                    "pip install tensorboard, or set training.tensorboard to false")
        )  # fmt: skip
    return [*findings, _conda(wanted=conda)]


def _conda(*, wanted: bool) -> Finding:
    if shutil.which("conda"):
        text = "with --use-conda each stage has an environment of its own; device and models are looked at in this one"
        return Finding("note" if wanted else "ok", "conda", text)
    if wanted:
        return Finding("error", "conda", "--use-conda, but no conda is on PATH", "install conda, or run without it")
    return Finding("note", "conda", "not on PATH: run without --use-conda, in this environment")


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= PYTHON_NEEDED:
        return Finding("ok", "Python", found)
    return Finding("error", "Python", f"{found}; expected 3.11 or newer", "make an environment with a newer Python")


def _packages(extras: list[str]) -> list[Finding]:
    if find_spec("packaging") is None:
        return [Finding("note", "packages", "versions not compared: the package `packaging` is not installed")]
    from packaging.requirements import Requirement

    findings, count = [], 0
    for line in declared():
        need = Requirement(line)
        if need.name == "avsieve" or (
            need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in ["", *extras])
        ):
            continue
        count += 1
        found = installed(need.name)
        if found is None and need.name == "onnxruntime":
            found = installed("onnxruntime-gpu")
        wanted = f"{need.name}{need.specifier}"
        if found is None:
            findings.append(Finding("error", need.name, "not installed", f"pip install '{wanted}'"))
        elif not need.specifier.contains(found, prereleases=True):
            findings.append(
                Finding("warning", need.name, f"{found}; expected {need.specifier}", f"pip install '{wanted}'")
            )
    if not findings:
        shown = ", ".join(f"{p} {installed(p)}" for p in ("snakemake", "torch", "insightface", "av") if installed(p))
        findings.append(Finding("ok", "packages", f"{count} packages, all in their ranges ({shown})"))
    return findings


def _runtimes() -> list[Finding]:
    cpu, gpu = installed("onnxruntime"), installed("onnxruntime-gpu")
    if cpu and gpu:
        return [
            Finding(
                "error", "onnxruntime",
                f"onnxruntime {cpu} and onnxruntime-gpu {gpu} are both installed: one overwrites the other's files",
                "pip uninstall -y onnxruntime onnxruntime-gpu, then install the one you want "
                "(workflow/envs/faces-gpu.yaml shows how for CUDA)",
            )
        ]  # fmt: skip
    return []


def ffmpeg_facts() -> dict[str, Any] | str:
    """Return ``binary``, ``version`` and ``encoders`` of the ffmpeg that would be run, or why there is none."""
    try:
        from avsieve.media.ffmpeg import ffmpeg_binary

        binary = ffmpeg_binary()
        told = [
            subprocess.run(
                [binary, "-hide_banner", flag], capture_output=True, text=True, timeout=20, check=True
            ).stdout
            for flag in ("-version", "-encoders")
        ]
    except ImportError as error:
        return f"cannot be looked for: {error}"
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return f"cannot be run: {str(error).splitlines()[0]}"
    found = re.search(r"version (\S+)", told[0])
    encoders = set(re.findall(r"^ [VA]\S* (\S+)", told[1], re.MULTILINE))
    return {"binary": binary, "version": found.group(1) if found else "unknown", "encoders": encoders}


def _ffmpeg(kind: str, *, needed: bool) -> list[Finding]:
    facts = ffmpeg_facts()
    remedy = "install ffmpeg, or pip install --force-reinstall imageio-ffmpeg, which brings one"
    if isinstance(facts, str):
        why = "" if needed else f"; source.kind {kind} needs none, clips are decoded by PyAV"
        return [Finding("error" if needed else "note", "ffmpeg", facts + why, remedy if needed else "")]
    missing = [name for name in ("libx264", "aac") if name not in facts["encoders"]]
    text = f"{facts['version']} ({facts['binary']})"
    if missing and needed:
        return [
            Finding("error", "ffmpeg", f"{text} lacks {', '.join(missing)}, which source.kind {kind} needs", remedy)
        ]
    return [Finding("ok", "ffmpeg", text)]
