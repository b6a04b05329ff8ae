"""Judge the evidence by a method that is chosen by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from avsieve.cleansing.registry import METHODS
from avsieve.settings import filled

if TYPE_CHECKING:
    from avsieve.cleansing.result import Judgement
    from avsieve.cleansing.scores import Scores


def judge(scores: Scores, method: str, options: Mapping[str, Any] | None = None) -> Judgement:
    """Run a method of the registry on ``scores`` with its own options; what is not given has its default.

    Raises
    ------
    ConfigError
        If there is no such method, or it has no such option, or the option cannot be that.
    """
    chosen = METHODS[method]
    return chosen().judge(scores, filled(chosen.settings, options or {}, method))
