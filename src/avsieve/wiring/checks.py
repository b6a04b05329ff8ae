"""What a run needs and a plan can tell at once: conda, a GPU, the folders of the source. Runs inside Snakemake.

The doctor looks closer; this is what stops `snakemake -n`.
"""

from __future__ import annotations

import os
import shutil
from glob import glob
from pathlib import Path

from avsieve.config.model import Config
from avsieve.errors import ConfigError
from avsieve.wiring.names import looks_like_wildcard


def need_conda() -> None:
    """Stop where environments of their own are wanted and nothing can make them.

    Raises
    ------
    ConfigError
        If there is no conda.
    """
    if shutil.which("conda") is None:
        raise ConfigError(
            "--use-conda: there is no conda on PATH; install Miniforge (conda-forge.org/download), or leave "
            "--use-conda out: then everything uses the Python that runs Snakemake"
        )


def need_plain_folder() -> None:
    """Stop in a working folder that Snakemake itself cannot work in: it looks for its locks by a pattern.

    Raises
    ------
    ConfigError
        If the folder's path has a word in braces.
    """
    if looks_like_wildcard(str(Path.cwd())):
        raise ConfigError(
            f"Snakemake cannot run in {Path.cwd()}: it treats the word in braces as a wildcard; rename the folder, or "
            "run in another one (--directory)"
        )


def has_gpu() -> bool:
    """Tell whether this machine offers a GPU to networks, by what its driver shows; nothing is loaded for it."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1"):
        return False
    signs = [Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd")]  # NVIDIA, the same under WSL, AMD
    return any(sign.exists() for sign in signs) or shutil.which("nvidia-smi") is not None


def need_gpu(config: Config) -> None:
    """Stop where CUDA is asked for and this machine, which runs the jobs, has no GPU.

    Raises
    ------
    ConfigError
        Then.
    """
    if config.device.startswith("cuda") and not has_gpu():
        raise ConfigError(
            f"device is {config.device}, but this machine has no GPU; set device: auto or cpu, or run the jobs where "
            "there is one (--workflow-profile workflow/profiles/slurm)"
        )


def need_source(config: Config) -> None:
    """Stop where a folder or an archive of the source is not there.

    Raises
    ------
    ConfigError
        Naming the first such key.
    """
    source = config.source.contract  # lists and tables are inputs of rules, so Snakemake itself misses them
    for name in source.folders:
        key, value = f"source.{source.name}.{name}", getattr(source.settings, name)
        if value is not None and not os.path.isdir(value):  # noqa: PTH112 - pathlib raises for a name that can be none
            what = "is not a folder" if os.path.exists(value) else "is not there"  # noqa: PTH110 - for the same reason
            raise ConfigError(
                f"{key}: {value} {what} (looked for in {Path.cwd()}); give the folder as an absolute path, or "
                "relative to where Snakemake runs"
            )
    for name in source.archives:
        for pattern in getattr(source.settings, name):
            if not os.path.isfile(pattern) and not glob(pattern):  # noqa: PTH113, PTH207 - as the plan reads it
                raise ConfigError(
                    f"source.{source.name}.{name}: nothing matches {pattern} (looked for in {Path.cwd()}); give the "
                    "archives as absolute paths, or relative to where Snakemake runs"
                )
