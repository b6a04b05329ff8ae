"""What a joint model made of the trials' utterances: the table of it, and the model that scores from it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.errors import AvsieveError, ModelError
from avsieve.evaluation.scoring import Part
from avsieve.fusion.base import FusionModel
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.system import System
from avsieve.joint.models import joint_model
from avsieve.joint.pairs import Pair, pairs_of
from avsieve.storage.atomic import write_text
from avsieve.storage.tables import open_table, write_parts
from avsieve.storage.text_files import parsed_json, read_text

logger = logging.getLogger(__name__)

PAIR = ["audio", "visual"]


def column_of(part: str) -> str:
    """Return the column of a part."""
    return f"{part}_embedding"


@dataclass(frozen=True)
class Origin:
    """Which model made a table.

    Attributes
    ----------
    model, trained_on, seed, speakers
        As `avsieve.fusion.system.System` has them.
    seconds
        What embedding an utterance took, on the mean.
    left_out
        Why there is no model; nothing where there is one.
    """

    model: str
    trained_on: str
    seed: int
    speakers: list[str]
    seconds: float = 0.0
    left_out: str = ""


def beside(path: str | Path) -> Path:
    """Return where the origin of a table lies."""
    return Path(path).with_suffix(".json")


Found = tuple[list[Pair], list[tuple[np.ndarray, np.ndarray]]]
"""N pairs, and for each part of the model (N, D) float32 and (N,) bool, whether there is one."""


def write_embedded(path: str | Path, parts: Iterator[Found], widths: dict[str, int]) -> int:
    """Write a table: a row for each pair, with a column for each part.

    Parameters
    ----------
    parts
        Batches.
    widths
        Name of a part -> D.

    Returns
    -------
    How many rows it has.
    """
    rows = 0
    schema = pa.schema(
        [(name, pa.string()) for name in PAIR]
        + [(column_of(name), pa.list_(pa.float32(), width)) for name, width in widths.items()]
    )

    def tables() -> Iterator[pa.Table]:
        nonlocal rows
        yield schema.empty_table()
        for pairs, found in parts:
            rows += len(pairs)
            columns = [pa.array([pair[k] for pair in pairs], pa.string()) for k in range(2)]
            for (vectors, present), width in zip(found, widths.values(), strict=True):
                flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
                columns.append(pa.FixedSizeListArray.from_arrays(flat, width, mask=pa.array(~present)))
            yield pa.Table.from_arrays(columns, schema=schema)

    write_parts(path, tables())
    return rows


def write_origin(path: str | Path, origin: Origin) -> None:
    """Write which model made the table of a path, beside it."""
    write_text(beside(path), json.dumps(asdict(origin), sort_keys=True) + "\n")


def read_origin(path: str | Path) -> Origin:
    """Return which model made a table.

    Raises
    ------
    AvsieveError
        If that is not told beside it.
    """
    told = beside(path)
    try:
        found = Origin(**parsed_json(read_text(told)))
    except (TypeError, ValueError) as error:
        raise AvsieveError(f"{told}: does not tell which model made {path} ({error}); run embed_joint again") from None
    for name, kind in (("model", str), ("trained_on", str), ("seed", int), ("speakers", list), ("left_out", str)):
        if not isinstance(getattr(found, name), kind):
            raise AvsieveError(f"{told}: its {name} is no {kind.__name__}; run embed_joint again")
    if not all(isinstance(speaker, str) for speaker in found.speakers):
        raise AvsieveError(f"{told}: its speakers are no names; run embed_joint again")
    return found


class EmbeddedModel(FusionModel):
    """A joint model whose embeddings of the trials' utterances lie in a table.

    Parameters
    ----------
    path
        The table.

    Raises
    ------
    AvsieveError
        If it is damaged, or has no column of a part.
    """

    def __init__(self, path: str | Path) -> None:
        self.path, self.origin = Path(path), read_origin(path)
        kind = joint_model(self.origin.model)
        self.name, self.label = kind.name, kind.label  # type: ignore[misc]
        self.embedding_s = self.origin.seconds
        columns = [column_of(part) for part in kind.parts]
        with open_table(self.path, [*PAIR, *columns]) as file:
            table = file.read(columns=[*PAIR, *columns])
        for name in PAIR:
            if not pa.types.is_string(table[name].type) or table[name].null_count:
                raise AvsieveError(
                    f"{self.path}: {name} is {table[name].type}, {table[name].null_count} of them null; expected an id "
                    "in each row: run embed_joint again"
                )
        pairs = pd.MultiIndex.from_arrays([table[name].to_pylist() for name in PAIR])
        if not pairs.is_unique:
            raise AvsieveError(f"{self.path}: {pairs[pairs.duplicated()][0]} is there twice; run embed_joint again")
        self._rows = pairs
        self._parts = [_vectors(self.path, name, table[name]) for name in columns]

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the parts of the rows, by the signals that they were made of.

        Raises
        ------
        ModelError
            If there is a row that the table does not have.
        """
        pairs = pairs_of(inputs)
        rows = self._rows.get_indexer(pd.MultiIndex.from_tuples(pairs, names=None)) if pairs else np.zeros(0, np.int64)
        nothing = np.array([not any(pair) for pair in pairs], bool)
        if (lost := (rows < 0) & ~nothing).any():
            pair = pairs[int(lost.argmax())]
            raise ModelError(
                f"{self.path}: has no embedding of the voice {pair[0] or '-'} with the faces {pair[1] or '-'}, and of "
                f"{int(lost.sum())} pairs in all; run embed_joint again, with these trials"
            )
        found = []
        for vectors, present in self._parts:
            if not len(vectors):
                found.append(Part.of(np.zeros((len(rows), vectors.shape[1]), np.float32), np.zeros(len(rows), bool)))
                continue
            found.append(Part.of(vectors[np.maximum(rows, 0)], present[np.maximum(rows, 0)] & (rows >= 0)))
        return found


def _vectors(path: Path, name: str, column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    if not pa.types.is_fixed_size_list(column.type) or column.type.value_type != pa.float32():
        raise AvsieveError(f"{path}: {name} is {column.type}, expected vectors of float32; run embed_joint again")
    width = column.type.list_size
    present = column.is_valid().to_numpy(zero_copy_only=False).astype(bool)
    vectors = np.zeros((len(column), width), np.float32)
    if present.any():
        vectors[present] = (
            column.drop_null().combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
        )
    if not np.isfinite(vectors).all():
        raise AvsieveError(f"{path}: {name} has numbers that are not finite; run embed_joint again")
    return vectors, present


def embedded_systems(paths: Sequence[str | Path]) -> tuple[list[System], dict[str, str]]:
    """Return the systems of some tables, and of those that could not be trained the reason."""
    systems, missing = [], {}
    for path in sorted(map(Path, paths)):
        origin = read_origin(path)
        if origin.left_out:
            missing[f"{path.parent.name}/{path.name}"] = origin.left_out
            logger.warning("%s/%s was not trained: %s", path.parent.name, path.name, origin.left_out)
            continue
        systems.append(System(EmbeddedModel(path), origin.trained_on, origin.seed, frozenset(origin.speakers)))
    return systems, missing
