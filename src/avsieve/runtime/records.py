"""The record of a job: from which files, code, models, versions and settings it made which files.

Every script of the workflow leaves one, without a line of its own: its parser tells what was given, and the files that
have changed by its end are what it wrote. Snakemake knows much of this, too, but in a folder of its own that does not
travel with the results; `avsieve verify` needs nothing but the results. Nothing in a record differs between two runs
of the same work, unless a file that it names does.

Standard library only: every script imports it, and so does Snakemake.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from avsieve.runtime.code_digest import PACKAGE, code_of, is_neutral
from avsieve.storage import paths as P
from avsieve.storage.atomic import ON_COMMIT, write_json
from avsieve.storage.file_digest import digest_of
from avsieve.storage.provenance import versions

RESULTS_VARIABLE = "AVSIEVE_RESULTS"
"""The variable that says where the results lie; without it nothing is recorded."""
FORMAT = "avsieve.record/1"
PACKAGES = {
    "numpy": "numpy", "pandas": "pandas", "pyarrow": "pyarrow", "scipy": "scipy", "sklearn": "scikit-learn",
    "cv2": "opencv-python", "av": "av", "torch": "torch", "torchaudio": "torchaudio", "onnxruntime": "onnxruntime",
    "insightface": "insightface", "transformers": "transformers", "matplotlib": "matplotlib",
}  # fmt: skip
"""Packages whose versions are told if a job has loaded them, by the names they are imported under."""
_LEFT_OUT = frozenset({"threads", "cores"})  # they change no byte
_Stamp = tuple[int, int, int]


class Job:
    """What a process was asked for, and what it has written so far."""

    def __init__(self, results: str) -> None:
        self.results = results
        self.options: dict[str, Any] = {}
        self._named: dict[str, _Stamp | None] = {}
        self._written: dict[str, None] = {}

    def note(self, options: argparse.Namespace) -> None:
        """Note what was parsed, and which of it are files."""
        self.options |= vars(options)
        for path in named_in(vars(options)):
            self._named.setdefault(path, _stamp(path))

    def written(self, path: Path) -> None:
        """Note a file that was written."""
        if self._below(str(path)) is not None:
            self._written[str(path)] = None

    def outputs(self) -> list[str]:
        """Return the files of the results that this process wrote: those named on its command line first."""
        named = [path for path, before in self._named.items() if _stamp(path) not in (None, before)]
        found = [path for path in dict.fromkeys([*named, *self._written]) if Path(path).is_file()]
        return [path for path in found if self._below(path) is not None]

    def inputs(self) -> list[str]:
        """Return the files named on the command line that were there before and are as they were."""
        written = set(self.outputs())
        return [path for path, before in self._named.items() if before is not None and path not in written]

    def _below(self, path: str) -> str | None:
        """Return a path below the results, with slashes; None where it lies elsewhere."""
        name = os.path.relpath(path, self.results)
        return None if name.startswith(os.pardir) else Path(name).as_posix()

    def record(self) -> dict[str, Any]:
        """Return the record.

        Raises
        ------
        OSError
            If a file cannot be read.
        """
        inputs = {path: self._below(path) for path in self.inputs()}
        given = [path for path, name in inputs.items() if name is None]
        shipped = "builtin" in self.options.values()
        return {
            "format": FORMAT,
            "script": Path(sys.argv[0]).name,
            "results": Path(self.results).as_posix(),
            "options": {name: told for name, value in self.options.items() if (told := _told(name, value)) is not None},
            "inputs": {name: digest_of(Path(path)) for path, name in inputs.items() if name is not None},
            "given": {path: digest_of(Path(path), own=False) for path in given},
            "outputs": {str(self._below(path)): digest_of(Path(path)) for path in self.outputs()},
            "models": shipped_models() if shipped else {},
            "code": code_loaded(),
            "versions": {"python": platform.python_version(), **versions(*_packages())},
            "device": device(),
        }


JOB: Job | None = None
"""The job of this process; None where nothing is recorded."""


def note(options: argparse.Namespace) -> None:
    """Note what a command line was told, where the workflow asks for records."""
    global JOB
    results = os.environ.get(RESULTS_VARIABLE)
    # Of the processes of one training, the first writes.
    if not results or any(os.environ.get(rank, "0") != "0" for rank in ("LOCAL_RANK", "SLURM_PROCID")):
        return
    if JOB is None:
        JOB = Job(results)
        ON_COMMIT.append(JOB.written)
    JOB.note(options)


def write_record() -> None:
    """Write the record of this process, if it is a job and has written anything."""
    if JOB is None or not (outputs := JOB.outputs()):
        return
    first = Path(os.path.relpath(outputs[0], JOB.results)).as_posix()
    write_json(P.below(JOB.results, P.record(first)), JOB.record())


def named_in(value: Any) -> Iterator[str]:
    """Yield the paths in what was parsed: every `Path`, and every text that is the name of a file."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from named_in(inner)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from named_in(inner)
    elif isinstance(value, Path) or (isinstance(value, str) and _stamp(value) is not None):
        yield str(value)


def _stamp(path: str) -> _Stamp | None:
    """Return what tells whether a file was written; None where there is no file."""
    try:
        stat = os.stat(path)  # noqa: PTH116 - a path as it was given
    except (OSError, ValueError):
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino) if os.path.isfile(path) else None  # noqa: PTH113


def _told(name: str, value: Any) -> Any:
    """Return an option as JSON holds it; None for what is a file or says nothing of the work."""
    if name in _LEFT_OUT or value is None or isinstance(value, Path):
        return None
    if isinstance(value, bool | int | float | str | dict):
        return value
    if isinstance(value, list | tuple):
        # An option that is given several times has a list in its list.
        return [told for inner in value if (told := _told(name, inner)) is not None] or None
    return None  # a function, as the verbs of a parser have


def _packages() -> list[str]:
    return sorted(package for module, package in PACKAGES.items() if module in sys.modules)


def code_loaded() -> dict[str, str]:
    """Return a digest of each module of this package that this process has loaded, and of the script."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        own = name == PACKAGE or name.startswith(f"{PACKAGE}.")
        if own and file and not is_neutral(name) and (code := code_of(Path(file))):
            found[name] = code
    script = Path(sys.argv[0])
    return found | ({script.name: code_of(script)} if script.suffix == ".py" and script.is_file() else {})


def shipped_models() -> dict[str, str]:
    """Return the SHA-256 of each model that is shipped with the package."""
    folder = Path(__file__).parents[1] / "models"
    return {path.name: str(digest_of(path)["sha256"]) for path in sorted(folder.iterdir()) if path.suffix != ".py"}


def device() -> str:
    """Return what this process has computed on: a GPU's name, or the processor's architecture."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        return str(torch.cuda.get_device_name())
    return platform.machine()
