"""Whether there are people enough: to test, to train on, and to make trials of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.errors import AvsieveError
from avsieve.sources.findings import Finding

if TYPE_CHECKING:
    from avsieve.config.model import Config

# Folders of more speakers have enough of them, and are not walked through.
MOST_SPEAKERS = 2000
People = Mapping[str, set[str]]


def check_people(config: Config) -> list[Finding]:
    """Look whether trials can be made of the people who are kept, and networks trained on the others."""
    people = people_of(config)
    if people is None:
        return []
    findings: list[Finding] = []
    kept: set[str] = set()
    if config.evaluation.trials is None and not config.source.contract.has_test_set:
        findings, kept = _kept(config, people)
    rest = set(people) - kept
    if config.evaluation.trials is not None and config.fusion.models and len(rest) < 2:
        findings.append(
            Finding("error", "fusion.models", f"{len(rest)} speaker to train on; expected two at least",
                    "set fusion.models to [], or add more speakers")
        )  # fmt: skip
    return findings + (_compared(config, rest) if config.comparison.in_report else [])


def _kept(config: Config, people: People) -> tuple[list[Finding], set[str]]:
    """Choose who is kept for testing, as the plan does; the rest of the run does not depend on it."""
    from avsieve.sources.plan import hold_out

    evaluation, without = config.evaluation, "; the list is made, trials and error rates are left out"
    if evaluation.holdout <= 0:
        return [], set()  # told with the trials
    count = round(evaluation.holdout * len(people))
    if count < 2 or len(people) - count < 2:
        text = (
            f"{evaluation.holdout:g} of {len(people)} speakers leaves {count} to test and {len(people) - count} to "
            f"train; both need two or more{without}"
        )
        return [Finding("warning", "evaluation.holdout", text, "change evaluation.holdout or name a test set")], set()
    kept = hold_out(sorted(people), evaluation.holdout, evaluation.holdout_seed)
    if all(len(people[speaker]) < 2 for speaker in kept):
        text = (
            f"none of the {len(kept)} speakers kept for testing has two videos, so there are no target trials{without}"
        )
        return [Finding("warning", "evaluation.holdout", text, "change evaluation.holdout or name a trial list")], kept
    return [], kept


def _compared(config: Config, rest: set[str]) -> list[Finding]:
    """Look whether the encoders of the comparison, which is part of this run, have speakers enough."""
    key = "comparison.in_report"
    if len(rest) < 2:
        text = f"encoders are trained on {len(rest)} speaker; expected two at least"
        return [Finding("error", key, text, "set it to false, or add more speakers")]
    shares = {m: getattr(config.training, m).validation for m in config.comparison.modalities}
    if not any(shares.values()) or find_spec("torch") is None or find_spec("lightning_fabric") is None:
        return []
    from avsieve.training.validation import is_held

    findings = []
    for modality, share in shares.items():
        held = sum(is_held(speaker, share) for speaker in rest)
        if share and min(held, len(rest) - held) < 2:
            text = f"{share:g} keeps {held} of {len(rest)} speakers out; expected two there, and two to train on"
            findings.append(Finding("error", f"training.{modality}.validation", text, "choose another share"))
    return findings


def people_of(config: Config) -> People | None:
    """Return the training part's speakers and their videos, from its list or its folders; None where neither tells."""
    source = config.source.contract
    if (utterances := source.training_utterances()) is not None:
        return _grouped(utterances)
    if source.train_list is not None:
        return _listed(source.train_list)
    root = source.speaker_folders
    return _walked(Path(root)) if root is not None and Path(root).is_dir() else None


def _grouped(utterances: Iterable[str]) -> People:
    found: dict[str, set[str]] = {}
    for utterance in utterances:
        speaker, video, *_ = utterance.split("/")
        found.setdefault(speaker, set()).add(video)
    return found


def _listed(path: str) -> People | None:
    from avsieve.lists.layouts import listed

    try:
        return _grouped(listed(path)["utterance"])
    except AvsieveError:
        return None  # told with the source


def _walked(root: Path) -> People | None:
    speakers = [entry for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith((".", "$"))]
    if not speakers or len(speakers) > MOST_SPEAKERS:
        return None
    return {s.name: {v.name for v in os.scandir(s.path) if not v.name.startswith(".")} for s in speakers}
