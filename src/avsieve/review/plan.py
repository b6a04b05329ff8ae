"""The plan of a review as a file: ``review_plan.parquet`` in the folder of the reviewers' logs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from avsieve.review.draw import CERTAIN, SAMPLED, Drawn
from avsieve.review.entry import ReviewError
from avsieve.review.population import Population
from avsieve.storage.tables import open_table, write_table

NAME = "review_plan.parquet"
SCHEMA = pa.schema(
    {
        "utterance": pa.string(),
        "speaker": pa.string(),
        "video": pa.string(),
        "arm": pa.string(),
        "stratum": pa.string(),
        "probability": pa.float64(),
        "order": pa.int32(),
        "third": pa.string(),
        "asked": pa.int32(),
        "seed": pa.int64(),
        "decisions_sha256": pa.string(),
    }
)


@dataclass(frozen=True)
class Plan:
    """k clips in the order in which they are to be judged.

    Attributes
    ----------
    utterance, speaker, video
        Ids: ``video`` is ``speaker/video``, and ``speaker`` the label.
    arm, stratum
        ``certain`` or ``sampled``; ``certain``, or ``flagged-1``, ``other-3``, ...
    probability
        (k,) float64: that the clip is drawn.
    third
        The clip that is due where both of a video are wrong alike; empty where the video has no other.
    asked, seed
        How many clips were asked for, and what the drawing began with.
    decisions_sha256
        Of the decisions that it was drawn from.
    """

    utterance: list[str]
    speaker: list[str]
    video: list[str]
    arm: list[str]
    stratum: list[str]
    probability: np.ndarray
    third: list[str]
    asked: int
    seed: int
    decisions_sha256: str

    def __len__(self) -> int:
        return len(self.utterance)

    def unit(self, row: int) -> tuple[str, str, str]:
        """Return what a clip is judged as a part of: its label, its video and its stratum."""
        return self.speaker[row], self.video[row], self.stratum[row]


def plan_of(population: Population, drawn: Drawn, asked: int, seed: int) -> Plan:
    """Return what was drawn with its names."""
    utterance = population.names(drawn.row)
    third = iter(population.names(drawn.third[drawn.third >= 0]))
    return Plan(
        utterance,
        [str(population.speakers[k]) for k in population.speaker[drawn.row].tolist()],
        [name.rsplit("/", 1)[0] for name in utterance],
        [CERTAIN if certain else SAMPLED for certain in drawn.certain.tolist()],
        drawn.stratum.tolist(),
        drawn.probability,
        [next(third) if k >= 0 else "" for k in drawn.third.tolist()],
        asked,
        seed,
        population.decisions_sha256,
    )


def write_plan(path: str | Path, plan: Plan) -> None:
    """Write a plan, atomically; equal plans give equal bytes."""
    k = len(plan)
    columns = {
        "utterance": plan.utterance, "speaker": plan.speaker, "video": plan.video, "arm": plan.arm,
        "stratum": plan.stratum, "probability": plan.probability, "order": range(1, k + 1), "third": plan.third,
        "asked": [plan.asked] * k, "seed": [plan.seed] * k, "decisions_sha256": [plan.decisions_sha256] * k,
    }  # fmt: skip
    write_table(path, pa.table([pa.array(v, SCHEMA.field(name).type) for name, v in columns.items()], SCHEMA))


def read_plan(path: str | Path) -> Plan:
    """Read a plan.

    Raises
    ------
    AvsieveError
        If there is none, or it lacks a column.
    ReviewError
        If it is empty, or of several runs.
    """
    if not Path(path).exists():
        raise ReviewError(f"{path}: no such table; draw a plan first (avsieve review RESULTS --plan 200)")
    with open_table(path, SCHEMA.names) as file:
        table = file.read(columns=SCHEMA.names).sort_by("order")
    if not len(table):
        raise ReviewError(f"{path}: a plan without a clip; draw one (avsieve review RESULTS --plan 200)")
    columns = table.to_pydict()
    constant = {name: set(columns[name]) for name in ("asked", "seed", "decisions_sha256")}
    if mixed := [name for name, values in constant.items() if len(values) != 1]:
        raise ReviewError(f"{path}: {len(constant[mixed[0]])} values of {mixed[0]}; expected one: draw a new plan")
    texts = {name: columns[name] for name in ("utterance", "speaker", "video", "arm", "stratum", "third")}
    one = {name: values.pop() for name, values in constant.items()}
    return Plan(**texts, probability=np.array(columns["probability"], float), **one)


def check_decisions(path: str | Path, plan: Plan, decisions: str | Path, sha256: str) -> None:
    """Refuse a plan that was drawn from other decisions.

    Raises
    ------
    ReviewError
        With the remedy.
    """
    if plan.decisions_sha256 != sha256:
        raise ReviewError(
            f"{path}: drawn from decisions {plan.decisions_sha256[:12]}, but {decisions} is {sha256[:12]}: the list "
            "was cleansed anew. What was sampled tells of the list that it was drawn from: bring that "
            "decisions.parquet back, or draw a new plan (avsieve review RESULTS --plan 200 --new-plan); no "
            "judgement is lost"
        )
