"""Measure a list's precision and recall on the user's own data: break labels on purpose, cleanse, and count.

Some videos are taken out of the list and become donors: their voices or faces, or both, replace those of other
utterances. So what is wrong is known, the embeddings are those of the user's own encoders, and no donor is in the list
twice. Donors come from speakers who stay (their right speaker is inside the set) or from speakers held out altogether
(nobody's label). What the list held of wrong labels before is unknown, and counts neither for nor against: the list as
it was is cleansed as well, and what is flagged there already is set aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avsieve.cleansing.decisions import decide, expected
from avsieve.cleansing.inputs import MODALITIES, read_plan
from avsieve.cleansing.judge import judge
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.errors import AvsieveError


@dataclass
class Injection:
    """A list with known noise.

    ``frame`` has ``utterance``, ``speaker`` and ``kind`` (``''`` or what was broken); ``sources[m]`` names the
    utterance whose embedding each row takes.
    """

    frame: pd.DataFrame
    sources: dict[str, list[str]]


def inject(frame: pd.DataFrame, settings: Audit) -> Injection:
    """Break labels of ``frame`` (``utterance``, ``speaker``).

    The share ``rate`` of the remaining utterances is broken: whole videos (both modalities) and single utterances (one
    modality) by the shares of ``kinds``. A share ``outside`` of the broken gets somebody who is nobody's label.

    Raises
    ------
    AvsieveError
        If the list is too small to spare donors.
    """
    rate, kinds, outside = settings.rate, settings.kinds, settings.outside
    rng = np.random.default_rng(settings.seed)
    names = frame["utterance"].to_numpy(dtype=object)
    label = frame["speaker"].to_numpy(dtype=object)
    video = np.array([u.rsplit("/", 1)[0] for u in names], dtype=object)
    want = round(rate * len(names) / (1 + rate))
    donors, held_out = _choose_donors(label, video, want, outside, rng)
    if len(held_out | donors.keys()) == 0 or len(names) - len(donors) < 20:
        raise AvsieveError(f"{len(names)} utterances are too few to audit at a rate of {rate}; audit a larger list")
    stays = np.array([i not in donors for i in range(len(names))])
    kind = np.full(len(names), "", dtype=object)
    sources = {m: names.copy() for m in MODALITIES}
    pool = list(donors)
    total = sum(kinds.values())
    quota: dict[str, int] = {k: round(want * share / total) for k, share in kinds.items()}
    _break_videos(quota.get("video", 0), video, label, stays, donors, pool, kind, sources, rng)
    for m in MODALITIES:
        free = np.flatnonzero(stays & (kind == ""))
        for i in rng.permutation(free)[: quota.get(m, 0)].tolist():
            donor = next((d for d in pool if label[d] != label[i]), -1)
            if donor < 0:
                break
            pool.remove(donor)
            kind[i] = m
            sources[m][i] = names[donor]
    kept = np.flatnonzero(stays)
    table = frame.iloc[kept].reset_index(drop=True).assign(kind=kind[kept])
    return Injection(table, {m: sources[m][kept].tolist() for m in MODALITIES})


def _choose_donors(
    label: np.ndarray, video: np.ndarray, want: int, outside: float, rng: np.random.Generator
) -> tuple[dict[int, bool], set[str]]:
    """Return donor rows in random order of videos (value: is the donor outside), and the speakers held out."""
    rows_of: dict[str, list[int]] = {}
    videos_of: dict[str, list[str]] = {}
    for i, (s, v) in enumerate(zip(label, video, strict=True)):
        if v not in rows_of:
            rows_of[v] = []
            videos_of.setdefault(s, []).append(v)
        rows_of[v].append(i)
    speakers = sorted(videos_of)
    donors: dict[int, bool] = {}
    held_out: set[str] = set()
    for s in rng.permutation(speakers):
        if len(donors) >= outside * want or len(held_out) >= len(speakers) // 4:
            break
        held_out.add(str(s))
        donors.update(dict.fromkeys((i for v in videos_of[s] for i in rows_of[v]), True))
    spare = [v for s in speakers if s not in held_out and len(videos_of[s]) > 2 for v in videos_of[s][:1]]
    for v in rng.permutation(np.array(spare, dtype=object)):
        if len(donors) >= want:
            break
        donors.update(dict.fromkeys(rows_of[v], False))
    return donors, held_out


def _break_videos(
    quota: int, video: np.ndarray, label: np.ndarray, stays: np.ndarray, donors: dict[int, bool], pool: list[int],
    kind: np.ndarray, sources: dict[str, np.ndarray], rng: np.random.Generator,
) -> None:  # fmt: skip
    """Give whole videos the voices and faces of one donor video each; donors that are used leave the pool."""
    names = {m: sources[m].copy() for m in MODALITIES}
    donor_videos: dict[str, list[int]] = {}
    for d in donors:
        donor_videos.setdefault(video[d], []).append(d)
    targets: dict[str, list[int]] = {}
    for row in np.flatnonzero(stays).tolist():
        targets.setdefault(video[row], []).append(row)
    order = [targets[v] for v in rng.permutation(np.array(sorted(targets), dtype=object))]
    done = 0
    for rows in order:
        if done >= quota:
            return
        choice = next(
            (v for v, d in donor_videos.items() if len(d) >= len(rows) and label[d[0]] != label[rows[0]]), None
        )
        if choice is None:
            continue
        given = donor_videos.pop(choice)
        for i, d in zip(rows, given, strict=False):
            pool.remove(d)
            kind[i] = "video"
            for m in MODALITIES:
                sources[m][i] = names[m][d]
        done += len(rows)


def audit(
    frame: pd.DataFrame,
    tables: dict[str, EmbeddingTable | None],
    settings: Audit,
    cleansing: Cleansing,
    *,
    draws: int = 200,
) -> dict[str, Any]:
    """Inject, rescore the same embeddings, cleanse, and count; return measured and estimated figures.

    Precision, recall and F1 come with 95 % intervals from a bootstrap over speakers (``draws``).
    """
    policy, seed = cleansing.policy, settings.seed
    before = score_table(frame[["utterance", "speaker"]], tables)
    known = decide(before, judge(before, cleansing.method, cleansing.options), policy, cleansing.threshold)
    suspect = set(before.utterance[known.noisy].tolist())
    injection = inject(frame, settings)
    scores = score_table(injection.frame[["utterance", "speaker"]], tables, injection.sources)
    judgement = judge(scores, cleansing.method, cleansing.options)
    decisions = decide(scores, judgement, policy, cleansing.threshold)
    kind = injection.frame["kind"].to_numpy(dtype=object)
    counts = np.isin(kind, _kinds_that_count(policy))
    flagged = decisions.noisy
    # An utterance that was under suspicion, or whose donor was, says nothing either way.
    native = np.array([u in suspect for u in injection.frame["utterance"]])
    for m in MODALITIES:
        native |= np.array([s in suspect for s in injection.sources[m]])
    # Neither does one that has not what was broken: a face that nobody found is no wrong face.
    has = {m: scores.evidence[m].present for m in MODALITIES}
    there = np.select([kind == m for m in MODALITIES], [has[m] for m in MODALITIES], has["audio"] | has["visual"])
    use = ~native & there & ((kind == "") | counts)
    speaker = scores.speaker
    measured = _measure(counts[use], flagged[use])
    rng = np.random.default_rng(seed)
    bounds = _bootstrap(counts[use], flagged[use], speaker[use], draws, rng)
    return {
        "settings": settings.model_dump() | cleansing.model_dump(exclude={"options"}),
        "utterances": int(use.sum()), "injected": int((counts & use).sum()), "set_aside": int(native.sum()),
        "measured": {k: {"value": v, "low": bounds[k][0], "high": bounds[k][1]} for k, v in measured.items()},
        "recall_by_kind": {k: float(flagged[use & (kind == k)].mean()) for k in sorted(set(kind[use & counts]))},
        "estimated": expected(decisions),
    }  # fmt: skip


def audit_run(
    plan: Path, embeddings: Mapping[str, Sequence[Path]], settings: Audit, cleansing: Cleansing
) -> dict[str, Any]:
    """Do what `audit` does with a run's plan and the embeddings of its shards, modality -> files."""
    return audit(read_plan(plan), {m: _load(paths) for m, paths in embeddings.items()}, settings, cleansing)


def _load(paths: Sequence[Path]) -> EmbeddingTable | None:
    """Read the shards' embeddings in half precision: 1.1 GB for the faces of VoxCeleb2."""
    names: list[str] = []
    parts = []
    for path in paths:
        ids, matrix = read_embeddings(path)
        names += ids
        if len(ids):
            parts.append(matrix.astype(np.float16))
    return EmbeddingTable(names, np.concatenate(parts)) if parts else None


def _kinds_that_count(policy: str) -> list[str]:
    return {"either": ["video", "audio", "visual"], "audio": ["video", "audio"], "visual": ["video", "visual"]}.get(
        policy, ["video"]
    )


def _measure(wrong: np.ndarray, flagged: np.ndarray, weight: np.ndarray | None = None) -> dict[str, float]:
    w = np.ones(len(wrong)) if weight is None else weight
    hit, called, there = (float((w * x).sum()) for x in (wrong & flagged, flagged, wrong))
    return {
        "precision": hit / called if called else 0.0,
        "recall": hit / there if there else 0.0,
        "f1": 2 * hit / (called + there) if called + there else 0.0,
    }


def _bootstrap(
    wrong: np.ndarray, flagged: np.ndarray, speaker: np.ndarray, draws: int, rng: np.random.Generator
) -> dict[str, Sequence[float]]:
    code = np.unique(speaker, return_inverse=True)[1].reshape(-1)
    count = int(code.max()) + 1 if len(code) else 0
    found = []
    for _ in range(draws if count else 0):
        times = np.bincount(rng.integers(count, size=count), minlength=count)
        found.append(_measure(wrong, flagged, times[code].astype(float)))
    return {
        k: [float(q) for q in np.quantile([f[k] for f in found], [0.025, 0.975])] if found else [0.0, 1.0]
        for k in ("precision", "recall", "f1")
    }
