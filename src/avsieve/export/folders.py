"""AVCleanse's folders: ``frame_align/speaker/video/utterance/0010.jpg``, ``wav/speaker/video/utterance.wav``."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.export.contents import Contents, Member
from avsieve.export.folder_note import claim, digest
from avsieve.lists.train_list import write_clean_list, write_train_list
from avsieve.runtime.progress import progress

logger = logging.getLogger(__name__)
FOLDERS = {"faces": "frame_align", "wav": "wav", "frames": "frame"}
MANY_FILES = 1_000_000
# Of a writer that was killed; a younger one may belong to somebody who is writing now.
STALE_S = 600
_LISTS = ".lists-"


def write_folders(
    table: pd.DataFrame, contents: Contents, out: Path, *, threads: int = 4, form: str = "tree"
) -> dict[str, int]:
    """Write the files of the chosen utterances and the lists about them.

    A file that is there with the same bytes is left alone, another one under its name is replaced; each file appears
    whole. So a broken-off export is taken up where it stopped, and two may run at a time.

    Parameters
    ----------
    table
        From `avsieve.export.selection.select`.
    threads
        Utterances that are written at a time.
    form
        What the folder is claimed for: other forms have the same files and a table of their own about them.

    Returns
    -------
    dict
        ``utterances``, ``files``, ``bytes``, and of the files ``written``, ``left`` and ``replaced``.

    Raises
    ------
    AvsieveError
        If the disk lacks space or inodes for them, or the folder holds another export.
    """
    measured = [contents.measure(row.shard, row.utterance) for row in table.itertuples()]
    files, size = sum(m[0] for m in measured), sum(m[1] for m in measured)
    check_room(out, files, size)
    told = {
        "form": form,
        "what": list(contents.kinds),
        "utterances": len(table),
        "speakers": int(table["speaker"].nunique()),
        "content": digest(table, [m[2] for m in measured]),
    }
    claim(out, told)
    counts: Counter[str] = Counter()

    def one(row: tuple[str, str]) -> Counter[str]:
        return _write_utterance(contents, out, *row)

    # By shard: the tars are read from front to back.
    rows = table.sort_values("shard", kind="stable")[["shard", "utterance"]].itertuples(index=False, name=None)
    with ThreadPoolExecutor(threads) as pool:
        for done in progress(_bounded(pool, one, list(rows), 64 * threads), "utterances", total=len(table)):
            counts.update(done)
    for left in out.glob(f"{_LISTS}*"):
        if time.time() - left.stat().st_mtime > STALE_S:
            shutil.rmtree(left, ignore_errors=True)  # of a writer that was killed
    # Each list takes its name from a folder of this writer's own, since another may be writing the same.
    with tempfile.TemporaryDirectory(prefix=_LISTS, dir=out) as own:
        write_lists(table, Path(own))
        for path in sorted(Path(own).iterdir()):
            path.replace(out / path.name)
    return {"utterances": len(table), "files": files, "bytes": size} | {
        what: counts[what] for what in ("written", "left", "replaced")
    }


def _bounded(
    pool: ThreadPoolExecutor, work: Callable[[tuple[str, str]], Counter[str]], rows: list[tuple[str, str]], ahead: int
) -> Iterator[Counter[str]]:
    """Run ``work`` over ``rows``, never more than ``ahead`` of them waiting."""
    for first in range(0, len(rows), ahead):
        yield from pool.map(work, rows[first : first + ahead])


def check_room(out: Path, files: int, size: int) -> None:
    """Refuse an export that cannot fit; warn of one that makes very many files.

    Raises
    ------
    AvsieveError
        If space or inodes are too few, unless an earlier export to the same folder holds a part of it already.
    """
    at = out.absolute()
    while not at.exists():
        at = at.parent
    free, inodes = shutil.disk_usage(at).free, os.statvfs(at).f_favail
    if files > MANY_FILES:
        logger.warning(
            "%d separate files: copying, listing and deleting them will take long; a WebDataset or Parquet export "
            "holds the same in few files", files,
        )  # fmt: skip
    short = []
    if size + 4096 * files // 2 > free:
        short.append(f"{size / 1e9:.2f} GB in {files:,} files are needed, {free / 1e9:.2f} GB are free")
    if 0 < inodes < files:
        short.append(f"{files:,} files are needed, {inodes:,} inodes are free")
    if not short:
        return
    if out.is_dir() and any(out.iterdir()):
        logger.warning("%s: %s; continuing, since part of it may already be there", out, "; ".join(short))
        return
    raise AvsieveError(f"{out}: {'; '.join(short)}; export a share, or to another disk")


def _write_utterance(contents: Contents, out: Path, shard: str, utterance: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for kind in contents.kinds:
        members = contents.read(kind, shard, utterance)
        if not members:
            continue
        folder = out / FOLDERS[kind] / (utterance.rpartition("/")[0] if kind == "wav" else utterance)
        there = _sizes(folder)
        for member in members:
            counts[_write(folder, member, there.get(member.name))] += 1
    return counts


def _sizes(folder: Path) -> dict[str, int]:
    """Return name and size of the files in ``folder``, made if need be; what a killed writer left is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for entry in os.scandir(folder):
        try:
            facts = entry.stat()
        except FileNotFoundError:
            continue  # somebody else's, who has just given it its name
        if entry.name.endswith(".partial") and time.time() - facts.st_mtime > STALE_S:
            Path(entry.path).unlink(missing_ok=True)
        else:
            found[entry.name] = facts.st_size
    return found


def _write(folder: Path, member: Member, size: int | None) -> str:
    """Write a file unless it is there; no fsync: what a power cut spoils, the next export replaces."""
    path = folder / member.name
    if size == len(member.content) and zlib.crc32(path.read_bytes()) == member.crc32:
        return "left"
    # Without the file's own name, which may be as long as names can be.
    partial = folder / f".{os.getpid()}-{threading.get_ident()}.partial"
    partial.write_bytes(member.content)
    partial.replace(path)
    return "written" if size is None else "replaced"


def write_lists(table: pd.DataFrame, out: Path) -> None:
    """Write ``train_all.txt``, ``train_all_clean.txt`` and ``train_clean.txt`` about the exported utterances.

    Utterances without a decision, those of the people kept for trials, give ``test_all.txt`` alone.
    """
    utterances, seconds = table["utterance"].tolist(), table["seconds"].fillna("nan").replace("", "nan").tolist()
    if (table["flag"] < 0).all():
        write_train_list(out / "test_all.txt", utterances, seconds)
        return
    clean = (table["flag"] == 1).to_numpy()
    audio, visual = (table[f"{m}_similarity"].to_numpy(dtype=float) for m in ("audio", "visual"))
    write_train_list(out / "train_all.txt", utterances, seconds)
    write_clean_list(out / "train_all_clean.txt", utterances, seconds, audio, visual, clean)
    keep = [i for i, good in enumerate(clean) if good]
    write_train_list(out / "train_clean.txt", [utterances[i] for i in keep], [seconds[i] for i in keep])
