"""Which pairs of a voice and faces a joint model must embed: those of the trials, damaged ones, and of the cohort.

A damaged trial may have the voice of one signal and the faces of another: of another version, of another person, or
none. What the evaluation will ask for is found as it finds it itself (`avsieve.fusion.strata`), with names in place of
embeddings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from avsieve.errors import ConfigError
from avsieve.evaluation.conditions.table import DamageTable
from avsieve.evaluation.trials import Trials
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.strata import strata_of

Pair = tuple[str, str]
"""The voice and the faces: ids of utterances or of damaged versions, empty where the modality is missing."""


class Names:
    """Where the evaluation would read embeddings, there are names alone: every signal may be there."""

    def stream(self, modality: str, utterances: list[str]) -> Stream:
        """Return a row for each utterance, without an embedding."""
        n = len(utterances)
        return Stream(np.zeros((n, 1), np.float32), np.ones(n, bool), made_of=np.array(utterances, object))

    def damaged(self, modality: str, versions: list[str]) -> Stream:
        """Return a row for each version."""
        return self.stream(modality, versions)

    def inputs(self, utterances: list[str]) -> Inputs:
        """Return a row for each utterance."""
        return Inputs(utterances, self.stream("audio", utterances), self.stream("visual", utterances))


def pairs_of(inputs: Inputs, condition: str = "") -> list[Pair]:
    """Return the pair of each row.

    Raises
    ------
    ConfigError
        If a row stands for no signal, since damage was only simulated in its embedding.
    """
    found = []
    for modality, stream in inputs.streams.items():
        if stream.made_of is None:
            raise ConfigError(
                f"{condition or 'the trials'}: {modality} embeddings that stand for no signal, so no joint model can "
                "be given it; set evaluation.damage.level to auto, or leave joint models out"
            )
        found.append(stream.made_of.tolist())
    return list(zip(*found, strict=True))


def needed_pairs(lists: Sequence[Trials], damage: DamageTable | None, cohort: Sequence[str] = ()) -> list[Pair]:
    """Return every pair that the evaluation of some lists asks for, once, in the order that it does.

    Parameters
    ----------
    lists
        Trials.
    damage
        What is damaged under each condition.
    cohort
        Utterances of the AS-norm's cohort.
    """
    names, found = Names(), dict[Pair, None]()

    def add(pairs: Iterable[Pair]) -> None:
        found.update(dict.fromkeys(pair for pair in pairs if any(pair)))

    for trials in lists:
        whole = names.inputs(trials.utterances)
        add(pairs_of(whole))
        for stratum in strata_of(damage, trials, whole, names) if damage is not None else ():
            add(pairs_of(stratum.inputs, stratum.name))
    add((name, name) for name in cohort)
    return list(found)
