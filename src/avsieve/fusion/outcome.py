"""What an evaluation finds: a row per system and way of scoring, what cleansing is worth, and DET curves."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from avsieve.evaluation.baselines import rows_against
from avsieve.evaluation.conditions.contract import RESERVED, WHOLE
from avsieve.evaluation.gains import ARMS, paired_gain
from avsieve.evaluation.results import NothingScoredError, Result, det_curve, evaluate
from avsieve.evaluation.trials import Trials
from avsieve.evaluation.ways import RAW
from avsieve.fusion.system import System

logger = logging.getLogger(__name__)

FULL, SEGMENTS = "full", "segments"
# What the tables have at least, also where nothing could be evaluated.
RESULT_COLUMNS = ["model", "trained_on", "seed", "condition", "protocol", "scores", "eer", "n_trials", "n_speakers"]
GAIN_COLUMNS = ["model", "condition", "protocol", "scores", "seeds"]
AGAINST_COLUMNS = ["model", "trained_on", "baseline", *GAIN_COLUMNS[1:]]
TIME_COLUMNS = ["model", "trained_on", "seed", "utterances", "encode_s", "n_trials", "score_s"]
CURVE_COLUMNS = ["model", "trained_on", "condition", "fpr", "fnr"]
# Points of a curve at most: a condition has a small plot of its own.
CURVE_POINTS, CONDITION_POINTS = 400, 120


@dataclass(frozen=True)
class Way:
    """One way of scoring.

    Attributes
    ----------
    condition
        ``whole``, the name of a condition, or ``pooled``.
    protocol
        By ``full`` utterances or ``segments``.
    scores
        ``raw`` or ``as_norm``.
    """

    condition: str = WHOLE
    protocol: str = FULL
    scores: str = RAW

    def columns(self) -> dict[str, str]:
        """Return its columns of the tables."""
        return {"condition": self.condition, "protocol": self.protocol, "scores": self.scores}

    def __str__(self) -> str:
        return " ".join(self.columns().values())


@dataclass(frozen=True)
class Outcome:
    """The tables.

    Attributes
    ----------
    results
        A row per system and `Way`: ``model``, ``trained_on``, ``seed``, ``condition``, ``protocol``, ``scores``,
        the figures with their 95 % intervals, ``n_trials``, ``n_targets``, ``n_missing``, ``n_speakers``.
    gains
        A row per trained model and `Way`, as `avsieve.evaluation.gains.paired_gain` returns it.
    curves
        Points of the DET curves of full, raw scores under every condition: ``model``, ``trained_on``, ``condition``,
        ``fpr``, ``fnr``. Curves of several seeds follow one another, each from its lowest ``fpr`` on.
    against
        A row per system, `Way` and baseline, as `avsieve.evaluation.baselines.rows_against` returns it.
    times
        A row per system: how long it took to encode the utterances of the list as they are and to score its trials,
        ``encode_s`` and ``score_s``. These alone differ between two equal evaluations.
    """

    results: pd.DataFrame
    gains: pd.DataFrame
    curves: pd.DataFrame
    against: pd.DataFrame
    times: pd.DataFrame


@dataclass
class Findings:
    """What has been found of a list so far.

    Parameters
    ----------
    n_speakers
        How many the list has.
    definition, replicates, seed
        Of the EER and of the bootstrap; every system sees the same draws.
    lenient
        Leave out, with a warning, what can score no target or no nontarget trial of the list as it is. Strata are left
        out so in any case.
    """

    n_speakers: int
    definition: str
    replicates: int
    seed: int
    lenient: bool
    rows: list[dict[str, Any]] = field(default_factory=list)
    curves: list[pd.DataFrame] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    times: list[dict[str, Any]] = field(default_factory=list)
    _results: dict[tuple[str, Way], dict[str, dict[int | None, Result]]] = field(default_factory=dict)

    def add(self, system: System, way: Way, trials: Trials, scores: np.ndarray) -> None:
        """Add what a system's scores (T,) of T trials, NaN where there is none, come to.

        Raises
        ------
        NothingScoredError
            If no target or no nontarget trial was scored, unless that is to be left out.
        """
        model = system.model
        # The AS-norm of log-likelihood ratios, or those of segments, would be none.
        calibrated = model.calibrated and way.scores == RAW and way.protocol == FULL
        try:
            result = evaluate(
                trials,
                scores,
                definition=self.definition,
                replicates=self.replicates,
                seed=self.seed,
                calibrated=calibrated,
            )
        except NothingScoredError as error:
            if not self.lenient and way.condition == WHOLE:
                raise
            why: object = error
            if way.condition != WHOLE:  # to leave nothing to score may be what the condition is for
                targets = trials.is_target[~np.isnan(scores)]
                why = (
                    f"{int(targets.sum())} target and {int((~targets).sum())} nontarget trials of {len(trials)} scored"
                )
            logger.warning("%s (%s), %s: left out: %s", model.name, system.trained_on, way, why)
            self.reasons.append(str(error))
            return
        self.rows.append(system.columns() | way.columns() | result.row() | {"n_speakers": self.n_speakers})
        arms = self._results.setdefault((model.name, way), {})
        arms.setdefault(system.trained_on, {})[system.seed] = result
        if way == Way(way.condition):
            of = {"model": model.name, "trained_on": system.trained_on, "condition": way.condition}
            points = CURVE_POINTS if way.condition in RESERVED else CONDITION_POINTS
            self.curves.append(det_curve(trials, scores, max_points=points, **of))

    def took(self, system: System, utterances: int, encode_s: float, n_trials: int, score_s: float) -> None:
        """Note how long a system took for the list as it is, seconds."""
        counts = {"utterances": utterances, "encode_s": encode_s, "n_trials": n_trials, "score_s": score_s}
        self.times.append(system.columns() | counts)

    def outcome(self) -> Outcome:
        """Return the tables.

        Raises
        ------
        NothingScoredError
            If there is no row.
        """
        if not self.rows:
            raise NothingScoredError(self.reasons[0] if self.reasons else "there is no system to score the trials with")
        gains = [
            {"model": model} | way.columns() | paired_gain(arms["all"], arms["clean"], self.seed)
            for (model, way), arms in self._results.items()
            if set(ARMS) <= arms.keys() and set(arms["all"]) == set(arms["clean"])
        ]
        results = pd.DataFrame(self.rows)
        results["seed"] = results["seed"].astype("Int64")
        drawn = pd.concat(self.curves, ignore_index=True) if self.curves else pd.DataFrame(columns=CURVE_COLUMNS)
        return Outcome(results, pd.DataFrame(gains), drawn, self._against(), pd.DataFrame(self.times))

    def _against(self) -> pd.DataFrame:
        """Compare every system with the baselines, in each way that it was scored in."""
        by_way: dict[Way, dict[tuple[str, str], dict[int | None, Result]]] = {}
        for (model, way), arms in self._results.items():
            for trained_on, results in arms.items():
                by_way.setdefault(way, {})[model, trained_on] = results
        rows = [way.columns() | row for way, found in by_way.items() for row in rows_against(found, self.seed)]
        table = pd.DataFrame(rows)
        return table.reindex(columns=list(dict.fromkeys([*AGAINST_COLUMNS, *table])))
