"""The table of evidence: what pass 2 writes and every method reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from avsieve.cleansing.inputs import MODALITIES
from avsieve.errors import AvsieveError
from avsieve.storage.column_kinds import FLAG, FLOAT, NAME, TEXT, check_columns, check_values
from avsieve.storage.tables import WRITTEN, open_table, read_arrow, write_table

NEAREST = 3  # other speakers kept per utterance
PERSONS = ("second", "doubt", "rival")
_METRIC = "metric"  # in the names of the columns of what was compared in the metric
_SHARED = ("quality", "fallback", "present", "not_finite")  # the same in the metric
_FLAGS = ("fallback", "present", "not_finite")
_COLUMNS = ("utterance", "speaker", "video", "joint", "joint_speaker", *PERSONS)


@dataclass
class Evidence:
    """One modality; n utterances, similarities are cosines (float32), NaN where there is nothing to compare.

    similarity
        To the speaker's robust centre without the own video.
    plain
        To the plain mean of the speaker's other videos, as published methods have it.
    other, other_speaker
        (n, 3) the nearest other speakers in the metric, most similar first, and their row in ``Scores.speakers`` (-1:
        none).
    agreement
        To the rest of the own video.
    sibling
        To one other video of the label, the most trusted one: what agreement would be in another channel.
    foreign, foreign_agreement
        To the centre and to one video of a speaker drawn for the video: what a wrong label looks like.
    support
        How many other videos stand behind ``similarity``, by their weights.
    quality
        The encoder's or extractor's own measure (faces: quality; voices: duration in seconds), NaN where unknown.
    fallback
        Compared with the rest of its own video, since the speaker has no other.
    present, not_finite
        Whether there is an embedding; whether there is one that cannot be used (NaN, infinite or zero).
    """

    similarity: np.ndarray
    plain: np.ndarray
    other: np.ndarray
    other_speaker: np.ndarray
    agreement: np.ndarray
    sibling: np.ndarray
    foreign: np.ndarray
    foreign_agreement: np.ndarray
    support: np.ndarray
    quality: np.ndarray
    fallback: np.ndarray
    present: np.ndarray
    not_finite: np.ndarray

    @classmethod
    def empty(cls, n: int) -> Evidence:
        """Return evidence of ``n`` utterances of which nothing is known."""
        made = {}
        for field in fields(cls):
            if field.name in _FLAGS:
                made[field.name] = np.zeros(n, bool)
            elif field.name == "other_speaker":
                made[field.name] = np.full((n, NEAREST), -1, np.int32)
            else:
                made[field.name] = np.full((n, NEAREST) if field.name == "other" else n, np.nan, np.float32)
        return cls(**made)

    def take(self, rows: np.ndarray) -> Evidence:
        """Return the evidence of some rows."""
        return Evidence(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @property
    def margin(self) -> np.ndarray:
        """Own minus nearest other similarity, (n,)."""
        return self.similarity - self.other[:, 0]


@dataclass
class Scores:
    """Evidence of n utterances.

    ``evidence`` is by the plain cosines of the embeddings, which users and published methods know; ``learned`` by
    cosines in the metric that was learned from the corpus, if one was.

    ``speaker`` (n,) int32 rows of ``speakers``; ``video`` (n,) keys; ``joint`` and ``joint_speaker`` (n, 3) the nearest
    other speakers by the mean of the modalities present. ``second`` (n,) is the probability that the utterance belongs
    to a second person who is seen in several videos of the label; ``doubt`` (n,) that the label's centre is not the
    speaker's, and ``rival`` (n,) that the utterance then is.
    """

    utterance: np.ndarray
    speaker: np.ndarray
    video: np.ndarray
    speakers: list[str]
    evidence: dict[str, Evidence]
    learned: dict[str, Evidence]
    joint: np.ndarray
    joint_speaker: np.ndarray
    second: np.ndarray
    doubt: np.ndarray
    rival: np.ndarray

    def __len__(self) -> int:
        return len(self.utterance)

    @property
    def audio(self) -> Evidence:
        """Evidence of the voice."""
        return self.evidence["audio"]

    @property
    def visual(self) -> Evidence:
        """Evidence of the face."""
        return self.evidence["visual"]

    def video_code(self) -> np.ndarray:
        """Return videos as numbers from 0, in the order in which they come, (n,) int64."""
        import pandas as pd

        return pd.factorize(self.video)[0].astype(np.int64, copy=False)

    def take(self, rows: np.ndarray) -> Scores:
        """Return the scores of some rows."""
        evidence, learned = ({m: e.take(rows) for m, e in parts.items()} for parts in (self.evidence, self.learned))
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return Scores(speakers=self.speakers, evidence=evidence, learned=learned, **columns)


def concatenate(parts: Sequence[Scores]) -> Scores:
    """Join scores that were made with the same centres."""
    if not parts:
        raise AvsieveError("no scores were given; score at least one shard")
    evidence, learned = (
        {m: _joined([getattr(p, name)[m] for p in parts]) for m in MODALITIES} for name in ("evidence", "learned")
    )
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in _COLUMNS}
    return Scores(speakers=parts[0].speakers, evidence=evidence, learned=learned, **joined)


def _joined(parts: Sequence[Evidence]) -> Evidence:
    return Evidence(**{f.name: np.concatenate([getattr(e, f.name) for e in parts]) for f in fields(Evidence)})


def to_table(scores: Scores) -> pa.Table:
    """Return the table that is stored; speakers by name, so that it means something by itself."""
    columns: dict[str, pa.Array] = {
        "utterance": pa.array(scores.utterance, pa.string()),
        "speaker": _names(scores.speaker, scores.speakers),
        "video": pa.array(scores.video, pa.string()),
    }
    for m in MODALITIES:
        for stem, e in ((m, scores.evidence[m]), (f"{m}_{_METRIC}", scores.learned[m])):
            for field in fields(e):
                values = getattr(e, field.name)
                if field.name == "other":
                    columns |= {f"{stem}_other{k + 1}": pa.array(values[:, k], pa.float32()) for k in range(NEAREST)}
                elif field.name == "other_speaker":
                    columns |= {
                        f"{stem}_other{k + 1}_speaker": _names(values[:, k], scores.speakers) for k in range(NEAREST)
                    }
                elif stem == m or field.name not in _SHARED:
                    columns[f"{stem}_{field.name}"] = pa.array(values)
        columns[f"{m}_margin"] = pa.array(scores.evidence[m].margin, pa.float32())
    for k in range(NEAREST):
        columns[f"joint_other{k + 1}"] = pa.array(scores.joint[:, k], pa.float32())
        columns[f"joint_other{k + 1}_speaker"] = _names(scores.joint_speaker[:, k], scores.speakers)
    for name in PERSONS:
        columns[name] = pa.array(getattr(scores, name), pa.float32())
    return pa.table(columns)


def write_scores(path: str | Path, scores: Scores) -> None:
    """Write the scores as Parquet."""
    write_table(path, to_table(scores))


def merge_scores(paths: Sequence[str | Path], out: str | Path) -> None:
    """Join the score tables of shards, one at a time in memory.

    Raises
    ------
    AvsieveError
        If a table cannot be read, holds no scores, or has other columns than the first.
    """
    from avsieve.storage.atomic import atomic_path

    if not paths:
        raise AvsieveError("no score tables were given; score at least one shard")
    with open_table(paths[0], ["utterance", "speaker"]) as first:
        schema = first.schema_arrow
    with atomic_path(out) as partial, pq.ParquetWriter(partial, schema, **WRITTEN) as writer:
        for path in paths:
            table = read_arrow(path)
            if table.column_names != schema.names:
                raise AvsieveError(
                    f"{path}: columns {table.column_names}; expected those of {paths[0]}: score all shards alike"
                )
            writer.write_table(table.cast(schema))


def read_scores(path: str | Path, utterances: Sequence[str] | None = None) -> Scores:
    """Read scores; speakers are numbered by their names' order.

    Parameters
    ----------
    utterances
        Those that are wanted, in their order; without it all, in the order of the file.

    Raises
    ------
    AvsieveError
        If there is no such table, it lacks columns, or an utterance was not scored.
    """
    stems = {m: m for m in MODALITIES} | {f"{m}_{_METRIC}": m for m in MODALITIES}
    named = ["speaker", *(f"{s}_other{k + 1}_speaker" for s in (*stems, "joint") for k in range(NEAREST))]
    values = [f.name for f in fields(Evidence) if not f.name.startswith("other")]
    with open_table(path, ["utterance"]) as file:
        of = {s: {name: f"{m if name in _SHARED else s}_{name}" for name in values} for s, m in stems.items()}
        numbers = [f"{s}_other{k + 1}" for s in (*stems, "joint") for k in range(NEAREST)]
        kinds = {"video": NAME, **dict.fromkeys(named, TEXT), **dict.fromkeys((*PERSONS, *numbers), FLOAT)}
        for columns in of.values():
            kinds |= {column: FLAG if name in _FLAGS else FLOAT for name, column in columns.items()}
        if missing := sorted(kinds.keys() - set(file.schema_arrow.names)):
            raise AvsieveError(f"{path}: columns {missing[:4]} are missing; score the utterances again")
        check_columns(path, file.schema_arrow, kinds)
        # A column at a time, so that hardly more than what is wanted of them is ever in memory.

        def read(column: str) -> pa.ChunkedArray:
            found = file.read(columns=[column], use_threads=False)[column]
            check_values(path, column, found, kinds)
            return found

        rows: np.ndarray | slice = slice(None)
        if utterances is None:
            names = read("utterance").to_numpy()
        else:
            rows, names = rows_of(read("utterance"), utterances), np.array(utterances, dtype=object)
        speakers, codes = _codes({column: _encoded(read(column), rows) for column in named})

        def matrices(stem: str) -> tuple[np.ndarray, np.ndarray]:
            columns = [f"{stem}_other{k + 1}" for k in range(NEAREST)]
            value = np.stack([read(c).to_numpy()[rows] for c in columns], axis=1)
            return value, np.stack([codes.pop(f"{c}_speaker") for c in columns], axis=1)

        def evidence(stem: str, **shared: np.ndarray) -> Evidence:
            other, other_speaker = matrices(stem)
            found = {name: read(column).to_numpy()[rows] for name, column in of[stem].items() if name not in shared}
            return Evidence(other=other, other_speaker=other_speaker, **found, **shared)

        joint, joint_speaker = matrices("joint")
        plain = {m: evidence(m) for m in MODALITIES}
        video = read("video").combine_chunks().dictionary_encode()
        return Scores(
            utterance=names,
            speaker=codes["speaker"],
            video=video.dictionary.to_numpy(zero_copy_only=False)[video.indices.to_numpy()[rows]],
            speakers=speakers,
            evidence=plain,
            learned={m: evidence(f"{m}_{_METRIC}", **{s: getattr(plain[m], s) for s in _SHARED}) for m in MODALITIES},
            joint=joint,
            joint_speaker=joint_speaker,
            **{name: read(name).to_numpy()[rows] for name in PERSONS},
        )


def rows_of(scored: np.ndarray | pa.ChunkedArray, utterances: Sequence[str]) -> np.ndarray:
    """Return where among those that were scored each of ``utterances`` is, int64.

    Raises
    ------
    AvsieveError
        If one of them was not scored.
    """
    import pyarrow.compute as pc

    values = scored.combine_chunks() if isinstance(scored, pa.ChunkedArray) else pa.array(scored, pa.string())
    wanted = pa.array(utterances, pa.string())
    found = pc.index_in(wanted, value_set=values)
    if found.null_count:
        first = wanted[pc.index(pc.is_null(found), True).as_py()]
        raise AvsieveError(
            f"{found.null_count} of {len(wanted)} utterances of the plan are not in the scores, "
            f"for example {first}; score the shards of this plan again"
        )
    return found.to_numpy().astype(np.int64)


def _names(code: np.ndarray, speakers: list[str]) -> pa.Array:
    indices = pa.array(np.where(code < 0, 0, code), pa.int32(), mask=code < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(speakers, pa.string()))


def _encoded(column: pa.ChunkedArray, rows: np.ndarray | slice) -> tuple[list[str], np.ndarray]:
    """Return the names in a column of names, and its ``rows`` as rows of these, int32; there is none: their number."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    chunks = column.unify_dictionaries().chunks
    names = chunks[0].dictionary.to_pylist() if chunks else []
    indices = [chunk.indices.fill_null(len(names)).to_numpy(zero_copy_only=False) for chunk in chunks]
    return names, np.concatenate([np.zeros(0, np.int32), *indices])[rows]


def _codes(encoded: dict[str, tuple[list[str], np.ndarray]]) -> tuple[list[str], dict[str, np.ndarray]]:
    """Return the names of all columns (`_encoded`), sorted, and each column as rows of them, int32, -1: none."""
    speakers = sorted(set().union(*(names for names, _ in encoded.values())))
    position = {s: i for i, s in enumerate(speakers)}
    codes = {}
    for column in list(encoded):
        names, indices = encoded.pop(column)
        codes[column] = np.array([position[s] for s in names] + [-1], dtype=np.int32)[indices]
    return speakers, codes
