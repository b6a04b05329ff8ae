"""What the rules ask for: shards, command-line flags, code hashes and environments, all from the configuration.

This module runs inside Snakemake and imports nothing heavier than pydantic.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from avsieve.codehash import code_hash
from avsieve.config import parse_config
from avsieve.ids import shard_names


def flags(values: BaseModel | dict[str, Any], *, leave: Iterable[str] = ()) -> str:
    """Write settings as command-line flags: ``min_score: 0.5`` becomes ``--min-score 0.5``.

    ``None`` and empty lists are left out, true and false become ``--x`` and ``--no-x``, and keys in ``leave`` are
    passed over.
    """
    items = values.model_dump() if isinstance(values, BaseModel) else values
    words: list[str] = []
    for name, value in items.items():
        flag = f"--{name.replace('_', '-')}"
        if name in leave or value is None or value == []:
            continue
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        elif isinstance(value, list | tuple):
            words += [flag, *(shlex.quote(str(item)) for item in value)]
        else:
            words += [flag, shlex.quote(str(value))]
    return " ".join(words)


def shell_prefix(src: Path, scripts: Path, *, own_environments: bool) -> str:
    """Return what runs before every shell command.

    Snakemake unsets ``PYTHONPATH`` in conda environments, so it is set here. Without environments of its own a job
    runs under the Python that runs Snakemake, whether or not its environment is activated.
    """
    python = "" if own_environments else f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
    return (
        f"set -euo pipefail; {python}export PYTHONPATH={shlex.quote(str(src))} "
        f"AVSIEVE_SCRIPTS={shlex.quote(str(scripts))} PYTHONHASHSEED=0; "
    )


class Wiring:
    """The configuration as the rules see it."""

    def __init__(self, values: dict[str, Any], basedir: str | Path) -> None:
        self.config = parse_config(values)
        self.basedir = Path(basedir)
        self.scripts = self.basedir / "scripts"
        self.src = self.basedir.parent / "src"
        self.shards = shard_names(self.config.shards)
        self.gpu = int(self.config.device == "cuda")
        source = self.config.source
        self.is_synthetic = source.kind == "synthetic"
        self.train_list = [] if source.tree.train_list is None else [source.tree.train_list]
        """The training list that the user gave, as an input of the plan."""
        self.roots: dict[str, str | None] = (
            {"train_root": "results/media"}
            if self.is_synthetic
            else {"train_root": source.tree.root, "test_root": source.tree.test_root}
        )
        """Folders that the paths of the media index start from."""
        truth = "results/truth/truth.csv" if self.is_synthetic else source.truth
        self.truth = [] if truth is None else [truth]
        """Who is really seen and heard, where that is known; an input of the report only."""

    def media_inputs(self, wildcards: Any) -> list[str]:
        """Return the files of a shard, beside its index, that the clips lie in and that this run made."""
        return [f"results/media/{wildcards.shard}.clips.tar"] if self.is_synthetic else []

    def code(self, rule: str, *modules: str) -> str:
        """Return the hash of a rule's script, of what it imports, and of ``modules`` that it loads by name."""
        return code_hash(self.scripts / f"{rule}.py", self.src, modules)

    def env(self, family: str) -> str:
        """Return the conda environment of a family of stages; networks have one for CUDA of their own."""
        suffix = "-gpu" if self.gpu and family in ("faces", "torch") else ""
        return f"../envs/{family}{suffix}.yaml"
