"""The figures of one system on one trial list, with their intervals and with what could not be scored."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError, ListError
from avsieve.evaluation.bootstrap import interval, speaker_bootstrap
from avsieve.evaluation.labels import OFFICIAL
from avsieve.evaluation.metrics import CALIBRATED, det_points, error_rates, summarise
from avsieve.evaluation.trial_lists import TrialList
from avsieve.evaluation.trials import Trials
from avsieve.lists.layouts import layout_of, read_corpus_list
from avsieve.storage.text_files import read_lines

T = TypeVar("T")
THIS_LIST = "this trial list"


class NothingScoredError(AvsieveError):
    """No target or no nontarget trial could be scored."""


def evaluated(item: TrialList, evaluate: Callable[[Trials], T]) -> tuple[T | None, dict[str, Any]]:
    """Evaluate on one list of trials.

    Parameters
    ----------
    item
        The list.
    evaluate
        Takes its trials and returns what they gave.

    Returns
    -------
    tuple
        What ``evaluate`` returned, None where the list is left out; and the facts of the list, which say why.

    Raises
    ------
    NothingScoredError
        If a list that the user named cannot be scored; it is named. One that a run made of itself is left out.
    """
    if item.trials is None:
        return None, item.facts()
    try:
        return evaluate(item.trials), item.facts()
    except NothingScoredError as error:
        if item.labels == OFFICIAL:
            raise NothingScoredError(f"{item.words}: {error}") from None
        return None, item.facts(str(error))


@dataclass(frozen=True)
class Result:
    """What one system reached; rates are shares (0.01 is 1 %).

    Attributes
    ----------
    summary
        The figures, by the names of `avsieve.evaluation.metrics.METRICS`, and of scores that are log-likelihood ratios
        those of `avsieve.evaluation.metrics.CALIBRATED`.
    n_trials, n_missing
        Trials that were scored, and trials that no available modality could score.
    replicates
        Per figure the values of the bootstrap's draws (R,), or None where none were asked for.
    """

    summary: dict[str, float]
    n_trials: int
    n_targets: int
    n_missing: int
    replicates: dict[str, np.ndarray] | None

    def value(self, figure: str) -> float:
        """Return one of the figures."""
        return self.summary[figure]

    def draws(self, figure: str) -> np.ndarray | None:
        """Return the bootstrap's values (R,) of one of the figures, None where there was no bootstrap."""
        return None if self.replicates is None else self.replicates[figure]

    def row(self) -> dict[str, float | int]:
        """Return the figures under the names that the results table and the JSON have."""
        row: dict[str, float | int] = dict(self.summary)
        for name in self.summary:
            if (values := self.draws(name)) is not None:
                row[f"{name}_low"], row[f"{name}_high"] = interval(values)
        return row | {"n_trials": self.n_trials, "n_targets": self.n_targets, "n_missing": self.n_missing}


def evaluate(
    trials: Trials,
    scores: np.ndarray,
    *,
    definition: str = "interpolated",
    calibrated: bool = False,
    replicates: int = 0,
    seed: int = 0,
) -> Result:
    """Compute the figures of one system.

    Parameters
    ----------
    trials
        The list.
    scores
        (T,) one per trial; NaN where it could not be scored. Such trials are left out of the rates and counted.
    definition
        Of the EER and of its interval, see `avsieve.evaluation.metrics`.
    calibrated
        Whether the scores are log-likelihood ratios: then there are the figures of `CALIBRATED` too.
    replicates, seed
        Draws of the speaker-clustered bootstrap; 0 for none.

    Raises
    ------
    NothingScoredError
        If no target or no nontarget trial could be scored.
    """
    scored = ~np.isnan(scores)
    if not scored.any():
        raise NothingScoredError(
            f"none of the {len(trials)} trials could be scored: no utterance of the list has an embedding; "
            "are the ids of the list and of the embeddings of the same kind (speaker/video/utterance)?"
        )
    kept, is_target = scores[scored], trials.is_target[scored]
    if is_target.all() or not is_target.any():
        raise NothingScoredError(
            f"of {len(trials)} trials {int(is_target.sum())} target and {int((~is_target).sum())} nontarget ones could "
            "be scored; error rates need at least one of each"
        )
    draws = None
    if replicates:
        speakers, of_utterance = trials.speakers()
        draws = speaker_bootstrap(
            kept,
            is_target,
            of_utterance[trials.enrol[scored]],
            of_utterance[trials.test[scored]],
            n_speakers=len(speakers),
            definition=definition,
            calibrated=calibrated,
            replicates=replicates,
            seed=seed,
        )
    summary = summarise(kept, is_target, definition, calibrated=calibrated)
    return Result(summary, len(kept), int(is_target.sum()), int((~scored).sum()), draws)


def det_curve(trials: Trials, scores: np.ndarray, *, max_points: int = 400, **columns: object) -> pd.DataFrame:
    """Return the points of a DET curve, ``fpr`` and ``fnr``, beside constant ``columns``."""
    scored = ~np.isnan(scores)
    fpr, fnr = det_points(error_rates(scores[scored], trials.is_target[scored]), max_points)
    return pd.DataFrame(columns | {"fpr": fpr, "fnr": fnr})


def read_evaluation(path: str | Path) -> pd.DataFrame:
    """Read ``results.csv`` or ``gains.csv``.

    Names of lists are text, be they ``1`` or ``NA``; a figure that a row has no value of is NaN.
    """
    try:
        table = pd.read_csv(path)
        for column in [c for c in table if c.startswith(tuple(CALIBRATED))]:
            table[column] = pd.to_numeric(table[column].replace("-", None))
        names = pd.read_csv(path, usecols=lambda column: column == "list", dtype=str, keep_default_na=False)
        return table.assign(**{name: names[name] for name in names})
    except (OSError, ValueError, csv.Error) as error:  # pandas' own errors are ValueErrors
        raise ListError(f"{path}: no table of results ({error}); run its stage again (snakemake evaluate)") from None


def listed_speakers(path: str | Path) -> set[str]:
    """Read the speakers of a training list: the first column of its lines, whatever the others hold.

    Of VoxCeleb1's ``iden_split.txt``, whose first column is a part, those of the lines that train.

    Raises
    ------
    ListError
        If the file is absent or empty, or is a trial list.
    """
    speakers = {line.split(maxsplit=1)[0] for _, line in read_lines(path)}
    if not speakers:
        raise ListError(f"{path}: no speakers; expected lines that begin with a speaker")
    if speakers <= {"0", "1", "2", "3"} or layout_of(path) in ("utt2spk", "names"):
        return set(read_corpus_list(path)["speaker"])
    return speakers


def refuse_seen_speakers(trials: Trials, trained_on: set[str], model: str, called: str = THIS_LIST) -> None:
    """Refuse to evaluate a model on speakers that it was trained on.

    VoxCeleb1-E and -H draw on all of VoxCeleb1, development speakers included: only -O is disjoint from them.

    Parameters
    ----------
    trials
        The list.
    trained_on, model
        The speakers whom it was trained on, and what the message calls it.
    called
        What the message calls the list, which may be one of several.

    Raises
    ------
    AvsieveError
        Naming the list, the number of shared speakers and an example.
    """
    shared = sorted(set(trials.speakers()[0]) & trained_on)
    if shared:
        name = trials.recognise(called)
        known = name.name if called == THIS_LIST or name.name in called else f"{called} ({name.name})"
        remedy = (
            f"{name.name} draws on all 1,251 speakers of VoxCeleb1: report Vox1-O, or train on VoxCeleb2"
            if name.name in ("Vox1-E", "Vox1-H")
            else "use trials of other speakers, or train without them"
        )
        raise AvsieveError(
            f"{model}: {len(shared)} of {len(trials.speakers()[0])} speakers of {known} are in its training list "
            f"(for example {shared[0]}), so its error rates would be meaningless; {remedy}"
        )
