"""What a cleansing method is.

The configuration loads a method for its settings, inside Snakemake, where there is no numpy. So a method's module
imports numpy, and what imports it, inside its functions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from avsieve.settings import Block

if TYPE_CHECKING:
    from avsieve.cleansing.result import Judgement
    from avsieve.cleansing.scores import Scores

S = TypeVar("S", bound=Block)


class Method(ABC, Generic[S]):
    """A way from the evidence to probabilities.

    Attributes
    ----------
    name
        As in the registry and the configuration.
    label
        What it is called in words.
    settings
        Its own options, `cleansing.options` in the configuration.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    settings: ClassVar[type[Block]]

    @abstractmethod
    def judge(self, scores: Scores, settings: S) -> Judgement:
        """Return how likely each utterance's voice, face, or either is not the label's."""
