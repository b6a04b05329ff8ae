"""Faces of some utterances, read from the tars of a run by byte range."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.inspection.run_files import RunFiles
from avsieve.storage import paths as P
from avsieve.storage.indexed_tar import index_path
from avsieve.storage.jpeg import image_of
from avsieve.storage.remedies import make_anew
from avsieve.storage.tables import read_arrow


def shards_of(run: RunFiles, utterances: Sequence[str]) -> dict[str, str]:
    """Return the shard of each utterance, by the plan.

    Raises
    ------
    AvsieveError
        If the run has no plan.
    """
    path = run.below(P.plan.utterances)
    found = read_arrow(path, ["utterance", "shard"], where=("utterance", list(utterances)))
    return dict(zip(found["utterance"].to_pylist(), found["shard"].to_pylist(), strict=True))


def faces_of(run: RunFiles, utterances: Sequence[str], most: int) -> dict[str, list[np.ndarray]]:
    """Return up to ``most`` faces of each utterance, evenly over its length.

    Returns
    -------
    dict
        Utterance -> images (112, 112, 3) uint8, BGR; none for an utterance in which no face was found. What cannot be
        decoded is left out: its stage has told it.

    Raises
    ------
    AvsieveError
        If the run has no faces, or a tar and its index disagree.
    """
    if not run.has_faces:
        raise AvsieveError(
            f"{run.folder} has no faces (no align/*.faces.tar): it was made from embeddings, or its faces were "
            "removed; leave --sheet out"
        )
    by_shard: dict[str, list[str]] = {}
    for utterance, shard in shards_of(run, utterances).items():
        by_shard.setdefault(shard, []).append(utterance)
    found: dict[str, list[np.ndarray]] = {utterance: [] for utterance in utterances}
    for shard, names in by_shard.items():
        tar = run.below(P.align.faces, shard=shard)
        if tar.is_file():
            for utterance, members in _members(tar, names).items():
                found[utterance] = _read(tar, members, most)
    return found


def _members(tar: Path, utterances: list[str]) -> dict[str, list[tuple[int, int, int]]]:
    """Return offset, size and checksum of the members of some utterances, in the order of the tar."""
    index = index_path(tar)
    columns = ["utterance", "offset", "size", "crc32"]
    rows = read_arrow(index, columns, where=("utterance", list(utterances))).to_pydict()
    found: dict[str, list[tuple[int, int, int]]] = {}
    for utterance, *member in zip(*(rows[c] for c in columns), strict=True):
        found.setdefault(utterance, []).append(tuple(member))
    return found


def _read(tar: Path, members: list[tuple[int, int, int]], most: int) -> list[np.ndarray]:
    if len(members) > most:
        members = [members[i] for i in np.linspace(0, len(members) - 1, most).round().astype(int)]
    images = []
    with tar.open("rb") as file:
        for offset, size, crc in members:
            file.seek(offset)
            content = file.read(size)
            if len(content) != size or zlib.crc32(content) != crc:
                raise AvsieveError(f"{tar}: the face at byte {offset} is not what was written; {make_anew(tar)}")
            image = image_of(content)
            if image is not None:
                images.append(image)
    return images
