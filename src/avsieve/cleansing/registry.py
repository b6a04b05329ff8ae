"""Choose a method by name; only the chosen one is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from avsieve.cleansing.options import METHODS, check_options
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.scores import Scores
from avsieve.errors import ConfigError

__all__ = ["METHODS", "judge", "load_method"]


def judge(scores: Scores, method: str = "posterior", **options: Any) -> Judgement:
    """Run ``method`` on ``scores`` with its own options.

    Raises
    ------
    ConfigError
        If there is no such method, or it has no such option, or the option cannot be that.
    """
    check_options(method, options)
    return load_method(method)(scores, **options)


def load_method(method: str) -> Callable[..., Judgement]:
    """Import a method and return its function ``judge``."""
    # Imports are spelt out, so that the hash of the code that clean_list runs covers every method.
    if method == "posterior":
        from avsieve.cleansing.methods import posterior

        return posterior.judge
    if method == "fixed_threshold":
        from avsieve.cleansing.methods import fixed_threshold

        return fixed_threshold.judge
    if method == "two_step":
        from avsieve.cleansing.methods import two_step

        return two_step.judge
    if method == "mixture":
        from avsieve.cleansing.methods import mixture

        return mixture.judge
    if method == "confident":
        from avsieve.cleansing.methods import confident

        return confident.judge
    raise ConfigError(f"cleansing method {method!r}; expected one of {', '.join(METHODS)}")
