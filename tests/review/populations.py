"""Populations of clips with a known truth, for tests of plans and estimates."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from avsieve.review.plan import Plan
from avsieve.review.population import Population
from avsieve.review.table import Reviewed

SHA = "a" * 64


def population(
    speakers: int = 40, videos: int = 5, clips: int = 4, seed: int = 0, rate: float = 0.1, **changed
) -> tuple[Population, np.ndarray]:
    """Return a population and what is wrong in it; a probability is as often right as it says."""
    rng = np.random.default_rng(seed)
    count = speakers * videos
    size = rng.integers(1, 2 * clips, count)
    unit = np.repeat(np.arange(count), size)
    bad = rng.random(count) < rate
    p = np.clip(rng.beta(0.3, 6, len(unit)) + bad[unit] * rng.beta(6, 0.6, len(unit)), 0.0005, 0.9995)
    wrong = rng.random(len(p)) < p
    speaker = unit // videos
    names = [f"id{s:04d}/v{u:04d}/{k:05d}" for k, (s, u) in enumerate(zip(speaker, unit, strict=True))]
    full = np.ones(len(p), bool)
    facts = {
        "utterance": pa.array(names, pa.string()), "speaker": speaker.astype(np.int64), "unit": unit.astype(np.int64),
        "speakers": np.array([f"id{s:04d}" for s in range(speakers)], dtype=object), "p": p, "flagged": p > 0.5,
        "known": np.full(len(p), np.nan), "audio": full, "visual": full, "decisions_sha256": SHA,
    }  # fmt: skip
    return Population(**(facts | changed)), wrong


def judged(plan: Plan, of: Population, wrong: np.ndarray, first: int | None = None) -> list[Reviewed]:
    """Return what somebody who knows the truth says of the first clips of a plan."""
    row = {name: k for k, name in enumerate(of.utterance.to_pylist())}
    return [said(name, bool(wrong[row[name]])) for name in plan.utterance[:first]]


def said(utterance: str, wrong: bool | None) -> Reviewed:
    """Return a review: right, wrong in voice and face, or (None) unsure."""
    found = "unsure" if wrong is None else "wrong" if wrong else "right"
    return Reviewed(utterance, {"wrong": "wrong_clip"}.get(found, found), found, found)
