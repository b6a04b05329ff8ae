"""The trial lists of an evaluation, and where the labels of each come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avsieve.errors import ConfigError
from avsieve.evaluation.labels import GIVEN, LABELS, OFFICIAL, TRUTH
from avsieve.evaluation.trials import Trials, left_out, read_trials
from avsieve.storage.provenance import sha256_of
from avsieve.storage.tables import read_table


@dataclass(frozen=True)
class TrialList:
    """One list of trials.

    Attributes
    ----------
    labels
        What its labels stand on, one of `avsieve.evaluation.labels.LABELS`.
    name, version
        VoxCeleb1's where the user's list is one of these; else ``trials`` and ``-``.
    sha256
        Of the file.
    trials
        None where the list is left out.
    left_out
        Why, or nothing.
    """

    labels: str
    name: str
    version: str
    sha256: str
    trials: Trials | None
    left_out: str = ""

    def columns(self) -> dict[str, str]:
        """Return its columns of the tables of results."""
        return {
            "labels": self.labels,
            "trials": self.name,
            "trials_version": self.version,
            "trials_sha256": self.sha256,
        }

    def facts(self, left_out: str = "") -> dict[str, Any]:
        """Return what provenance and comparison tell of it; ``left_out`` is why it could not be evaluated."""
        facts: dict[str, Any] = dict(self.columns())
        if self.trials is not None:
            speakers = len(self.trials.speakers()[0])
            facts |= {"n_trials": len(self.trials), "n_targets": self.trials.n_targets, "n_speakers": speakers}
        return facts | {"left_out": self.left_out or left_out}


def read_trial_lists(
    paths: Sequence[str | Path], labels: Sequence[str], known: Iterable[str] | None = None
) -> list[TrialList]:
    """Read lists, in the order in which a headline prefers them.

    Parameters
    ----------
    paths, labels
        The lists and what their labels stand on; without labels they are the user's own (`OFFICIAL`).
    known
        Utterances whose truth is known: a list of `TRUTH` with others in it is as it was `GIVEN`.

    Raises
    ------
    ConfigError
        If there are not as many labels as lists, one is twice there or not known.
    ListError
        If a list cannot be read.
    """
    labels = list(labels) or [OFFICIAL] * len(paths)
    if len(labels) != len(paths) or len(set(labels)) < len(labels) or not set(labels) <= set(LABELS):
        raise ConfigError(
            f"{len(paths)} trial lists with the labels {labels}; expected one label per list, "
            f"all different, from {', '.join(LABELS)}"
        )
    truth = None if known is None else set(known)
    found = [_read(Path(path), label, truth) for path, label in zip(paths, labels, strict=True)]
    return sorted(found, key=lambda item: list(LABELS).index(item.labels))


def _read(path: Path, label: str, truth: set[str] | None) -> TrialList:
    digest = sha256_of(path) if path.is_file() else ""
    if path.is_file() and (reason := left_out(path)):
        return TrialList(label, "trials", "-", digest, None, reason)
    trials = read_trials(path)
    if label == TRUTH and truth is not None and not truth.issuperset(trials.utterances):
        label = GIVEN
    # Lists that a run makes are nobody's: only the user's own can be one of VoxCeleb1's.
    name, version = trials.recognise() if label == OFFICIAL else ("trials", "-")
    return TrialList(label, name, version, digest, trials)


def kept_for_trials(path: str | Path) -> list[str]:
    """Return the utterances of a plan that trials are made of: the test subset's, else those of speakers held out."""
    plan = read_table(path, ["utterance", "subset", "held_out"])
    test = plan.loc[plan["subset"] == "test", "utterance"].tolist()
    return test or plan.loc[plan["held_out"], "utterance"].tolist()
