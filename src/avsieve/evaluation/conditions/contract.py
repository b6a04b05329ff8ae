"""What a kind of damage is, and what a condition. Snakemake reads it: nothing heavier than pydantic is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from avsieve.settings import Block

AUDIO, VISUAL = "audio", "visual"
MODALITIES = (AUDIO, VISUAL)
NOISE, MISSING, OTHER_PERSON = "noise", "missing", "other_person"
SIGNAL, EMBEDDING = "signal", "embedding"
Level = Literal["signal", "embedding"]
ENROL, TEST, BOTH = "enrol", "test", "both"
WHOLE, POOLED = "whole", "pooled"
RESERVED = (WHOLE, POOLED)
"""Names of what there is besides: the trials as they are, and those of all conditions under one threshold."""
RERUNS = "make_damage"


class Nothing(Block):
    """A kind without parameters."""


@dataclass(frozen=True)
class Kind:
    """A kind of damage.

    Attributes
    ----------
    label
        What it is, in a few words.
    modalities
        What it can be done to; of two, a condition names one.
    settings
        Its parameters.
    signals
        Whether it is done to sound or images. What needs none is done to embeddings, and exactly so.
    """

    label: str
    modalities: tuple[str, ...]
    settings: type[Block] = Nothing
    signals: bool = True


@dataclass(frozen=True)
class ConditionPart:
    """One damage.

    Attributes
    ----------
    kind, modality, side
        What is done, to what, and on which side of a trial.
    share
        Of the utterances on that side.
    parameters
        Of the kind. Two numbers are a range that one is drawn from for each utterance, and words are a choice.
    similarity
        Of the stand-in (`avsieve.evaluation.conditions.stand_ins`), which has one of its own unless given.
    """

    kind: str
    modality: str
    side: str
    share: float
    parameters: Mapping[str, Any]
    similarity: float | None = None

    @property
    def sides(self) -> frozenset[str]:
        """The sides that it damages."""
        return frozenset((ENROL, TEST) if self.side == BOTH else (self.side,))


@dataclass(frozen=True)
class Condition:
    """Damages under one name.

    Attributes
    ----------
    parts
        What is done: all of it, each to a share of the utterances; or, if ``exclusive``, to an utterance one of them at
        most.
    """

    name: str
    parts: tuple[ConditionPart, ...]
    exclusive: bool = False
