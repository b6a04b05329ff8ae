"""Stages that are killed at each of their writes: no half file is left, and begun again they leave the same bytes.

Those that are not here have tests of their own: extraction, alignment, embedding, scores and lists, plans, downloads.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from avsieve.damage.damaged_tars import damage_shard
from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.evaluation.trial_lists import read_trial_lists
from avsieve.evaluation.trial_maker import make_trials, write_made
from avsieve.evaluation.trials import write_trials
from avsieve.export.command import add_options, run_export
from avsieve.fusion.checkpoint import Trained, save_fusion
from avsieve.fusion.evaluate_files import EmbeddingFiles, evaluate_lists
from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import Fusion
from avsieve.fusion.training import train_on_list
from avsieve.report import write
from avsieve.report.settings import Report
from avsieve.report.write import read_run, write_report
from avsieve.sources.embeddings.split import split
from avsieve.sources.embeddings.split_sequences import split_sequences
from avsieve.storage.sequence_names import FRAMES, HOPS
from avsieve.storage.tables import write_table
from tests.damage.shards import face, files_of, row, speech_like, write_rows, write_shard
from tests.export.conftest import results
from tests.fusion.made_up import make_people, new_model
from tests.kills import Work, survives_kills
from tests.report.test_write import inputs

__all__ = ["inputs", "results"]  # fixtures: the files of a run

CPU = torch.device("cpu")
PEOPLE, SPEAKERS = make_people("p", 6, seed=1, dims=(6, 4))
NAMES = [f"id{s}/v/0000{u}" for s in (1, 2, 3) for u in (1, 2)]
PLAN = pd.DataFrame({"utterance": NAMES, "shard": ["002", "000", "000", "002", "000", "000"]})
SHARDS = ["000", "001", "002"]


def damage(folder: Path, _: pytest.FixtureRequest) -> Work:
    voices = {"a/v/1": speech_like(4000), "b/v/1": speech_like(4000, seed=1)}
    clean = write_shard(folder / "clean", voices, {"a/v/1": [face(k) for k in range(3)]})
    table = write_rows(
        folder / "damage.parquet",
        row("loud", "a/v/1", "audio", "noise", snr_db=5.0, sound="white"),
        row("cut", "b/v/1", "audio", "clipping", clipped=0.1),
        row("soft", "a/v/1", "visual", "blur", sigma=2.0),
    )

    def work(out: Path) -> None:
        out.mkdir(exist_ok=True)
        damage_shard(table, clean, files_of(out))

    return work


def split_whole(folder: Path, _: pytest.FixtureRequest) -> Work:
    write_embeddings(folder / "x.parquet", NAMES, np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32))
    return lambda out: list(split(PLAN, SHARDS, "audio", [str(folder / "x.parquet")], out))


def split_items(name: str) -> Callable[[Path, pytest.FixtureRequest], Work]:
    def made(folder: Path, _: pytest.FixtureRequest) -> Work:
        rows = [utterance for utterance in NAMES for _ in range(3)]
        vectors = np.random.default_rng(1).normal(size=(len(rows), 4)).astype(np.float32)
        write_embeddings(folder / "x.parquet", rows, vectors, start_s=[0.0, 1.0, 2.0] * len(NAMES))

        def work(out: Path) -> None:
            out.mkdir(exist_ok=True)
            split_sequences(PLAN, SHARDS, {name: [str(folder / "x.parquet")]}, out)

        return work

    return made


def trials(_: Path, __: pytest.FixtureRequest) -> Work:
    options = {"sex": None, "max_targets": 20, "same_sex_share": 0.5, "seed": 3}

    def work(out: Path) -> None:
        write_made(out / "trials.txt", PEOPLE.utterances, **options)  # type: ignore[arg-type]
        write_made(out / "none.txt", [], **options, nobody="nobody is trusted")  # type: ignore[arg-type]

    return work


def embeddings(folder: Path) -> dict[str, Path]:
    for modality, stream in PEOPLE.streams.items():
        write_embeddings(folder / f"{modality}.parquet", PEOPLE.utterances, stream.pooled)
    return {modality: folder / f"{modality}.parquet" for modality in PEOPLE.streams}


def training(folder: Path, _: pytest.FixtureRequest) -> Work:
    tables = embeddings(folder)
    lines = [f"{s} {u}.wav 1.0\n" for s, u in zip(SPEAKERS, PEOPLE.utterances, strict=True)]
    (folder / "list").write_text("".join(lines))
    write_table(folder / "plan.parquet", pd.DataFrame({"utterance": PEOPLE.utterances, "held_out": False}))

    def work(out: Path) -> None:
        torch.set_num_threads(1)  # a fork has no other threads
        train_on_list(
            MODELS["gated"], MODELS["gated"].settings(), Fusion(epochs=2), train_list=folder / "list",
            list_name="all", plan=folder / "plan.parquet", audio=[tables["audio"]], visual=[tables["visual"]],
            out={0: out / "gated.0.safetensors", 1: out / "gated.1.safetensors"}, device=CPU, checkpoint_every=1,
        )  # fmt: skip

    return work


def evaluation(folder: Path, _: pytest.FixtureRequest) -> Work:
    tables = embeddings(folder)
    write_trials(folder / "trials.txt", make_trials(PEOPLE.utterances, max_targets=30))
    torch.manual_seed(0)
    model = folder / "all/linear.0.safetensors"
    model.parent.mkdir()
    save_fusion(model, Trained(new_model("linear", 6, 4, dim=4), "all", 0, ["somebody"], {}))
    names = {"results": "r.csv", "gains": "g.csv", "curves": "c.parquet", "against": "a.csv", "times": TIMES}

    def work(out: Path) -> None:
        torch.set_num_threads(1)
        found = evaluate_lists(
            read_trial_lists([folder / "trials.txt"], ["given"]), EmbeddingFiles([tables["audio"]], [tables["visual"]]),
            [model], trained_on=[], cohort=None, top=None, definition="interpolated", replicates=4, damage=None,
            seed=0, device=CPU,
        )  # fmt: skip
        found.write(**{table: out / name for table, name in names.items()})

    return work


def report(_: Path, request: pytest.FixtureRequest) -> Work:
    found = read_run(request.getfixturevalue("inputs"), Report(flagged=1, close_calls=0, players=0), headline="gated")

    page = write.render_page(found)  # it takes a second, and is the same each time
    request.getfixturevalue("monkeypatch").setattr(write, "render_page", lambda _: page)

    def work(out: Path) -> None:
        out.mkdir(exist_ok=True)
        with contextlib.chdir(out):  # the summary names the page
            write_report(found, Path("index.html"), Path("summary.txt"))

    return work


def export(form: str) -> Callable[[Path, pytest.FixtureRequest], Work]:
    def made(_: Path, request: pytest.FixtureRequest) -> Work:
        folder = request.getfixturevalue("results")
        ap = argparse.ArgumentParser()
        add_options(ap, form)

        def work(out: Path) -> None:
            given = ["--results", str(folder), "--out", str(out / "to"), "--summary", str(out / "summary.json")]
            run_export(form, ap.parse_args(given))

        return work

    return made


TIMES = "times.csv"
TIMED = {TIMES, "gated.0.json", "gated.1.json"}  # they tell how long it took
STAGES = {
    "damage_shard": damage, "split_embeddings": split_whole, "split_segments": split_items(HOPS),
    "split_frames": split_items(FRAMES), "make_trials": trials, "train_fusion": training,
    "evaluate_fusion": evaluation, "write_report": report,
    **{f"export_{form}": export(form) for form in ("tree", "webdataset", "parquet", "spotlight", "fiftyone")},
}  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_is_killed_at_a_write_leaves_whole_files_and_ends_with_the_bytes_of_a_calm_run(
    stage: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    work = STAGES[stage](folder, request)
    (tmp_path / "runs").mkdir()
    changing = (".csv", ".resume") if stage == "train_fusion" else ()  # its log and its state
    assert survives_kills(work, tmp_path / "runs", most=4, but=TIMED, changing=changing) >= 2
