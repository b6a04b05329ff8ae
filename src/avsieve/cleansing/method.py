"""What a cleansing method is.

The configuration loads a method for its settings, inside Snakemake, where there is no numpy. So a method's module
imports numpy, and what imports it, inside its functions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from avsieve.cleansing.registry import METHODS
from avsieve.settings import Block, filled

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


def judge(scores: Scores, method: str, options: Mapping[str, Any] | None = None) -> Judgement:
    """Run a method of the registry on ``scores`` with its own options; what is not given has its default.

    Raises
    ------
    ConfigError
        If there is no such method, or it has no such option, or the option cannot be that.
    """
    chosen = METHODS[method]
    return chosen().judge(scores, filled(chosen.settings, options or {}, method))
