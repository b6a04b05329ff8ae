"""The stages of a run, as the paths of its files say: what each leaves per shard, and at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from avsieve.sources.registry import SOURCES
from avsieve.storage import paths as P

MODALITIES = ("audio", "visual")
_OF_CLIPS = (P.media, P.extract, P.align)
_OF_DAMAGE = (P.damage, P.twins)
# What stages without shards end with, in their order.
_ENDS = {
    "centres": P.scores.centres,
    "scores": P.scores.scores,
    "lists": P.lists.decisions,
    "evaluation": P.evaluation.results,
    "report": P.report.page,
}


@dataclass(frozen=True)
class Stage:
    """A step of the pipeline.

    Attributes
    ----------
    name
        As its folder is called.
    marker
        The file that tells that it is done: a path of `avsieve.storage.paths`, with ``{shard}`` where there is one a
        shard.
    gathered
        The file that the shards' are gathered in, after which they are removed; None where they stay.
    """

    name: str
    marker: str
    gathered: str | None = None

    @property
    def sharded(self) -> bool:
        """Whether it works shard by shard."""
        return "{shard}" in self.marker


def stages_of(results: Path) -> list[Stage]:
    """Return the stages that a run has, in order, by its source and what is there of it."""
    left_out: list[Any] = []
    if not has_media(results):
        left_out += _OF_CLIPS
    # The plan tells nothing of damaged trials and twins: they are shown once there are any.
    left_out += [
        group
        for group in _OF_DAMAGE
        if not any(P.below(results, P.of(group.embedded, modality=m)).is_dir() for m in MODALITIES)
    ]
    sharded = [
        Stage(Path(path).parent.name, path) for group in _groups() if group not in left_out for path in _status(group)
    ]
    evidence = Stage("shard_scores", P.scores.shard, gathered=P.scores.scores)
    ends = [Stage(name, path) for name, path in _ENDS.items()]
    before = [stage for stage in sharded if not stage.name.startswith(("damage", "twins"))]
    after = [stage for stage in sharded if stage not in before]
    scored = [Stage("plan", P.plan.utterances), *before, ends[0], evidence, *ends[1:3]]
    return [*scored, *_of_rounds(results), *after, *ends[3:]]


def _of_rounds(results: Path) -> list[Stage]:
    """Return the stages of further rounds; none before the first of them has begun."""
    folder = P.below(results, P.rounds.folder)
    rounds = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    found = []
    for number in rounds:
        of = {"round": number}
        found += [
            Stage(f"round {number}: embed_{m}", P.of(P.rounds.embed_status, modality=m, **of))
            for m in MODALITIES
            if (folder / number / f"embed_{m}").is_dir()  # the plan tells not which encoders are trained anew
        ]
        found += [
            Stage(f"round {number}: shard_scores", P.of(P.rounds.shard, **of), gathered=P.of(P.rounds.scores, **of)),
            Stage(f"round {number}: lists", P.of(P.rounds.decisions, **of)),
        ]
    return [*found, Stage("rounds", P.rounds.table)] if found else []


def has_media(results: Path) -> bool:
    """Tell by the note beside the plan whether the run's source has clips; true where nothing is known."""
    try:
        kind = json.loads(P.below(results, P.plan.source).read_text(encoding="utf-8"))["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return kind not in SOURCES or SOURCES[kind].fetching != "none"


def _groups() -> Iterator[Any]:
    """Yield the groups of paths in their order."""
    for value in vars(P).values():
        if is_dataclass(value) and not isinstance(value, type):
            yield value


def _status(group: Any) -> list[str]:
    """Return the status table of a group, one a modality where it has several; none where it has none by shards."""
    path = {f.name: getattr(group, f.name) for f in fields(group)}.get("status", "")
    if "{shard}" not in path:
        return []
    return [P.of(path, modality=m) for m in MODALITIES] if "{modality}" in path else [path]
