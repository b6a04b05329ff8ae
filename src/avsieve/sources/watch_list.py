"""The watch list of a shard: what its clips were when they were indexed, so that a later run sees what has changed.

`fetch_media` writes it beside the media index. When a run is planned, it is compared with what lies there now, and the
outcome is a parameter of `fetch_media`: as long as nothing has changed, the very text that the list was made with, so
that nothing reruns; else a text that says what has changed. The list is no output of the rule, since Snakemake removes
outputs before a job, and a job on a cluster plans again.

This module runs inside Snakemake and imports nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from avsieve.media.file_identity import SEPARATOR, image_files, images_stamp, stamp_of
from avsieve.sources.containers import EXTENSIONS
from avsieve.storage.atomic import write_text
from avsieve.storage.census import when
from avsieve.storage.file_names import path_from_text

How = Literal["files", "names", "nothing"]
FIRST = "clips: as they were when they were first indexed"
ABSENT = ""
BESIDE = "beside"
"""In place of a stamp: the file lies beside that which is used, and its name alone matters."""
_SHOWN = 3
_ENDINGS = frozenset(EXTENSIONS)


class Watched(NamedTuple):
    """Something that an index points to, or would if it were there."""

    root: str
    """Which of the roots it lies below: ``train_root``, ``test_audio_root``, …; ``.`` where the run takes place."""
    path: str
    """Path below it, of a file or of a folder of images."""
    stamp: str = ABSENT
    """Its stamp, see `avsieve.media.file_identity`."""
    is_images: bool = False


def watched_of(index: Any, roots: Iterable[str]) -> Iterator[Watched]:
    """Yield what the rows of a media index (a table, see `avsieve.media.index`) point to below the ``roots``."""
    known = set(roots)
    for row in index.itertuples():
        root = f"{row.subset}_root" if f"{row.subset}_root" in known else "train_root"
        sound = f"{row.subset}_audio_root"
        yield from _parts(root, row.path, row.stamps, row.packing)
        if isinstance(row.audio_path, str):
            yield from _parts(sound if sound in known else root, row.audio_path, row.audio_stamps, row.audio_packing)
        elif sound in known:
            yield Watched(sound, row.utterance)


def _parts(root: str, path: str, stamps: str, packing: str) -> Iterator[Watched]:
    if packing == "images":
        yield Watched(root, path_from_text(path), stamps, is_images=True)
        return
    parts = path.split(SEPARATOR)
    for part, stamp in zip(parts, stamps.split(SEPARATOR) if stamps else [ABSENT] * len(parts), strict=True):
        yield Watched(root, path_from_text(part), stamp)


def _split(name: str) -> tuple[str, str]:
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a Path for each of a million names is slow
    return (stem, ending) if ending.lower() in _ENDINGS else (name, "")


def _listed(folder: str, names: Collection[str], *, stamps: bool) -> dict[str, str]:
    """Return the stamps of those of a folder's files that have one of the names, whatever their endings."""
    found: dict[str, str] = {}
    stems: set[str] = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name not in names:
                    stem, ending = _split(name)
                    stems = stems or {_split(known)[0] for known in names}
                    if not ending or stem not in stems or not entry.is_file():
                        continue
                with suppress(FileNotFoundError):  # a link that leads nowhere is no file
                    stat = entry.stat() if stamps or entry.is_symlink() else None
                    found[name] = stamp_of(stat) if stamps and stat else BESIDE
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        found[folder] = str(error.strerror)
    return found


def _images(folder: str, *, stamps: bool) -> str:
    """Return the stamp of a folder of images, or their number alone; `ABSENT` where there is none."""
    try:
        files = image_files(folder)
        if not files:
            return ABSENT
        return images_stamp((f.name, f.stat()) for f in files) if stamps else f"{len(files)}:"
    except OSError as error:
        return str(error.strerror)


def write_watch_list(path: str | Path, told: str, places: Iterable[Watched], roots: Mapping[str, str]) -> None:
    """Write the watch list of a shard.

    Parameters
    ----------
    path
        The JSON to write.
    told
        The text that this run was planned with.
    places
        What the media index points to, and what else was looked for.
    roots
        Folders, by the names that the places have.
    """
    files: dict[str, dict[str, dict[str, str]]] = {}
    images: dict[str, dict[str, str]] = {}
    for place in places:
        if place.is_images:
            images.setdefault(place.root, {})[place.path] = place.stamp
        else:
            folder, _, name = place.path.rpartition("/")
            files.setdefault(place.root, {}).setdefault(folder, {})[name] = place.stamp
    for root, folders in files.items():
        for folder, names in folders.items():
            beside = _listed(os.path.join(roots.get(root, ""), folder), names, stamps=False)  # noqa: PTH118
            folders[folder] = beside | names
    value = {"told": told, "files": files, "images": images}
    write_text(path, json.dumps(value, sort_keys=True) + "\n")


def _differences(value: Mapping[str, Any], roots: Mapping[str, str], *, stamps: bool) -> Iterator[tuple[str, str]]:
    """Yield the paths that are not as they were, with their stamps of now."""
    for root, folders in value["files"].items():
        for folder, then in folders.items():
            where = os.path.join(roots.get(root, ""), folder)  # noqa: PTH118
            now = _listed(where, then, stamps=stamps)
            if now == then:
                continue
            for name in sorted(then.keys() | now.keys()):
                before, here = then.get(name, ABSENT), now.get(name, ABSENT)
                compare = stamps and before not in (ABSENT, BESIDE)
                if here != before if compare else bool(here) != bool(before):
                    yield f"{folder}/{name}".lstrip("/") if folder else name, here
    for root, folders in value["images"].items():
        for folder, before in folders.items():
            here = _images(os.path.join(roots.get(root, ""), folder), stamps=stamps)  # noqa: PTH118
            if here != (before if stamps else before.partition(":")[0] + ":" * bool(before)):
                yield folder, here


def tell_changes(path: str | Path, roots: Mapping[str, str], how: How = "files") -> str:
    """Return the text that a watch list was made with if all is as it was then, else one that tells what is not.

    Parameters
    ----------
    path
        The watch list; where it is missing the clips are indexed for the first time.
    roots
        Folders, as the configuration has them now.
    how
        ``files`` compares sizes and times, ``names`` which files there are, ``nothing`` nothing.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return FIRST
    told: str = value["told"]
    changes = [] if how == "nothing" else list(_differences(value, roots, stamps=how == "files"))
    if not changes:
        return told
    digest = hashlib.blake2b(digest_size=6)
    digest.update(told.encode())  # so that it is another text than before, whatever has changed
    newest = 0
    for name, stamp in changes:
        digest.update(f"\0{name}\0{stamp}".encode(errors="surrogateescape"))
        time = stamp.rpartition(":")[2]
        newest = max(newest, int(time) if time.isdecimal() and len(time) > 10 else 0)
    names = ", ".join(n.encode("utf-8", "backslashreplace").decode() for n, _ in changes[:_SHOWN])
    names += ", …" if len(changes) > _SHOWN else ""
    times = f", newest {when(newest)}" if newest else ""
    return f"clips: {len(changes):,} not as they were indexed ({names}{times}, digest {digest.hexdigest()})"
