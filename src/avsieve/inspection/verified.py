"""Whether the files of a run are what was written, and whether what they were made from is as it was.

By the records of the jobs (`avsieve.runtime.records`) and the files alone: neither Snakemake nor its own notes are
needed, so results that were copied elsewhere can be checked there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import avsieve
from avsieve.errors import AvsieveError
from avsieve.inspection.run_files import results_folder
from avsieve.runtime.code_digest import code_of
from avsieve.runtime.memory import MORE_MEMORY
from avsieve.runtime.progress import progress
from avsieve.runtime.records import shipped_models
from avsieve.sources.watch_list import tell_changes
from avsieve.storage import paths as P
from avsieve.storage.file_digest import Digest, digest_of
from avsieve.storage.whole import trouble_of

FORMAT = "avsieve.verify/1"
"""Name of the structure that `Verified.as_json` returns; a change that breaks readers raises the number."""
STALE, DAMAGED = 3, 4
"""Exit statuses: something is stale; something is damaged or missing."""
Kind = Literal["damaged", "missing", "stale"]
_UNRECORDED = frozenset(Path(path).name for path in (P.LOGS, P.BENCHMARKS, P.RECORDS))
_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes
    ----------
    kind
        ``damaged``: a file is not what was written; ``missing``: it is gone; ``stale``: what it was made from has
        changed.
    path
        The file, below the results; of a stale job the first that it wrote.
    why
        What was found, in words.
    remake
        The file to make anew, below the results: the job that wrote it is to run again.
    """

    kind: Kind
    path: str
    why: list[str]
    remake: str


@dataclass
class Verified:
    """What was checked, and what is wrong.

    Attributes
    ----------
    folder
        Of the results.
    jobs, files, bytes
        How many records, files and bytes were checked.
    unrecorded
        Files that no record names: of a version that left none, or put there by others.
    unread
        Files of the user's that jobs read and that are not there to compare with.
    follow
        Jobs that are current themselves but read what a stale or damaged one wrote: Snakemake makes them anew, too.
    findings
        See `Finding`.
    """

    folder: str
    jobs: int = 0
    files: int = 0
    bytes: int = 0
    unrecorded: int = 0
    unread: list[str] = field(default_factory=list)
    follow: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def remake(self) -> list[str]:
        """Files to make anew, below the results."""
        return sorted({finding.remake for finding in self.findings})

    @property
    def status(self) -> int:
        """The exit status: 0 where all is whole and current."""
        kinds = {finding.kind for finding in self.findings}
        return DAMAGED if kinds - {"stale"} else STALE if kinds else 0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        return {"format": FORMAT, **asdict(self), "remake": self.remake, "status": self.status}


@dataclass(frozen=True)
class _Record:
    """A record that was read, and the file that it is named after: the first that its job wrote."""

    name: str
    told: dict[str, Any]

    @property
    def outputs(self) -> dict[str, Digest]:
        return dict(self.told["outputs"])

    @property
    def first(self) -> str:
        """The output that the job is known by: one that Snakemake keeps, where there is one."""
        kept = (name for name in (self.name, *self.outputs) if name in self.outputs and not is_removed(name))
        return next(kept, self.name)


def verify(path: str | Path, *, cores: int = 1, quick: bool = False) -> Verified:
    """Check the files of a run.

    Parameters
    ----------
    path
        The results, or the folder that Snakemake runs in.
    cores
        Processes that read files side by side.
    quick
        Compare sizes alone, and read no content of the results.

    Raises
    ------
    AvsieveError
        If there is no such folder, or it holds no results.
    """
    folder = results_folder(path)
    if not folder.is_dir() or not any(P.below(folder, where).is_dir() for where in (P.RECORDS, P.plan.folder)):
        raise AvsieveError(
            f"{path}: no results of the workflow; name the folder that Snakemake runs in, or its results/"
        )
    found = Verified(str(folder))
    records = list(_records(folder, found))
    found.jobs = len(records)
    expected = {name: digest for record in records for name, digest in record.outputs.items()}
    makers = {name: record for record in records for name in record.outputs}
    others = sorted(set(_files(folder)) - set(expected))
    found.unrecorded = len(others)
    wrong = dict(_damage(folder, expected, others, found, cores=cores, quick=quick))
    for name, (kind, why) in sorted(wrong.items()):
        maker = makers.get(name)
        known = maker is not None and (is_beside(name) or is_removed(name))
        found.findings.append(Finding(kind, name, [why], maker.first if maker is not None and known else name))
    changed = {record.first for record in records if _is_stale(record, folder, expected, found)}
    broken = changed | {makers[name].first for name in wrong if name in makers}
    found.follow = len(_followers(records, makers, broken) - broken)
    found.unread = sorted(set(found.unread))
    return found


def _records(folder: Path, found: Verified) -> Iterator[_Record]:
    where = P.below(folder, P.RECORDS)
    for path in sorted(where.rglob("*.json")):
        if ".partial" in path.name:
            continue
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            readable = bool(told["outputs"]) and all("bytes" in digest for digest in told["outputs"].values())
        except (ValueError, KeyError, TypeError, AttributeError, OSError):
            readable = False
        of = path.relative_to(where).as_posix().removesuffix(".json")
        if not readable:
            name = path.relative_to(folder).as_posix()
            found.findings.append(Finding("damaged", name, ["its record cannot be read"], of))
            continue
        yield _Record(of, told)


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if name.parts[0] not in _UNRECORDED and ".partial" not in path.name and path.is_file():
            yield name.as_posix()


def _damage(
    folder: Path,
    expected: dict[str, Digest],
    others: Iterable[str],
    found: Verified,
    *,
    cores: int,
    quick: bool,
) -> Iterator[tuple[str, tuple[Kind, str]]]:
    """Yield the files that are not what was written, with what they are instead; count all."""
    asked: list[tuple[str, Digest | None]] = [*expected.items(), *((name, None) for name in others)]
    there: list[tuple[str, Digest | None]] = []
    for name, digest in asked:
        path = folder / name
        if path.is_file():
            there.append((name, digest))
            found.files, found.bytes = found.files + 1, found.bytes + path.stat().st_size
            if quick and digest is not None and path.stat().st_size != digest["bytes"]:
                yield name, ("damaged", f"{path.stat().st_size:,} bytes, expected {digest['bytes']:,}")
        elif not is_removed(name):
            yield name, ("missing", "it is gone")
    if quick:
        return
    told = progress(_troubles(folder, there, cores), "files", total=len(there))
    for (name, _), trouble in zip(there, told, strict=True):
        if trouble:
            yield name, ("damaged", trouble)


def _troubles(folder: Path, there: list[tuple[str, Digest | None]], cores: int) -> Iterator[str]:
    """Yield what is wrong with each file, in order, read by several processes."""
    work = [folder / name for name, _ in there], [digest for _, digest in there]
    if cores <= 1 or len(there) <= 1:
        yield from map(trouble_of, *work)
        return
    with ProcessPoolExecutor(min(cores, len(there))) as pool:
        try:
            yield from pool.map(trouble_of, *work, chunksize=8)
        except BrokenProcessPool:
            raise AvsieveError(
                f"one of {cores} processes was killed, most likely for want of memory; {MORE_MEMORY}, or --cores 1"
            ) from None


def _is_stale(record: _Record, folder: Path, expected: dict[str, Digest], found: Verified) -> bool:
    """Tell whether what a job was made from has changed, and note it."""
    why = [*_inputs(record, folder, expected), *_given(record, folder, found), *_code(record)]
    models = record.told.get("models") or {}
    if models and models != (now := _shipped()):
        changed = [name for name in models if now.get(name) != models[name]]
        why.append(f"shipped models changed: {', '.join(changed)}" if changed else "")
    why = [line for line in why if line]
    if why:
        found.findings.append(Finding("stale", record.first, why, record.first))
    return bool(why)


def _inputs(record: _Record, folder: Path, expected: dict[str, Digest]) -> Iterator[str]:
    """Yield what was read from the results and is another now; a damaged input is told of its own."""
    for name, digest in record.told.get("inputs", {}).items():
        now = expected.get(name)
        if now is None and (folder / name).is_file():
            now = digest_of(folder / name)
        if now is not None and now != digest:
            yield f"input {name} was made anew since"


def _given(record: _Record, folder: Path, found: Verified) -> Iterator[str]:
    """Yield files of the user's that are not as the job read them, clips among them."""
    # Where the job ran: paths of the user's may start there.
    base = folder.absolute().parents[len(Path(record.told.get("results", P.RESULTS)).parts) - 1]
    for path, digest in record.told.get("given", {}).items():
        now = _digest_of_given(str(base / path))
        if now is None:
            found.unread.append(path)
        elif now != digest:
            yield f"{path} changed since: {_difference(digest, now)}"
    options = record.told.get("options", {})
    watched = [name for name in record.outputs if _pattern((P.media.watched,)).fullmatch(name)]
    roots = options.get("watch_roots")
    if watched and (folder / watched[0]).is_file() and isinstance(roots, dict):
        there = {name: str(base / root) for name, root in roots.items() if (base / root).is_dir()}
        if len(there) < len(roots):
            found.unread.extend(str(root) for name, root in roots.items() if name not in there)
        elif (told := tell_changes(folder / watched[0], there)) != options.get("watched", told):
            yield told


@cache
def _digest_of_given(path: str) -> Digest | None:
    try:
        return digest_of(Path(path), own=False)
    except OSError:
        return None


def _difference(before: Digest, now: Digest) -> str:
    if before["bytes"] != now["bytes"]:
        return f"{now['bytes']:,} bytes, {before['bytes']:,} when it was read"
    key = next(key for key in now if key != "bytes")
    return f"{key} {str(now[key])[:12]}, {str(before.get(key))[:12]} when it was read"


def _code(record: _Record) -> Iterator[str]:
    """Yield which code is another than that which the job ran, as far as it is here to compare."""
    source = Path(avsieve.__file__).parents[1]
    scripts = source.parent / "workflow" / "scripts"
    changed = []
    for name, digest in sorted(record.told.get("code", {}).items()):
        if name.endswith(".py"):
            files = [scripts / name] if scripts.is_dir() else []
        else:
            base = source.joinpath(*name.split("."))
            files = [base.with_suffix(".py"), base / "__init__.py"]
        there = [file for file in files if file.is_file()]
        if files and (not there or code_of(there[0]) != digest):
            changed.append(name)
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        changed.sort()
        yield f"code changed: {', '.join(changed[:_SHOWN])}{more}"


@cache
def _shipped() -> dict[str, str]:
    return shipped_models()


def _followers(records: list[_Record], makers: dict[str, _Record], broken: set[str]) -> set[str]:
    """Return the jobs that read, directly or through others, what the ``broken`` ones wrote."""
    readers: dict[str, list[str]] = {}
    for record in records:
        for name in record.told.get("inputs", {}):
            if name in makers:
                readers.setdefault(makers[name].first, []).append(record.first)
    reached, queue = set(broken), list(broken)
    while queue:
        for reader in readers.get(queue.pop(), []):
            if reader not in reached:
                reached.add(reader)
                queue.append(reader)
    return reached


@cache
def _pattern(paths: tuple[str, ...]) -> re.Pattern[str]:
    # Wildcards are names without a slash.
    pieces = (re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path.removeprefix(f"{P.RESULTS}/"))) for path in paths)
    return re.compile("|".join(pieces))


def is_removed(name: str) -> bool:
    """Tell whether Snakemake removes a file of the results once nothing needs it."""
    return _pattern(P.REMOVED).fullmatch(name) is not None


def is_beside(name: str) -> bool:
    """Tell whether a file lies beside the outputs of its rule, unknown to Snakemake."""
    return _pattern((P.plan.source, P.plan.watched, P.media.watched)).fullmatch(name) is not None
