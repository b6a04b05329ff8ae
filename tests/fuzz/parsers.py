"""Every parser of what users bring, with files that it reads."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.table_readers import centre_files

TRAIN = b"a a/v/1.wav 3.2\na a/v/2.wav 4\nb b/w/1.wav 5.25\n"
CLEAN = b"a a/v/1.wav 3.2 0.71 nan 1\nb b/w/1.wav 5.25 0.1 0.2 0\n"
TRIALS = b"1 a/v/1.wav a/v/2.wav\n0 a/v/1.wav b/w/1.wav\n"


class Parser(NamedTuple):
    """A parser: what it reads a path with, and files for it to be changed."""

    name: str
    read: Callable[[Path], Any]
    seeds: Callable[[], list[bytes]]
    suffix: str = ".txt"
    isolated: bool = False
    """Its library is written in C and may crash, or take memory: it runs in a process of its own."""


def _lists() -> list[Parser]:
    from avsieve.evaluation.trial_maker import read_sex
    from avsieve.evaluation.trials import read_trials
    from avsieve.inspection.list_facts import list_facts
    from avsieve.lists.layouts import read_corpus_list
    from avsieve.lists.train_list import read_clean_list, read_train_list

    split = b"1 a/v/1.wav\n3 b/w/1.wav\n"
    utt2spk = b"a-v-1 a\nb-w-1 b\n"
    kaldi = b"a/v/1.wav a/v/2.wav target\na/v/1.wav b/w/1.wav nontarget\n"
    meta = b"VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid1\tA\tm\tUSA\tdev\nid2\tB\tf\tUSA\tdev\n"
    listed = lambda: [TRAIN, CLEAN, split, utt2spk, b"a/v/1.wav\nb/w/2.wav\n", TRAIN.decode().encode("utf-16")]  # noqa: E731
    return [
        Parser("train list of any layout", read_corpus_list, listed),
        Parser("train list", read_train_list, lambda: [TRAIN]),
        Parser("cleansed list", read_clean_list, lambda: [CLEAN]),
        Parser("facts of a list", list_facts, lambda: [TRAIN, CLEAN]),
        Parser("trial list", read_trials, lambda: [TRIALS, kaldi]),
        Parser("table of speakers", read_sex, lambda: [meta, b"id1 m\nid2 f\n"]),
    ]


def _tables() -> list[Parser]:
    from avsieve.cleansing.anchor_ranks import read_anchor_table
    from avsieve.cleansing.published_lists import join_noisy, read_flags
    from avsieve.report.detection import read_truth
    from avsieve.review.agreement import read_agreements
    from avsieve.review.answers import read_answers
    from avsieve.review.lines import read_log
    from avsieve.review.plan import read_plan
    from avsieve.review.server.keys import read_keys
    from avsieve.review.table import read_review
    from avsieve.sources.frames.names import read_names
    from avsieve.sources.tree.table import read_clip_table
    from avsieve.sources.urls.table import read_table
    from avsieve.sources.voxceleb.tracks import read_track

    review = (
        b"utterance,decision,audio,visual,speaker,spread,reviewers,who,disagreement,resolved,time,list_sha256\n"
        b"a/v/1,right,right,right,,no,1,me,no,,,\na/v/2,other_speaker,wrong,wrong,b,yes,2,me,yes,,,\n"
    )
    track = (
        b"Identity  : \tid1\nReference : \txyz\nOffset    : \t1\nFV Conf   : \t20.1\t(1)\nASD Conf  : \t4.2\n\n"
        b"FRAME \tX \tY \tW \tH \n000001\t0.1\t0.2\t0.3\t0.3\n000002\t0.1\t0.2\t0.3\t0.3\n"
    )
    anchors = b"utterance,status\na/v/1,confirmed\nb/w/1,\n"
    keys = b'{"right": ["r"], "faster": ["x", "y"]}'
    log = json.dumps({"utterance": "a/v/1", "decision": "right", "time": "2024-01-01T00:00:00+00:00"}).encode()
    return [
        Parser("table of reviews", read_review, lambda: [review, b"utterance,decision\na/v/1,right\n"], ".csv"),
        Parser("log of a reviewer", read_log, lambda: [log + b"\n" + log + b"\n"], ".jsonl"),
        Parser("plan of a review", read_plan, _review_plan, ".parquet", isolated=True),
        Parser("journal of a reviewer", _journal, lambda: [(log + b"\n") * 2, _acts()], ".jsonl"),
        Parser("agreement of reviewers", lambda p: read_agreements(p.parent), lambda: [_acts()], ".jsonl"),
        Parser("answers of a review", lambda p: read_answers(p.parent), lambda: [log + b"\n"], ".jsonl"),
        Parser("keys of the reviewer's page", read_keys, lambda: [keys, b"{}"], ".json"),
        Parser("table of anchors", read_anchor_table, lambda: [anchors, b"utterance\na/v/1\n"], ".csv"),
        Parser("flags of a published list", lambda p: read_flags(p), lambda: [CLEAN], ".txt"),
        Parser("noisy list", lambda p: join_noisy(p, ["a/v/1", "b/w/1"]), lambda: [b"a/v/1.wav\n", TRAIN]),
        Parser("table of the truth", read_truth, _truth, ".csv"),
        Parser("table of clips", read_clip_table, lambda: [b"utterance,path,seconds\na/v/1,x.mp4,3\n"], ".csv"),
        Parser("names of frames", read_names, lambda: [b"VoxCeleb1 ID\tVGGFace1 ID\nid1\tA_B\n"], ".csv"),
        Parser(
            "table of URLs", read_table,
            lambda: [b"utterance,url,sha256,start,end\na/v/1,https://x.org/1.mp4,,1,2.5\n"], ".csv",
        ),
        Parser("track of a face", read_track, lambda: [track]),
    ]  # fmt: skip


def _journal(path: Path) -> Any:
    """Read a log on, and write behind it: each line that was acknowledged must be there for whoever reads next."""
    from avsieve.review.lines import read_log
    from avsieve.review.log import NothingToUndoError, ReviewLog, Wanted

    log = ReviewLog(path.parent, path.stem)
    log.read_on()
    entry = log.extend([Wanted("a/v/1", "right"), Wanted("b/w/1", "wrong_face")], act="an act of its own")[-1]
    assert read_log(path).entries[-1].number == entry.number
    try:
        log.undo_act()
        log.undo(1)
    except NothingToUndoError:
        pass
    return log.decisions(), log.torn()


@cache
def _acts() -> bytes:
    """Return a log with decisions, batches, acts and undos."""
    import tempfile

    from avsieve.review.log import ReviewLog, Wanted

    with tempfile.TemporaryDirectory() as folder:
        log = ReviewLog(folder, "file", "0" * 64)  # as the file is called that is read
        log.append("a/v/1", "right")
        log.append("a/v/2", "other_speaker", speaker="b", spread=True)
        log.extend([Wanted("b/w/1", "unsure"), Wanted("a/v/1", "wrong_clip", repeat=True)], act="x")
        log.undo_act()
        log.undo(2)
        return log.path.read_bytes()


def _truth() -> list[bytes]:
    return [b"utterance,label,voice,face,kind\na/v/1,a,a,a,clean\na/v/2,a,b,b,video\n"]


def _review_plan() -> list[bytes]:
    from avsieve.review.plan import SCHEMA

    columns = {"utterance": ["a/v/1"], "speaker": ["a"], "video": ["a/v"], "arm": ["x"], "stratum": ["y"],
               "probability": [0.5], "order": [1], "third": [""], "asked": [1], "seed": [3],
               "decisions_sha256": ["z"]}  # fmt: skip
    table = pa.table([pa.array(v, SCHEMA.field(n).type) for n, v in columns.items()], SCHEMA)
    return [_as_parquet(table, c) for c in ("zstd", "none")]


@cache
def _vectors() -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(1)
    return ["a/v/1", "a/v/2", "b/w/1"], rng.normal(size=(3, 4)).astype(np.float32)


def _saved(save: Callable[[io.BytesIO], Any]) -> bytes:
    handle = io.BytesIO()
    save(handle)
    return handle.getvalue()


def _as_parquet(table: pa.Table, compression: str) -> bytes:
    return _saved(lambda f: pq.write_table(table, f, compression=compression))


def _npz() -> list[bytes]:
    names, matrix = _vectors()
    one = _saved(lambda f: np.savez(f, utterance=names, embedding=matrix))
    packed = _saved(lambda f: np.savez_compressed(f, **dict(zip(names, matrix, strict=True))))
    return [one, packed]


def _npy() -> list[bytes]:
    names, matrix = _vectors()
    both = np.array(dict(zip(names, matrix, strict=True)), dtype=object)
    return [_saved(lambda f: np.save(f, both, allow_pickle=True)), _saved(lambda f: np.save(f, matrix))]


def _pickles() -> list[bytes]:
    names, matrix = _vectors()
    table = dict(zip(names, matrix, strict=True))
    return [pickle.dumps(table, protocol=p) for p in (0, 2, 4, 5)] + [pickle.dumps([{"path": names, "feat": matrix}])]


def _parquet() -> list[bytes]:
    names, matrix = _vectors()
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), 4)
    table = pa.table({"utterance": names, "embedding": vectors})
    return [_as_parquet(table, c) for c in ("zstd", "snappy", "none")]


def _ark() -> list[bytes]:
    import kaldiio

    names, matrix = _vectors()
    whole = io.BytesIO()
    for name, row in zip(names, matrix, strict=True):
        whole.write(name.encode() + b" " + _saved(lambda f, row=row: kaldiio.matio.write_array(f, row)))
    return [whole.getvalue(), b"a/v/1  [ 1 2 3 4 ]\nb/w/1  [ 1 2 3 4 ]\n"]


def _safetensors() -> list[bytes]:
    from safetensors.numpy import save

    names, matrix = _vectors()
    return [save(dict(zip(names, matrix, strict=True)), {"a": "b"})]


def _torch() -> list[bytes]:
    import torch

    names, matrix = _vectors()
    state = {n: torch.from_numpy(row.copy()) for n, row in zip(names, matrix, strict=True)}
    return [
        _saved(lambda f: torch.save(state, f)),
        _saved(lambda f: torch.save({"identity": "x", "step": 1}, f)),
        _saved(lambda f: torch.save({"state_dict": state, "epoch": 3, "eer": np.float64(1.0)}, f)),
        _saved(lambda f: torch.save(state, f, _use_new_zipfile_serialization=False)),
    ]


def _embeddings() -> list[Parser]:
    from avsieve.embedding_files.own_tables import read_embeddings
    from avsieve.embedding_files.reading import read_tables

    names, matrix = _vectors()
    lines = "".join(f"{n},{','.join(map(str, row.tolist()))}\n" for n, row in zip(names, matrix, strict=True)).encode()
    images = b"[a/v/1/0000375.jpg,b/w/1/0000475.jpg]"

    def beside(path: Path) -> Any:
        np.save(path.with_name("vectors.npy"), matrix)
        return read_tables(f"{path.with_name('vectors.npy')}:{path}", wanted=["a/v/1"])

    def script(path: Path) -> Any:
        path.with_name("x.ark").write_bytes(_ark()[0])
        return read_tables(path)

    return [
        Parser("embeddings: npz", read_tables, _npz, ".npz"),
        Parser("embeddings: npy", read_tables, _npy, ".npy"),
        Parser("embeddings: names beside", beside, lambda: ["\n".join(names).encode(), images], ".names"),
        Parser("embeddings: pickle", read_tables, _pickles, ".pk"),
        Parser("embeddings: Parquet", read_tables, _parquet, ".parquet", isolated=True),
        Parser("embeddings: own Parquet", read_embeddings, _parquet, ".parquet", isolated=True),
        Parser("embeddings: text", read_tables, lambda: [lines, lines.replace(b",", b"\t")], ".csv"),
        Parser("embeddings: ark", read_tables, _ark, ".ark"),
        Parser("embeddings: scp", script, lambda: [b"a/v/1 x.ark:6\n", b"a cat x |\nb/w/1 /dev/zero:7\n"], ".scp"),
        Parser("embeddings: safetensors", read_tables, _safetensors, ".safetensors"),
        Parser("embeddings: torch", read_tables, _torch, ".pt"),
    ]


def _checkpoints() -> list[Parser]:
    from avsieve.encoders.checkpoint import read_metadata, read_state
    from avsieve.encoders.published import read_published
    from avsieve.fusion.checkpoint import load_fusion
    from avsieve.joint.checkpoint import load_joint
    from avsieve.joint.embedded import read_origin
    from avsieve.onnx_runtime.shipped import read_onnx
    from avsieve.training import state

    return [
        Parser("checkpoint: safetensors", read_state, _safetensors, ".safetensors"),
        Parser("checkpoint: metadata", read_metadata, _safetensors, ".safetensors"),
        Parser("checkpoint: torch", read_state, _torch, ".pt"),
        Parser("checkpoint: published", read_published, _torch, ".pt"),
        *(
            Parser(f"checkpoint: seed of {name}", partial(_begin, name), partial(_published, name), ".pt")
            for name in ("baffn_gated", "baffn_attention", "baffn_concat")
        ),
        Parser("checkpoint: fusion model", load_fusion, _fusion, ".safetensors"),
        Parser("checkpoint: joint model", load_joint, _joint, ".safetensors"),
        Parser("origin of joint embeddings", lambda p: read_origin(p.with_suffix(".parquet")), _origin, ".json"),
        Parser("checkpoint: state of a training", lambda p: state.read_state(p, "x"), _torch, ".pt"),
        Parser("ONNX", read_onnx, _onnx, ".onnx", isolated=True),
    ]


def _begin(name: str, path: Path) -> Any:
    """Begin a fusion network, and its classifier, at published weights."""
    import torch

    from avsieve.fusion.losses import SumOfLosses
    from avsieve.fusion.start import begin_at, begin_classifier
    from tests.fusion.made_up import make_people

    network = _baffn(name)
    classifier, _ = begin_at(network, path)
    people, speakers = make_people("id", 3, seed=1, dims=(6, 4))
    labels = np.unique(speakers, return_inverse=True)[1]
    head = SumOfLosses({"ce": 1.0}, 6, 3, scale=1.0)
    with torch.random.fork_rng():
        return begin_classifier(network, head, classifier, people, np.arange(len(labels)), labels)


def _baffn(name: str) -> Any:
    from avsieve.fusion.trained_models import trained_model

    model = trained_model(name)
    own = {"hidden": 5} if name == "baffn_concat" else {}
    return model.build(6, 4, 6, model.settings(length=6, **own))


@cache
def _published(name: str) -> list[bytes]:
    """Return weights of a network under the names that its authors gave them, with a classifier of three speakers."""
    import torch
    from torch import nn

    network, layout = _baffn(name), _baffn(name).published
    state = {layout.source(own): tensor for own, tensor in network.state_dict().items() if "standard" not in own}
    state |= {"fc_out.weight": torch.zeros(3, 6), "fc_out.bias": torch.zeros(3)}
    whole = nn.Module()  # as they were saved: the module itself
    for full, tensor in state.items():
        part = whole
        *path, last = full.split(".")
        for step in path:
            if not hasattr(part, step):
                part.add_module(step, nn.Module())
            part = getattr(part, step)
        part.register_buffer(last, tensor)
    return [_saved(lambda f, value=value: torch.save(value, f)) for value in (state, {"net": state, "epoch": 3}, whole)]


@cache
def _fusion() -> list[bytes]:
    import tempfile

    from avsieve.fusion.checkpoint import Trained, save_fusion
    from tests.fusion.made_up import new_model

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        save_fusion(path, Trained(new_model("gated", 4, 4, dim=4, hidden=3), "all", 0, ["x"], {}))
        return [path.read_bytes(), *_safetensors()]


def _origin() -> list[bytes]:
    told = {"model": "avn_j", "trained_on": "all", "seed": 0, "speakers": ["a"], "seconds": 0.1, "left_out": ""}
    return [json.dumps(told).encode()]


@cache
def _joint() -> list[bytes]:
    import tempfile

    from safetensors import safe_open
    from safetensors.numpy import save

    from avsieve.joint.checkpoint import TrainedJoint, save_joint
    from tests.joint.made_up import new_network

    kind, own, network = new_network("avn_j", dim=4)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        save_joint(path, TrainedJoint(kind, own, 4, "rgb", network, "all", 0, ["x"], {}))
        with safe_open(path, "np") as file:
            few = {name: file.get_tensor(name) for name in sorted(file.keys())[:3]}
            small = save(few, file.metadata())  # most cases are of it: the whole takes ten times as long
        return [path.read_bytes(), *[small] * 4]


@cache
def _onnx() -> list[bytes]:
    from onnx import TensorProto, helper

    shapes = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4]) for n in ("x", "y")]
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1, 4], np.ones(4, np.float32).tobytes(), raw=True)
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [shapes[0]], [shapes[1]], [weight])
    return [helper.make_model(graph).SerializeToString()]


def _archives() -> list[Parser]:
    from avsieve.sources.archive.members import find_members
    from avsieve.sources.archive.parts import find_archives

    def read(path: Path) -> Any:
        return find_members(find_archives([str(path)]))

    return [
        Parser("archive: zip", read, _zips, ".zip"),
        Parser("archive: tar", read, _tars, ".tar"),
    ]


@cache
def _zips() -> list[bytes]:
    def write(packing: int) -> bytes:
        handle = io.BytesIO()
        with zipfile.ZipFile(handle, "w", packing) as archive:
            archive.writestr("a/v/1.mp4", b"1" * 100)
            archive.writestr("b/w/1.mp4", b"2" * 100)
        return handle.getvalue()

    return [write(zipfile.ZIP_STORED), write(zipfile.ZIP_DEFLATED)]


@cache
def _tars() -> list[bytes]:
    def write(form: int) -> bytes:
        handle = io.BytesIO()
        with tarfile.open(fileobj=handle, mode="w", format=form) as archive:
            for name in ("a/v/1.mp4", f"{'b' * 120}/w/1.mp4"):
                info = tarfile.TarInfo(name)
                info.size = 100
                archive.addfile(info, io.BytesIO(b"1" * 100))
            link = tarfile.TarInfo("c/v/1.mp4")
            link.type, link.linkname = tarfile.SYMTYPE, "../../a/v/1.mp4"
            archive.addfile(link)
        return handle.getvalue()

    return [write(tarfile.GNU_FORMAT), write(tarfile.PAX_FORMAT)]


def _own() -> list[Parser]:
    """Files that the run itself has written, and that were damaged since."""
    from avsieve.cleansing.centre_files import read_centres
    from avsieve.cleansing.inputs import read_plan
    from avsieve.evaluation.results import read_evaluation
    from avsieve.media.declared_length import claim_of
    from avsieve.sources.downloads import settled
    from avsieve.sources.ledger import Ledger
    from avsieve.sources.store import Store
    from avsieve.storage.indexed_tar import TarReader, TarWriter
    from avsieve.storage.jpeg import image_of, size_of
    from avsieve.storage.tables import read_table
    from avsieve.storage.wav import samples_of, wav_bytes

    def ledger(path: Path) -> Any:
        store = Store(path.parent)
        target = store.ledger_path("a")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        found = Ledger(store, "a")
        return [settled(store, found, entry.key, "x") for entry in found.entries()]

    def tar(path: Path) -> Any:
        whole = path.with_name("whole.tar")
        if not whole.exists():
            with TarWriter(whole) as writer:
                writer.add("a/v/1", "a/v/1/0010.jpg", b"1234")
        path.with_suffix(".tar").write_bytes(whole.read_bytes())
        with TarReader(path.with_suffix(".tar")) as reader:
            return [list(reader.of(u)) for u in reader.utterances], len(reader.verify())

    def centres(path: Path) -> Any:
        for suffix, content in centre_files().items():
            if suffix != path.suffix:
                path.with_suffix(suffix).write_bytes(content)
        return read_centres(path.with_suffix(".parquet"))

    def claims(path: Path) -> Any:
        with path.open("rb") as handle:
            return [claim_of(handle, name) for name in ("wav", "avi", "w64", "caf", "asf", "ogg", "mp3")]

    def index() -> list[bytes]:
        crc = pa.array([zlib.crc32(b"1234")], pa.uint32())
        columns = {"name": ["a/v/1/0010.jpg"], "utterance": ["a/v/1"], "offset": pa.array([512], pa.int64()),
                   "size": pa.array([4], pa.int64()), "crc32": crc}  # fmt: skip
        return [_as_parquet(pa.table(columns), c) for c in ("zstd", "none")]

    def plan() -> list[bytes]:
        columns = {"utterance": ["a/v/1"], "speaker": ["a"], "video": ["a/v"], "subset": ["train"], "seconds": ["3"]}
        return [_saved(lambda f: pq.write_table(pa.table(columns), f))]

    def jpeg() -> list[bytes]:
        import cv2

        image = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
        return [cv2.imencode(e, image)[1].tobytes() for e in (".jpg", ".png", ".bmp", ".webp")]

    when = "2024-01-01T00:00:00+00:00"
    entry = {"key": "a/v/1", "outcome": "done", "reason": "ok", "when": when, "request": "x", "file": "f", "size": 3}
    wav = wav_bytes(np.arange(200, dtype=np.int16))
    return [
        Parser("ledger of a store", ledger, lambda: [json.dumps(entry).encode() + b"\n"], ".jsonl"),
        Parser("tar and its index", tar, index, ".parquet", isolated=True),
        Parser("table", read_table, plan, ".parquet", isolated=True),
        Parser("plan of a run", read_plan, plan, ".parquet", isolated=True),
        Parser("centres: calibration", centres, lambda: [centre_files()[".json"]], ".json"),
        Parser("centres: metric", centres, lambda: [centre_files()[".npz"]], ".npz"),
        Parser("table of results", read_evaluation, lambda: [b"list,system,eer\nx,y,1.0\n"], ".csv"),
        Parser("header of a container", claims, lambda: [wav, b"OggS" + bytes(60), b"RIFF\x10\0\0\0AVI LIST"], ".bin"),
        Parser("wav", lambda p: samples_of(p.read_bytes()), lambda: [wav], ".wav"),
        Parser("size of an image", lambda p: size_of(p.read_bytes()), jpeg, ".jpg"),
        Parser("image", lambda p: image_of(p.read_bytes()), jpeg, ".jpg", isolated=True),
    ]


def _configs() -> list[Parser]:
    from avsieve.doctor.settings import read_settings, repeated_keys

    text = b"source:\n  kind: tree\n  tree: {root: clips, layout: speaker/video/utterance}\nshards: 4\n"

    def settings(path: Path) -> Any:
        with mock.patch("avsieve.doctor.settings.default_file", return_value=None):  # it takes longer than all the rest
            return read_settings([path])

    def layout(path: Path) -> Any:
        from avsieve.sources.layout import Layout

        found = Layout(path.read_bytes().decode("utf-8", "replace"))
        return found.path_of("a/v/1"), found.id_of(["x"] * found.depth)

    return [
        Parser("configuration", settings, lambda: [text, b'{"shards": 4}'], ".yaml"),
        Parser("keys that repeat", repeated_keys, lambda: [text], ".yaml"),
        Parser(
            "layout", layout, lambda: [b"speaker/video/utterance", b"speaker/*/video/utterance", b"speaker/utterance"]
        ),
    ]


def parsers() -> list[Parser]:
    """Return all of them."""
    return [*_lists(), *_tables(), *_embeddings(), *_checkpoints(), *_archives(), *_own(), *_configs()]
