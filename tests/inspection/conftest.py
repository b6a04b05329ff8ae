"""A run of a simulated corpus, cleansed for real, with a plan, status tables, faces and sound of two shards."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.scores import write_scores
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.table import score_table
from avsieve.cleansing.write import cleanse
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.inspection.decided import Decided, read_decided
from avsieve.inspection.run_files import RunFiles, find_run
from avsieve.lists.train_list import write_train_list
from avsieve.runtime.cores import one_core_for_blas
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_json
from avsieve.storage.ids import shard_names, shard_of
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.tables import write_table

SHARDS = 2
TESTED = "id99999/vid/00001"
"""An utterance of the plan that is only tested."""


def faces_of_shard(results: Path, shard: str, utterances: list[str]) -> None:
    with TarWriter(P.below(results, P.align.faces, shard=shard)) as writer:
        for k, name in enumerate(utterances[1:]):  # the first one has no face
            for frame in (10, 20, 30):
                image = np.full((112, 112, 3), (frame, 7 * k % 255, 90), np.uint8)
                writer.add(name, f"{name}/{frame:04d}.jpg", cv2.imencode(".jpg", image)[1].tobytes())


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that Snakemake would have run in; tests leave it as it is."""
    work = tmp_path_factory.mktemp("run")
    results = work / "results"
    sizes = {"audio": ModalitySpec(dim=48), "visual": ModalitySpec(dim=48)}
    world = WorldSpec(speakers=24, outsiders=8, videos_per_speaker=5, utterances_per_video=3, **sizes)
    corpus = simulate(world, NoiseSpec(rate=0.15), seed=2)
    plan = corpus.plan
    names = plan["utterance"].tolist()
    tables = {"audio": EmbeddingTable(names, corpus.audio), "visual": EmbeddingTable(names, corpus.visual)}
    seconds = ["2.50"] * len(names)
    write_train_list(P.below(results, P.lists.all), names, seconds)
    with one_core_for_blas(with_scipy=True):
        scores = score_table(plan[["utterance", "speaker"]], tables)
        cleanse(scores, seconds, P.below(results, P.lists.folder), Cleansing())
    # As the workflow has them: in the order of the shards.
    shard = np.array([shard_names(SHARDS)[shard_of(s, SHARDS)] for s in plan["speaker"]])
    write_scores(P.below(results, P.scores.scores), scores.take(np.argsort(shard, kind="stable")))
    table = pd.DataFrame({"utterance": names, "speaker": plan["speaker"], "subset": "train", "shard": shard})
    tested = pd.DataFrame([{"utterance": TESTED, "speaker": "id99999", "subset": "test", "shard": "000"}])
    table = pd.concat([table, tested], ignore_index=True)
    write_table(P.below(results, P.plan.utterances), table)
    write_json(P.below(results, P.plan.source), {"kind": "tree"})
    for name, rows in table.groupby("shard"):
        inside = rows["utterance"].tolist()
        write_table(P.below(results, P.plan.shard, shard=name), rows)
        ok = pd.DataFrame({"utterance": inside, "code": "ok", "detail": ""})
        bad = ok.assign(code=["no_face", *["ok"] * (len(inside) - 1)], detail=["8 frames", *[""] * (len(inside) - 1)])
        late = bad.assign(code=["no_faces", *["ok"] * (len(inside) - 1)])
        for path, rows_of in ((P.media.status, ok), (P.extract.status, ok), (P.align.status, bad)):
            write_table(P.below(results, path, shard=name), rows_of)
        for m, rows_of in (("audio", ok), ("visual", late)):
            write_table(P.below(results, P.embed.status, modality=m, shard=name), rows_of)
            write_table(P.below(results, P.embed.embeddings, modality=m, shard=name), ok[["utterance"]])
        faces_of_shard(results, str(name), inside)
    for path in (P.scores.centres, P.evaluation.results, P.report.page):
        P.below(results, path).parent.mkdir(exist_ok=True)
        P.below(results, path).write_text("there")
    return work


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """Return a copy of the run, to edit."""
    shutil.copytree(made, tmp_path / "copied")
    return tmp_path / "copied"


@pytest.fixture
def flat(made: Path, tmp_path: Path) -> Path:
    """Return the folder that ``avsieve cleanse --out`` would have left."""
    shutil.copytree(made / "results" / "lists", tmp_path / "flat")
    shutil.copy(made / "results" / "scores" / "scores.parquet", tmp_path / "flat")
    return tmp_path / "flat"


@pytest.fixture(scope="session")
def run(made: Path) -> RunFiles:
    return find_run(made)


@pytest.fixture(scope="session")
def decided(run: RunFiles) -> Decided:
    return read_decided(run.decisions)


@pytest.fixture(scope="session")
def table(run: RunFiles) -> pd.DataFrame:
    """Return the decisions as a plain table, to count with."""
    return pd.read_parquet(run.decisions)
