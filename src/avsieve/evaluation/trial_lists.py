"""The trial lists of an evaluation, and where the labels of each come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from avsieve.errors import ConfigError
from avsieve.evaluation.labels import GIVEN, LABELS, OFFICIAL, TRUTH, in_words
from avsieve.evaluation.trials import ListName, Trials, left_out, read_trials
from avsieve.storage.provenance import sha256_of
from avsieve.storage.tables import read_table

UNKNOWN = ListName("trials", "-")


@dataclass(frozen=True)
class TrialList:
    """One list of trials.

    Attributes
    ----------
    name
        What every result calls it, another than any other list's: the configuration's name for it, else VoxCeleb1's,
        else that of its file without the ending. A list that a run makes is called what its labels stand on.
    labels
        What its labels stand on, one of `avsieve.evaluation.labels.LABELS`.
    known
        Which of VoxCeleb1's the user's list is; else ``trials`` and ``-``.
    sha256
        Of the file.
    trials
        None where the list is left out.
    left_out
        Why, or nothing.
    """

    name: str
    labels: str
    known: ListName
    sha256: str
    trials: Trials | None
    left_out: str = ""

    @property
    def words(self) -> str:
        """What messages and the report call it."""
        return in_words(self.labels, self.name)

    def columns(self) -> dict[str, str]:
        """Return its columns of the tables of results."""
        return {
            "list": self.name,
            "labels": self.labels,
            "trials": self.known.name,
            "trials_version": self.known.version,
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
    paths: Sequence[str | Path],
    labels: Sequence[str],
    known: Iterable[str] | None = None,
    names: Sequence[str] = (),
) -> list[TrialList]:
    """Read lists, in the order in which a headline prefers them: by their labels, then as they are given.

    Parameters
    ----------
    paths, labels
        The lists and what their labels stand on; without labels they are the user's own (`OFFICIAL`).
    known
        Utterances whose truth is known: a list of `TRUTH` with others in it is as it was `GIVEN`.
    names
        What the user calls them, one per list; without names those of `own_name`.

    Raises
    ------
    ConfigError
        If there are not as many labels or names as lists, a label is not known, a list that the run made has the labels
        of another, or two lists would have the same name.
    ListError
        If a list cannot be read.
    """
    labels = list(labels) or [OFFICIAL] * len(paths)
    made = [label for label in labels if label != OFFICIAL]
    if len(labels) != len(paths) or len(set(made)) < len(made) or not set(labels) <= set(LABELS):
        raise ConfigError(
            f"{len(paths)} trial lists with the labels {labels}; expected one label per list, from "
            f"{', '.join(LABELS)}, and all but {OFFICIAL} once at most"
        )
    if names and len(names) != len(paths):
        raise ConfigError(f"{len(paths)} trial lists with the names {list(names)}; expected one name per list")
    truth = None if known is None else set(known)
    read = cache(read_trials)  # a file that is there under two names is read once
    found = [
        _read(Path(path), label, truth, name, read)
        for path, label, name in zip(paths, labels, names or [""] * len(paths), strict=True)
    ]
    refuse_one_name([item.name for item in found], paths)
    return sorted(found, key=lambda item: list(LABELS).index(item.labels))


def _read(path: Path, label: str, truth: set[str] | None, name: str, read: Callable[[str | Path], Trials]) -> TrialList:
    digest = sha256_of(path) if path.is_file() else ""
    if path.is_file() and (reason := left_out(path)):
        return TrialList(name or (own_name(path) if label == OFFICIAL else label), label, UNKNOWN, digest, None, reason)
    trials = read(path)
    if label == TRUTH and truth is not None and not truth.issuperset(trials.utterances):
        label = GIVEN
    # Lists that a run makes are nobody's: only the user's own can be one of VoxCeleb1's.
    known = trials.recognise() if label == OFFICIAL else UNKNOWN
    name = name or (own_name(path, known) if label == OFFICIAL else label)
    return TrialList(name, label, known, digest, trials)


def own_name(path: str | Path, known: ListName = UNKNOWN) -> str:
    """Return what a list of the user's is called that has no name in the configuration."""
    return Path(path).stem if known.version == UNKNOWN.version else known.name


def refuse_one_name(names: Sequence[str], paths: Sequence[str | Path]) -> None:
    """Refuse two lists of one name: nobody could tell their figures apart.

    Raises
    ------
    ConfigError
        Naming both files.
    """
    first: dict[str, str | Path] = {}
    for name, path in zip(names, paths, strict=True):
        if name in first:
            raise ConfigError(
                f"evaluation.trials: {first[name]} and {path} would both be called {name} in the results; give each a "
                "name: evaluation.trials: {NAME: PATH, ...}"
            )
        first[name] = path


def kept_for_trials(path: str | Path) -> list[str]:
    """Return the utterances of a plan that trials are made of: the test subset's, else those of speakers held out."""
    plan = read_table(path, ["utterance", "subset", "held_out"])
    test = plan.loc[plan["subset"] == "test", "utterance"].tolist()
    return test or plan.loc[plan["held_out"], "utterance"].tolist()
