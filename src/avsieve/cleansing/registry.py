"""Choose a method by name; only the chosen one is imported."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from avsieve.cleansing.judgement import Judgement
from avsieve.cleansing.scores import Scores
from avsieve.errors import ConfigError

METHODS = ("posterior", "fixed_threshold", "two_step", "mixture", "confident")


def judge(scores: Scores, method: str = "posterior", **options: Any) -> Judgement:
    """Run ``method`` on ``scores`` with its own options.

    Raises
    ------
    ConfigError
        If there is no such method, or it has no such option.
    """
    chosen = _load(method)
    known = {name for name, p in signature(chosen).parameters.items() if p.kind is p.KEYWORD_ONLY}
    if unknown := sorted(set(options) - known):
        raise ConfigError(f"{method}: unknown option {unknown[0]!r}; it has {', '.join(sorted(known)) or 'none'}")
    return chosen(scores, **options)


def _load(method: str) -> Callable[..., Judgement]:
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
