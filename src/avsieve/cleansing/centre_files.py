"""The files of the centres, which carry pass 1 to pass 2.

``centres.parquet`` has one row per speaker, sorted by name: ``speaker``, ``utterances``, ``videos``, and per modality
fixed-size lists of float32, ``{m}_centre``, the robust centre, and, in the metric (`avsieve.cleansing.metric`),
``{m}_metric_centre`` and ``{m}_metric_sample``, the mean of one trusted video; ``{m}_support`` (sum of weights) and
``{m}_nearest`` with ``{m}_nearest_similarity`` (the most similar other centre). ``turned`` is -1, or numbers the video
whose person the label is in place of that of its mode (`avsieve.cleansing.claims`). ``centres.json`` beside it holds
the calibrations and the coherence of people, and ``centres.npz`` the metric, where there is one: ``{m}_mean`` and
``{m}_axes``.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pyarrow as pa

from avsieve.cleansing.calibration import PairCalibration
from avsieve.cleansing.centres import Centres, nearest_centres
from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.metric import Metric
from avsieve.errors import AvsieveError
from avsieve.storage.atomic import atomic_path, write_json
from avsieve.storage.column_kinds import COUNT, FLOAT, NAME, VECTOR, check_columns, check_values
from avsieve.storage.remedies import make_anew
from avsieve.storage.tables import open_table, write_table
from avsieve.storage.text_files import parsed_json, read_text
from avsieve.storage.unpacked_size import check_zip


def write_centres(path: str | Path, centres: Centres) -> None:
    """Write ``path`` (Parquet), and beside it the calibrations (JSON) and the metric (npz)."""
    columns: dict[str, pa.Array] = {
        "speaker": pa.array(centres.speakers, pa.string()),
        "utterances": pa.array(centres.utterances, pa.int32()),
        "videos": pa.array(centres.videos, pa.int32()),
        "turned": pa.array(centres.turned, pa.int32()),
    }
    for m in MODALITIES:
        index, value = nearest_centres(centres, m)
        columns[f"{m}_centre"] = _lists(centres.plain[m])
        columns[f"{m}_metric_centre"] = _lists(centres.centre[m])
        columns[f"{m}_metric_sample"] = _lists(centres.sample[m])
        columns[f"{m}_support"] = pa.array(centres.support[m], pa.float32())
        columns[f"{m}_nearest"] = pa.array([centres.speakers[i] if i >= 0 else None for i in index], pa.string())
        columns[f"{m}_nearest_similarity"] = pa.array(value, pa.float32())
    path = Path(path)
    learned = {f"{m}_{name}": array for m, f in centres.metric.items() if f for name, array in vars(f).items()}
    with atomic_path(path.with_suffix(".npz")) as partial:
        np.savez(partial, **learned)
    known = {m: a if np.isfinite(a) else None for m, a in centres.coherence.items()}
    write_json(
        path.with_suffix(".json"), {m: {**asdict(c), "coherence": known[m]} for m, c in centres.calibration.items()}
    )
    write_table(path, pa.table(columns))


def read_centres(path: str | Path) -> Centres:
    """Read what `write_centres` wrote.

    Raises
    ------
    AvsieveError
        If one of the three files is absent or damaged, or they are not of one run.
    """
    path = Path(path)
    vectors = ("centre", "metric_centre", "metric_sample")
    kinds = {"speaker": NAME, "utterances": COUNT, "videos": COUNT, "turned": COUNT}
    for m in MODALITIES:
        kinds |= {f"{m}_{name}": VECTOR for name in vectors} | {f"{m}_support": FLOAT}
    with open_table(path, list(kinds)) as file:
        check_columns(path, file.schema_arrow, kinds)
        table = file.read(columns=list(kinds))
    for name in kinds:
        check_values(path, name, table[name], kinds)
    calibration, coherence = _described(path.with_suffix(".json"))
    plain, centre, sample = ({m: _matrix(path, table[f"{m}_{kind}"]) for m in MODALITIES} for kind in vectors)
    return Centres(
        table["speaker"].to_pylist(),
        table["utterances"].to_numpy(),
        table["videos"].to_numpy(),
        centre,
        sample,
        plain,
        {m: table[f"{m}_support"].to_numpy() for m in MODALITIES},
        calibration,
        _metrics(path.with_suffix(".npz"), plain),
        coherence,
        table["turned"].to_numpy(),
    )


def _described(path: Path) -> tuple[dict[str, PairCalibration], dict[str, float]]:
    """Read the calibrations and the coherence of people."""
    calibration, coherence = {}, {}
    wanted = {field.name for field in fields(PairCalibration)}
    with _whole(path):
        described = parsed_json(read_text(path, "calibration"))
        for m in MODALITIES:
            of = described[m]
            known, numbers = of["coherence"], {name: of[name] for name in wanted}
            if not all(_is_number(x) for x in (*numbers.values(), 0.0 if known is None else known)):
                raise ValueError(f"{m} has something else than numbers")
            calibration[m], coherence[m] = PairCalibration(**numbers), np.nan if known is None else known
    return calibration, coherence


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _metrics(path: Path, plain: Mapping[str, np.ndarray]) -> dict[str, Metric | None]:
    """Read the metrics, which must fit embeddings of ``plain``'s lengths."""
    metric: dict[str, Metric | None] = dict.fromkeys(MODALITIES)
    with _whole(path):
        check_zip(path)
        with np.load(path, allow_pickle=False) as arrays:
            for m in MODALITIES:
                if f"{m}_axes" not in arrays:
                    continue
                mean, axes = arrays[f"{m}_mean"], arrays[f"{m}_axes"]
                if not (isinstance(mean, np.ndarray) and isinstance(axes, np.ndarray)):
                    raise TypeError(f"{m} has something else than arrays")
                dim = plain[m].shape[1]
                if mean.shape != (dim,) or axes.ndim != 2 or axes.shape[0] != dim:
                    raise ValueError(f"{m} has {mean.shape} and {axes.shape}, the centres have the length {dim}")
                metric[m] = Metric(mean, axes)
    return metric


_STRANGE = (
    OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error,
    RuntimeError,  # of zipfile, at a member that claims to be encrypted or packed in a way that it does not know
)  # fmt: skip
"""What zipfile, NumPy and a JSON of another form raise."""


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Tell in one line what is wrong with a file beside the centres."""
    try:
        yield
    except FileNotFoundError:
        raise AvsieveError(f"{path}: no such file; pool the speakers again, which writes it") from None
    except _STRANGE as error:
        about = f"{type(error).__name__}: {str(error)[:100]}"
        raise AvsieveError(f"{path}: not what pass 1 wrote, or damaged ({about}); {make_anew(path)}") from error


def _lists(matrix: np.ndarray) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(matrix, np.float32).reshape(-1))
    # Parquet has no lists of width 0: a modality that nobody has is one column of zeros.
    if matrix.shape[1] == 0:
        return _lists(np.zeros((len(matrix), 1), np.float32))
    return pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])


def _matrix(path: Path, column: pa.ChunkedArray) -> np.ndarray:
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    values = array.flatten()
    if values.null_count:
        raise AvsieveError(f"{path}: a centre has null among its numbers; {make_anew(path)}")
    return values.to_numpy(zero_copy_only=False).reshape(len(array), array.type.list_size)
