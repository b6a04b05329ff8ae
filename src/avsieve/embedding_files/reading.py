"""Read the embeddings of one modality: any format, several files, bad rows as rows with a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from avsieve.embedding_files.content import kind_of
from avsieve.embedding_files.images import join_images, mean_of_units
from avsieve.embedding_files.names import is_image, text_of
from avsieve.embedding_files.places import Place, parse_place, short
from avsieve.embedding_files.raw import Options, Raw
from avsieve.embedding_files.registry import READERS
from avsieve.embedding_files.rows import as_floats, judge, without
from avsieve.embedding_files.table import EmbeddingTable, Rejected
from avsieve.errors import AvsieveError
from avsieve.lists.train_list import utterance_of
from avsieve.storage.reasons import Reason


@dataclass
class _Part:
    """One file: good rows with names, then what was wrong with the others."""

    label: str
    names: list[str]
    matrix: np.ndarray
    rejected: list[tuple[str, Rejected]]
    nameless: list[str]
    origins: list[tuple[int, str]] = field(default_factory=list)
    """Where the rows of each file begin, and its name, in a part that joins several."""

    def origin(self, row: int) -> str:
        """Name the file of a row."""
        return next((name for start, name in reversed(self.origins) if start <= row), self.label)


def read_tables(
    sources: str | Path | Sequence[str | Path],
    options: Options | None = None,
    *,
    wanted: Collection[str] | None = None,
    by_image: bool = False,
) -> EmbeddingTable:
    """Read one or several tables of a modality as one.

    Parameters
    ----------
    sources
        Files, folders, ``vectors.npy:names.txt``, ``scp:xvector.scp``: see `avsieve.embedding_files.formats`.
    options
        Names of arrays and columns, what to strip from names, whether an utterance may have several rows.
    wanted
        The utterances of the list or the trials: names of images join these.
    by_image
        Take names of images as they are, without their endings, and join nothing.

    Raises
    ------
    AvsieveError
        If a table cannot be read, the lengths of vectors differ, an utterance has two vectors that differ, or no row
        holds an embedding. One line that names the file.
    """
    options = options or Options()
    places = check_places(sources)
    parts = [_read(place, options) for place in places]
    label = parts[0].label if len(parts) == 1 else f"{parts[0].label} and {len(parts) - 1} more"
    table = _resolve(_join(parts, options), label, options, wanted, by_image=by_image)
    nameless = [where for part in parts for where in part.nameless]
    table.nameless = len(nameless)
    if nameless:
        more = f" and {len(nameless) - 1:,} more" if len(nameless) > 1 else ""
        table.notes.insert(0, f"{len(nameless):,} without a name, of no use: {nameless[0]}{more}")
    if not table.utterance and not options.several:
        lost = next(iter(table.rejected.values()), None)
        why = (
            f"{len(table.rejected):,} cannot be used, such as {lost.detail}"
            if lost
            else " ".join(table.notes) or "no rows"
        )
        raise AvsieveError(f"{label}: no embedding that can be used ({why}); expected a name and a vector in each row")
    return table


def check_places(sources: str | Path | Sequence[str | Path]) -> list[Place]:
    """See that every table is there and in a known format, before anything is read.

    Raises
    ------
    AvsieveError
        If one is not.
    """
    texts = [sources] if isinstance(sources, str | Path) else list(sources)
    places = [parse_place(text) for text in dict.fromkeys(map(str, texts))]
    for place in places:
        kind_of(place)
    return places


def _read(place: Place, options: Options) -> _Part:
    """Read one table, and take out the rows without a name or without an embedding."""
    raw: Raw = READERS[kind_of(place)](place, options)
    names = [text_of(name) for name in raw.names]
    matrix, judged = judge(as_floats(raw.matrix))
    rows = [i for i in range(len(names)) if i not in raw.missing] if raw.missing else range(len(names))
    rejected, nameless, drop = [], [], []
    for k, i in enumerate(rows):
        if not names[i]:
            nameless.append(f"{place.text}, {raw.where(i)}")
            drop.append(k)
    for k, why in judged.items():
        if name := names[rows[k]]:
            detail = f"{short(place.text, 80)}, {raw.where(rows[k])}: {why}"
            rejected.append((name, Rejected(Reason.EMBEDDING_NOT_FINITE, detail)))
    for i, why in raw.missing.items():
        detail = f"{short(place.text, 80)}, {raw.where(i)}: {why}"
        if names[i]:
            rejected.append((names[i], Rejected(Reason.EMBEDDING_MISSING, detail)))
        else:
            nameless.append(f"{place.text}, {raw.where(i)}")
    gone = sorted({*drop, *judged})
    matrix = without(matrix, gone)
    lost = set(gone)
    kept = [names[i] for k, i in enumerate(rows) if k not in lost] if lost else [names[i] for i in rows]
    return _Part(place.text, kept, matrix, rejected, nameless)


def _join(parts: list[_Part], options: Options) -> _Part:
    """Join tables, which must be of one encoder."""
    full = [part for part in parts if len(part.names)]
    for part in full[1:]:
        if part.matrix.shape[1] != full[0].matrix.shape[1]:
            raise AvsieveError(
                f"{part.label}: embeddings of length {part.matrix.shape[1]}, those of {full[0].label} have "
                f"{full[0].matrix.shape[1]}; expected one model for all files"
            )
    if len(full) == 1:
        names, matrix = full[0].names, full[0].matrix
    elif full:
        names, matrix = [n for part in full for n in part.names], np.concatenate([part.matrix for part in full])
    else:
        names, matrix = [], parts[0].matrix[:0] if parts[0].matrix.ndim == 2 else np.zeros((0, 0), np.float32)
    starts = np.cumsum([0, *(len(part.names) for part in full)]).tolist()
    origins = [(start, part.label) for start, part in zip(starts, full, strict=False)]
    return _Part(parts[0].label, names, matrix, [r for part in parts for r in part.rejected], [], origins)


def _resolve(
    part: _Part, label: str, options: Options, wanted: Collection[str] | None, *, by_image: bool
) -> EmbeddingTable:
    """Bring names to ids; join images; see to names that occur twice."""

    def joins(name: str) -> bool:
        return not by_image and is_image(name)

    images = [i for i, name in enumerate(part.names) if joins(name)]
    rejected = {utterance_of(name, options.strip_prefix): why for name, why in part.rejected if not joins(name)}
    bad_images = [why for name, why in part.rejected if joins(name)]
    notes: list[str]
    if not images:
        ids, matrix, notes = [utterance_of(name, options.strip_prefix) for name in part.names], part.matrix, []
    else:
        ids, matrix, notes = _with_images(part, images, label, options, wanted)
    if bad_images:
        more = f" and {len(bad_images) - 1:,} more" if len(bad_images) > 1 else ""
        notes.append(f"{len(bad_images):,} images without an embedding: {bad_images[0].detail}{more}")
    table = EmbeddingTable(ids, matrix, {}, 0, notes)
    if not options.several and len(table.row) < len(ids):
        table = _without_doubles(table, (lambda row: label) if images else part.origin)
    # Whoever has an embedding in another row or file is not without one.
    table.rejected = {u: why for u, why in rejected.items() if u not in table.row}
    if spared := [why.detail for u, why in rejected.items() if u in table.row]:
        table.notes.append(f"{len(spared):,} utterances have unusable rows beside good ones, such as {spared[0]}")
    return table


def _with_images(
    part: _Part, images: list[int], label: str, options: Options, wanted: Collection[str] | None
) -> tuple[list[str], np.ndarray, list[str]]:
    if wanted is None:
        raise AvsieveError(
            f"{label}: its names are those of images ({short(part.names[images[0]], 60)}), which join the utterances "
            "of a list; there is none to join here"
        )
    joined = join_images([part.names[i] for i in images], wanted, options.strip_prefix)
    others = sorted(set(range(len(part.names))) - set(images))
    ids = [utterance_of(part.names[i], options.strip_prefix) for i in others]
    blocks = [part.matrix[others]] if others else []
    for utterance, rows in joined.rows.items():
        own = [images[i] for i in rows]
        if options.several:
            ids += [utterance] * len(own)
            blocks.append(part.matrix[own])
        else:
            ids.append(utterance)
            one = part.matrix[own] if len(own) == 1 else mean_of_units(part.matrix, own)[None]
            blocks.append(one.astype(np.float32, copy=False))
    matrix = np.concatenate(blocks) if blocks else part.matrix[:0]
    return ids, matrix, [joined.note]


def _without_doubles(table: EmbeddingTable, origin: Callable[[int], str]) -> EmbeddingTable:
    """Take one of equal vectors of an utterance; refuse different ones, naming the file of each."""
    first: dict[str, int] = {}
    doubles = []
    for i, utterance in enumerate(table.utterance):
        k = first.setdefault(utterance, i)
        if k == i:
            continue
        if not np.array_equal(table.embedding[k], table.embedding[i]):
            here, there = origin(i), origin(k)
            also = (
                f"another embedding in the earlier file {there}"
                if here != there
                else "several embeddings, which differ"
            )
            raise AvsieveError(f"{here}: utterance {utterance} has {also}; expected one per utterance")
        doubles.append(i)
    example = table.utterance[doubles[0]]
    names = [u for i, u in enumerate(table.utterance) if first[u] == i]
    note = f"{len(doubles):,} names occur again with the same vector, such as {example}; one is taken"
    return EmbeddingTable(names, without(table.embedding, doubles), {}, 0, [*table.notes, note])
