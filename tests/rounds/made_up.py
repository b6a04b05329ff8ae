"""Decisions of small lists, as `decisions.parquet` has them, and the files of a run with two rounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.lists.train_list import write_train_list
from avsieve.rounds.compare_files import RoundFiles
from avsieve.rounds.lists import parts_of
from avsieve.simulation.corpus import SimulatedCorpus, simulate
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec
from avsieve.storage.atomic import write_json
from avsieve.storage.tables import write_table


def names(speakers: int, videos: int, utterances: int = 1) -> list[str]:
    return [f"id{s}/v{v}/{u}" for s in range(speakers) for v in range(videos) for u in range(utterances)]


def decisions(utterances: Sequence[str], p_wrong: Sequence[float], kinds: Sequence[str] | None = None) -> pd.DataFrame:
    """Return decisions by a threshold of .5; ``kinds`` are those of what is flagged."""
    noisy = [p > 0.5 for p in p_wrong]
    named = kinds or ["video"] * len(noisy)
    return pd.DataFrame(
        {
            "utterance": list(utterances),
            "speaker": [u.split("/")[0] for u in utterances],
            "p_audio_wrong": list(p_wrong),
            "p_visual_wrong": list(p_wrong),
            "p_wrong": list(p_wrong),
            "kind": [kind if flag else "" for kind, flag in zip(named, noisy, strict=True)],
            "decision": ["noisy" if flag else "clean" for flag in noisy],
        }
    )


def truth(utterances: Sequence[str], wrong: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"utterance": list(utterances), "kind": [wrong.get(u, "clean") for u in utterances]})


def made_corpus() -> SimulatedCorpus:
    """Return 30 people with embeddings; about 5 % of the labels are wrong."""
    modality = ModalitySpec(dim=24)
    world = WorldSpec(
        speakers=30, outsiders=10, videos_per_speaker=6, utterances_per_video=2, audio=modality, visual=modality
    )
    return simulate(world, NoiseSpec(rate=0.05), seed=2)


def make_files(folder: Path, folds: int = 2) -> tuple[RoundFiles, pd.DataFrame]:
    """Write two rounds of a small list: the second finds all that is wrong, and its encoders those of the first.

    Returns
    -------
    The files, and the truth.
    """
    corpus = made_corpus()
    plan = corpus.plan.assign(subset="train", held_out=False)
    utterances = plan["utterance"].tolist()
    write_table(folder / "plan.parquet", plan)
    known = truth(utterances, {u: k for u, k in zip(utterances, corpus.truth["kind"], strict=True) if k != "clean"})
    wrong = (known["kind"] != "clean").to_numpy()
    arms = ["2", *(f"2-without-{part}" for part in range(folds))]
    decided, lists = [], []
    for number, name in enumerate(["1", *arms]):
        found = wrong & (np.arange(len(wrong)) % 2 == 0) if number == 0 else wrong
        (folder / name).mkdir()
        decided.append(folder / name / "decisions.parquet")
        noise = np.random.default_rng(number).uniform(0, 0.2, len(wrong))
        rows = decisions(utterances, (noise + 0.7 * found).tolist())
        write_table(decided[-1], rows)
        write_json(folder / name / "summary.json", {"estimated": {"precision": 0.9, "recall": 0.8, "f1": 0.85}})
        if number:
            lists.append(folder / name / "train.txt")
            first = pd.read_parquet(decided[0])
            kept = first.loc[first["decision"] == "clean", "utterance"]
            own = kept if number == 1 else kept[parts_of(kept.tolist(), folds) != number - 2]
            write_train_list(lists[-1], own.tolist(), ["1.0"] * len(own))
    embedded = {}
    for modality, vectors in (("audio", corpus.audio), ("visual", corpus.visual)):
        path = folder / f"{modality}.parquet"
        write_embeddings(path, utterances, vectors.astype(np.float32))
        embedded[modality] = [[path], [path]]
    return RoundFiles(folder / "plan.parquet", decided, arms, lists, embedded), known
