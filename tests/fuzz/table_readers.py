"""Every reader of a Parquet table, with a table that it reads."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NAMES = [f"{speaker}/{video}/{k}" for speaker in "abc" for video in "vw" for k in (1, 2)]
DIM = 4


class TableReader(NamedTuple):
    """A reader: what it reads a path with, and tables for it to be changed."""

    name: str
    read: Callable[[Path], Any]
    seeds: Callable[[], list[pa.Table]]


def _vectors(rows: int, seed: int = 1) -> pa.FixedSizeListArray:
    flat = np.random.default_rng(seed).normal(size=rows * DIM).astype(np.float32)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), DIM)


def _plan() -> list[pa.Table]:
    columns = {
        "utterance": NAMES, "speaker": [n.split("/")[0] for n in NAMES], "video": [n[:3] for n in NAMES],
        "shard": ["00000"] * len(NAMES), "subset": ["train"] * 8 + ["test"] * 4, "seconds": ["3.5"] * 11 + [""],
        "held_out": [n[0] == "c" for n in NAMES],
    }  # fmt: skip
    return [pa.table(columns)]


def _embeddings() -> list[pa.Table]:
    one = pa.table({"utterance": NAMES, "embedding": _vectors(len(NAMES))})
    return [one, one.append_column("quality", pa.array(np.linspace(0, 1, len(NAMES), dtype=np.float32)))]


def _items() -> list[pa.Table]:
    names = [name for name in NAMES for _ in range(2)]
    n = len(names)
    faces = {"utterance": names, "embedding": _vectors(n), "start_s": [0.0, 0.4] * (n // 2), "quality": [0.5] * n}
    segments = {"utterance": names, "segmentation": ["hops"] * n, "start_s": [0.0, 1.0] * (n // 2),
                "length_s": [1.0] * n, "embedding": _vectors(n), "segment": [0, 1] * (n // 2)}  # fmt: skip
    return [pa.table(faces), pa.table(segments), pa.table({**faces, "frame": ["0", "x"] * (n // 2)})]


def _damage() -> list[pa.Table]:
    from avsieve.evaluation.conditions.table import SCHEMA

    noise, stands = {"snr_db": 5.0, "sound": "white"}, {"snr_db": 5.0, "sound": "white", "similarity": 0.5}
    rows = [
        ("loud", NAMES[0], "test", "audio", "noise", noise, 1, "signal", f"{NAMES[0]}@loud"),
        ("loud", NAMES[1], "both", "audio", "noise", stands, 2, "embedding", f"{NAMES[1]}@loud"),
        ("mute", NAMES[2], "enrol", "visual", "missing", {}, 3, "embedding", ""),
        ("other", NAMES[3], "both", "visual", "other_person", {"utterance": NAMES[8]}, 4, "embedding",
         f"{NAMES[3]}@other"),
    ]  # fmt: skip
    columns = dict(zip(SCHEMA.names, map(list, zip(*rows, strict=True)), strict=True))
    columns["parameters"] = [json.dumps(values) for values in columns["parameters"]]
    return [pa.table(columns, schema=SCHEMA)]


@cache
def _scored() -> tuple[pa.Table, dict[str, bytes]]:
    """Return a table of evidence, and the files of the centres, by their endings."""
    from avsieve.cleansing.centre_files import write_centres
    from avsieve.cleansing.centres import pool
    from avsieve.cleansing.evidence import score_shard
    from avsieve.cleansing.inputs import join_shard
    from avsieve.cleansing.scores import to_table
    from avsieve.simulation.corpus import simulate
    from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec

    world = WorldSpec(speakers=8, outsiders=2, videos_per_speaker=3, utterances_per_video=2,
                      audio=ModalitySpec(dim=6), visual=ModalitySpec(dim=6))  # fmt: skip
    corpus = simulate(world, NoiseSpec(), 3)
    ids = corpus.plan["utterance"].tolist()
    shard = join_shard(corpus.plan, {"audio": (ids, corpus.audio, None), "visual": (ids, corpus.visual, None)}, "x")
    centres = pool(lambda: iter([shard]))
    with tempfile.TemporaryDirectory() as folder:
        write_centres(Path(folder) / "centres.parquet", centres)
        files = {path.suffix: path.read_bytes() for path in Path(folder).iterdir()}
    return to_table(score_shard(shard, centres)), files


def _decisions() -> list[pa.Table]:
    n = len(NAMES)
    texts = {"utterance": NAMES, "speaker": [x[0] for x in NAMES], "decision": ["clean", "noisy"] * (n // 2),
             "kind": ["", "video"] * (n // 2), "suggested_speaker": [None, "b"] * (n // 2),
             "machine_decision": ["clean"] * n, "code": ["ok"] * n}  # fmt: skip
    from avsieve.inspection import decided

    for name in (*decided._CODED, *decided.PROBABILITIES):
        texts.setdefault(name, ["x"] * n if name in decided._CODED else [0.5] * n)
    texts["audio_similarity"] = [0.7] * n
    return [pa.table(texts)]


def _status() -> list[pa.Table]:
    n = len(NAMES)
    return [pa.table({"utterance": NAMES, "code": ["ok"] * (n - 1) + ["no_audio"], "detail": [""] * n,
                      "duration_s": [3.0] * n, "n_frames": [4] * n, "audio_s": [3.0] * n})]  # fmt: skip


def _index() -> list[pa.Table]:
    """The index of `tar`."""
    with tempfile.TemporaryDirectory() as folder:
        _write_tar(Path(folder))
        return [pq.read_table(Path(folder) / "x.parquet")]


def _write_tar(folder: Path) -> None:
    from avsieve.storage.indexed_tar import TarWriter

    with TarWriter(folder / "x.tar") as writer:
        for name in NAMES[:3]:
            for k in range(2):
                writer.add(name, f"{name}/{k}.jpg", b"1234" * (k + 1))


def _tar(path: Path) -> Any:
    from avsieve.storage.indexed_tar import TarReader

    content = path.read_bytes()
    _write_tar(path.parent)
    (path.parent / "x.parquet").write_bytes(content)
    with TarReader(path.parent / "x.tar") as reader:
        return [list(reader.of(name)) for name in reader.utterances], len(reader.verify())


def centre_files() -> dict[str, bytes]:
    """Return the three files of centres, by their endings."""
    return _scored()[1]


def _centres(path: Path) -> Any:
    from avsieve.cleansing.centre_files import read_centres

    for suffix, content in _scored()[1].items():
        if suffix != ".parquet":
            path.with_suffix(suffix).write_bytes(content)
    return read_centres(path)


def _centre_seeds() -> list[pa.Table]:
    return [pq.read_table(io.BytesIO(_scored()[1][".parquet"]))]


def _readers_of_evidence() -> list[TableReader]:
    from avsieve.cleansing.inputs import read_plan, read_shard
    from avsieve.cleansing.scores import merge_scores, read_scores

    scores = lambda: [_scored()[0].slice(0, 8)]  # noqa: E731
    first = lambda: _scored()[0]["utterance"].to_pylist()[:3]  # noqa: E731

    def shard(path: Path) -> Any:
        pq.write_table(_plan()[0], path.with_name("plan.parquet"))
        return read_shard(path.with_name("plan.parquet"), path, None)

    return [
        TableReader("evidence", read_scores, scores),
        TableReader("evidence of a list", lambda p: read_scores(p, first()), scores),
        TableReader("evidence, merged", lambda p: merge_scores([p, p], p.with_name("all.parquet")), scores),
        TableReader("centres", _centres, _centre_seeds),
        TableReader("plan", read_plan, _plan),
        TableReader("shard: plan", lambda p: read_shard(p, None, None), _plan),
        TableReader("shard: embeddings", shard, _embeddings),
    ]


def _readers_of_damage() -> list[TableReader]:
    from avsieve.damage.manifest import wanted
    from avsieve.evaluation.conditions.table import DamageTable
    from avsieve.evaluation.trials import make_trial_list
    from avsieve.fusion.damage import damaged_inputs, variants_of
    from avsieve.fusion.inputs import Inputs, Stream
    from avsieve.fusion.twins import read_twins

    rng = np.random.default_rng(1)
    streams = [Stream(rng.normal(size=(len(NAMES), DIM)).astype(np.float32), np.ones(len(NAMES), bool))] * 2
    inputs = Inputs(list(NAMES), *streams)

    class Known:
        def stream(self, modality: str, utterances: list[str]) -> Stream:
            return streams[0].of(np.arange(len(utterances)) % len(NAMES))

        damaged = stream

    trials = make_trial_list([True, False], [NAMES[0], NAMES[2]], [NAMES[1], NAMES[3]])

    def damages(path: Path) -> Any:
        table = DamageTable(path)
        found = [(condition, table.rows(condition)) for condition in table.conditions]
        return [damaged_inputs(inputs, variants_of(trials, rows), Known(), name) for name, rows in found]

    return [
        TableReader("damages of signals", lambda p: wanted(p, NAMES), _damage),
        TableReader("damages of trials", damages, _damage),
        TableReader("twins", lambda p: read_twins(p, inputs, Known()), _damage),
    ]


def _readers_of_embeddings() -> list[TableReader]:
    from avsieve.embedding_files.own_tables import read_embeddings, read_measures
    from avsieve.embedding_files.raw import Options
    from avsieve.embedding_files.reading import read_tables
    from avsieve.evaluation.segments import read_segments
    from avsieve.fusion.inputs import read_stream
    from avsieve.fusion.sequence_files import read_sequences
    from avsieve.sources.embeddings.split_sequences import split_sequences
    from avsieve.storage.sequence_names import FRAMES, HOPS

    plan = _plan()[0].to_pandas()

    def sequences(name: str) -> Callable[[Path], Any]:
        def read(path: Path) -> Any:
            found = read_sequences(NAMES, [path], [name], scratch=path.parent, unnamed=name)[name]
            return found.read(np.arange(len(NAMES)))

        return read

    def split(name: str) -> Callable[[Path], Any]:
        return lambda path: split_sequences(plan, ["00000"], {name: [str(path)]}, path.parent)

    return [
        TableReader("embeddings of users", lambda p: read_tables(p, wanted=NAMES), _embeddings),
        TableReader("segments of users", lambda p: read_tables(p, Options(several=True)), _items),
        TableReader("embeddings", read_embeddings, _embeddings),
        TableReader("measures beside embeddings", read_measures, _embeddings),
        TableReader("stream", lambda p: read_stream(list(NAMES), [p]), _embeddings),
        TableReader("sequences of faces", sequences(FRAMES), _items),
        TableReader("sequences of segments", sequences(HOPS), _items),
        TableReader("segments", lambda p: read_segments(NAMES, [p]), _items),
        TableReader("faces", lambda p: read_segments(NAMES, [p], 2), _items),
        TableReader("segments to be split", split(HOPS), _items),
        TableReader("faces to be split", split(FRAMES), _items),
    ]


def _pairs() -> list[pa.Table]:
    return [pa.table({"audio": NAMES, "visual": NAMES, "fused_embedding": _vectors(len(NAMES))})]


def _readers_of_results() -> list[TableReader]:
    from avsieve.comparison.arm_lists import without_held_out
    from avsieve.evaluation.trial_lists import kept_for_trials
    from avsieve.inspection.decided import read_decided
    from avsieve.joint.embedded import EmbeddedModel, Origin, write_origin
    from avsieve.joint.pairs import Names
    from avsieve.lists.durations import durations_of
    from avsieve.report.facts import read_failures
    from avsieve.review.server.columns import read_columns

    def arm(path: Path) -> Any:
        listed = path.with_suffix(".txt")
        listed.write_text("".join(f"{name[0]} {name}.wav 3.0\n" for name in NAMES))
        return without_held_out(listed, path)

    def durations(path: Path) -> Any:
        [plan] = _plan()
        blank = pa.nulls(len(plan), pa.string())  # of those that the plan has the table is not asked
        at = plan.column_names.index("seconds")
        pq.write_table(plan.set_column(at, "seconds", blank), path.with_name("plan.parquet"))
        return durations_of(path.with_name("plan.parquet"), [path])

    def joint(path: Path) -> Any:
        write_origin(path, Origin("avn_j", "all", 0, ["x"]))
        return EmbeddedModel(path).encode(Names().inputs([NAMES[0]]))

    return [
        TableReader("index of a tar", _tar, _index),
        TableReader("plan for trials", kept_for_trials, _plan),
        TableReader("plan for durations", durations_of, _plan),
        TableReader("plan for an arm", arm, _plan),
        TableReader("durations", durations, _status),
        TableReader("failures", lambda p: read_failures([p]), _status),
        TableReader("decisions", read_decided, _decisions),
        TableReader("decisions for review", read_columns, _decisions),
        TableReader("joint embeddings", joint, _pairs),
    ]


def table_readers() -> list[TableReader]:
    """Return all of them."""
    return [*_readers_of_evidence(), *_readers_of_damage(), *_readers_of_embeddings(), *_readers_of_results()]
