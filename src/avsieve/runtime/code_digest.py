"""Which code makes what a job writes: a digest of a module, and which modules show in no output.

It runs inside Snakemake and at the end of every job, and imports nothing heavy.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from avsieve.runtime.code_facts import parse_code

PACKAGE = "avsieve"
# What these do shows on a terminal or in a log, tells beside an output what it was made from, or decides which of
# several GPUs computes, and shows in no output: an edit of them reruns nothing.
NEUTRAL = {
    f"{PACKAGE}.errors",
    f"{PACKAGE}.registry",
    # Where files of a run lie is an input, an output or a param of each rule.
    f"{PACKAGE}.storage.paths",
    f"{PACKAGE}.storage.file_digest",
    *(
        f"{PACKAGE}.runtime.{name}"
        for name in ("code_digest", "code_facts", "gpus", "options", "progress", "records", "scripting", "terminal")
    ),
}
# Settings describe keys and bound them, contracts tell the rules of a plug-in, and registries name the plug-ins. Their
# values reach a script as options, which are params of its rule; the rules hash the code of what is chosen by name.
NEUTRAL_NAMES = {"settings", "contract", "registry"}
NEUTRAL_PACKAGES = (f"{PACKAGE}.config",)


def is_neutral(module: str) -> bool:
    """Tell whether an edit of a module changes nothing that a stage writes."""
    within = any(module == package or module.startswith(f"{package}.") for package in NEUTRAL_PACKAGES)
    return module in NEUTRAL or within or module.rpartition(".")[2] in NEUTRAL_NAMES


def code_of(path: Path) -> str:
    """Return a digest of the code in a file, without positions and docstrings; empty where there is none.

    Raises
    ------
    AvsieveError
        If the file does not parse.
    """
    stat = path.stat()
    return _digest(path, (stat.st_mtime_ns, stat.st_size))


@cache
def _digest(path: Path, stamp: tuple[int, int]) -> str:
    # The stamp is part of the cache's key: an edited file is parsed again.
    return parse_code(path.read_bytes(), path).hash
