"""A stand-in for conda, where none can be had: answers what Snakemake asks, and makes virtual environments.

`conda env create` makes an environment of Python's own and installs the packages that the yaml lists, by the names that
they have on PyPI. It solves as pip does and not as conda does: what conda would choose stays unseen. With
``STAND_IN_LINKED`` set nothing is installed; the packages of the Python that runs this are seen instead, in seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import yaml

# conda-forge's name -> PyPI's, where they differ.
NAMES = {"pytorch": "torch", "pytorch-gpu": "torch", "matplotlib-base": "matplotlib", "snakemake-minimal": "snakemake"}
LINKED = "STAND_IN_LINKED"
# What each start of an environment's Python notes in the environment: the command line.
TELLING = """\
import os, sys
with open(os.path.join(sys.prefix, "called.txt"), "a") as file:
    file.write(" ".join(sys.orig_argv[1:]) + "\\n")
"""
ACTIVATE = """\
export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"
unset PYTHONPATH PYTHONHOME
"""


def requirements(environment: Path) -> list[str]:
    """Return what pip is to install for an environment's yaml; Python itself and pip are there."""
    found: list[str] = []
    for item in yaml.safe_load(environment.read_text())["dependencies"]:
        if isinstance(item, dict):
            found += item["pip"]
            continue
        name, _, limits = item.partition(" ")
        if name not in ("python", "pip"):
            found.append(NAMES.get(name, name) + limits.replace(" ", ""))
    return found


def create(environment: Path, prefix: Path) -> None:
    """Make an environment."""
    linked = bool(os.environ.get(LINKED))
    venv.create(prefix, with_pip=not linked, symlinks=True)
    [site] = prefix.glob("lib/python*/site-packages")
    if linked:
        (site / "linked.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    else:
        command = [
            str(prefix / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            *requirements(environment),
        ]
        subprocess.run(command, check=True)
    (site / "sitecustomize.py").write_text(TELLING)
    # Beside it lies the list that it was made of, as an answer to what is in it.
    (prefix / "made_of.txt").write_text("".join(f"{line}\n" for line in requirements(environment)))


def install(root: Path) -> Path:
    """Put `conda` and `activate` into a folder, and return it: what is to stand first in PATH."""
    (root / "bin").mkdir(parents=True)
    program = root / "bin" / "conda"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" --root "{root}" "$@"\n')
    program.chmod(0o755)
    (root / "bin" / "activate").write_text(ACTIVATE)
    return root / "bin"


def main() -> None:
    """Answer one call."""
    ap = argparse.ArgumentParser()
    ap.add_argument("--root", type=Path, required=True)
    ap.add_argument("--version", action="store_true")
    ap.add_argument("words", nargs="*")
    for flag in ("--json", "--quiet", "--no-default-packages", "-y", "--tarballs"):
        ap.add_argument(flag, action="store_true")
    ap.add_argument("--get")
    ap.add_argument("--file", type=Path)
    ap.add_argument("--prefix", type=Path)
    args = ap.parse_args()
    if args.version:
        sys.stdout.write("conda 25.1.0\n")
    elif args.words == ["info"]:
        json.dump({"conda_version": "25.1.0", "conda_prefix": str(args.root), "platform": "linux-64"}, sys.stdout)
    elif args.words == ["config"]:
        json.dump({"get": {"channel_priority": "strict"}}, sys.stdout)
    elif args.words == ["env", "create"]:
        create(args.file, args.prefix)
    elif args.words != ["clean"]:
        ap.error(f"the stand-in does not know {args.words}")


if __name__ == "__main__":
    main()
