"""The strata of a trial list: of each condition the trials that it damages, and all of them pooled.

A trial belongs to a stratum if at least one of its sides is damaged. Its sides that are not are those of the whole
list, whose parts are there already: only the damaged ones are encoded for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from avsieve.evaluation.conditions.table import DamageTable
from avsieve.evaluation.scoring import Part
from avsieve.evaluation.trials import Trials
from avsieve.fusion.base import FusionModel
from avsieve.fusion.damage import Embeddings, damaged_inputs, variants_of
from avsieve.fusion.inputs import Inputs

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stratum:
    """The trials that a condition damages.

    Attributes
    ----------
    name
        That of the condition.
    trials
        Its T trials, whose utterances are all U of the list.
    inputs
        The damaged variants, M of them.
    enrol, test
        (T,) int64, where the sides of each trial are when the M variants follow the U utterances.
    """

    name: str
    trials: Trials
    inputs: Inputs
    enrol: np.ndarray
    test: np.ndarray

    def comparable(self, whole: Inputs) -> np.ndarray:
        """Tell of which trials (T,) bool both sides have a modality in common; ``whole`` are the list's utterances."""
        both = [
            np.r_[own.present, damaged.present]
            for own, damaged in zip(whole.streams.values(), self.inputs.streams.values(), strict=True)
        ]
        return np.logical_or.reduce([has[self.enrol] & has[self.test] for has in both])

    def scores(self, model: FusionModel, whole: Sequence[Part]) -> np.ndarray:
        """Score its trials.

        Parameters
        ----------
        model
            The system's.
        whole
            What the model made of the list's U utterances; it stays as it is.

        Returns
        -------
        (T,) float32, NaN where a trial cannot be scored.
        """
        parts = [own.followed_by(more) for own, more in zip(whole, model.encode(self.inputs), strict=True)]
        return model.score(parts, self.enrol, self.test)


def strata_of(table: DamageTable, trials: Trials, inputs: Inputs, embeddings: Embeddings) -> Iterator[Stratum]:
    """Yield the stratum of each condition, one after the other: the inputs of one at a time are held.

    A condition that damages no trial of the list is left out, with a warning.

    Parameters
    ----------
    trials, inputs
        The list, and both modalities of its utterances in their order.
    embeddings
        Where damaged versions are read from, and utterances that are not in the list.
    """
    n = len(trials.utterances)
    for name in table.conditions:
        variants = variants_of(trials, table.rows(name))
        enrol, test = variants.enrol[trials.enrol], variants.test[trials.test]
        hit = np.flatnonzero((enrol >= n) | (test >= n))
        if not len(hit):
            logger.warning("%s: damages none of the %d trials: left out", name, len(trials))
            continue
        logger.info("%s: %d damaged utterances in %d trials", name, len(variants.of), len(hit))
        own = Trials(trials.utterances, trials.enrol[hit], trials.test[hit], trials.is_target[hit])
        yield Stratum(name, own, damaged_inputs(inputs, variants, embeddings, name), enrol[hit], test[hit])


def pooled(lists: Sequence[Trials]) -> Trials:
    """Put trials of the same utterances in one list, one behind the other."""
    return Trials(
        lists[0].utterances,
        np.concatenate([trials.enrol for trials in lists]),
        np.concatenate([trials.test for trials in lists]),
        np.concatenate([trials.is_target for trials in lists]),
    )
