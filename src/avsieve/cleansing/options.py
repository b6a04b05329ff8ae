"""What a cleansing may be told: methods with their options, policies, the threshold; refused before anything is read.

The configuration checks itself by this inside Snakemake, so nothing heavier than the standard library is imported; a
test holds the table of options against the methods themselves.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from avsieve.errors import ConfigError

POLICIES = ("either", "audio", "visual", "both")
_PARTS = {"audio": "voice", "visual": "face"}


@dataclass(frozen=True)
class Option:
    """What an option may be: in words, and as a test."""

    words: str
    fits: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_cosine(value: Any) -> bool:
    return _is_number(value) and -1 <= value <= 1


def _whole(least: int) -> Option:
    return Option(
        f"a whole number, {least} or more",
        lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= least,
    )


_COSINE = Option("a cosine, -1 to 1, or null for one from the data", lambda v: v is None or _is_cosine(v))
_COSINES = Option(
    "one or more cosines in rising order",
    lambda v: isinstance(v, list | tuple) and len(v) > 0 and all(map(_is_cosine, v)) and list(v) == sorted(v),
)
_SCORES = ("self_confidence", "normalized_margin")

OPTIONS: dict[str, dict[str, Option]] = {
    "posterior": {"rounds": _whole(1), "seed": _whole(0)},
    "fixed_threshold": {"thresholds": _COSINES},
    "two_step": {"audio_threshold": _COSINE, "visual_threshold": _COSINE},
    "mixture": {"robust_centres": Option("true or false", lambda v: isinstance(v, bool)), "seed": _whole(0)},
    "confident": {
        "sharpness": Option("a number above 0", lambda v: _is_number(v) and v > 0),
        "score": Option(f"one of {', '.join(_SCORES)}", lambda v: v in _SCORES),
    },
}
METHODS = tuple(OPTIONS)


def check_options(method: str, options: dict[str, Any]) -> None:
    """Refuse a method that there is not, an option that it does not have, and a value that the option cannot be.

    Raises
    ------
    ConfigError
        Naming what was found and what was expected.
    """
    if method not in OPTIONS:
        raise ConfigError(f"cleansing method {method!r}; expected one of {', '.join(METHODS)}")
    known = OPTIONS[method]
    for name, value in options.items():
        if name not in known:
            raise ConfigError(f"{method}: unknown option {name!r}; it has {', '.join(sorted(known))}")
        if not known[name].fits(value):
            raise ConfigError(f"{method}: {name} {value!r}; expected {known[name].words}")


def check_policy(policy: str, given: Collection[str]) -> None:
    """Refuse a policy about a modality that there is not.

    Parameters
    ----------
    given
        Of ``audio`` and ``visual``, those that have embeddings.

    Raises
    ------
    ConfigError
        Naming what is missing and the policies that would do.
    """
    if policy not in POLICIES:
        raise ConfigError(f"policy {policy!r}; expected one of {', '.join(POLICIES)}")
    wanted = list(_PARTS) if policy == "both" else [policy] if policy in _PARTS else []
    missing = [m for m in wanted if m not in given]
    if not missing or not given:
        return
    does = "judges voice and face together" if policy == "both" else f"judges {_PARTS[policy]}s"
    raise ConfigError(
        f"policy {policy} {does}, and no {_PARTS[missing[0]]} embeddings were given: give them, or choose policy "
        f"either or {next(iter(given))}"
    )


def check_threshold(threshold: float) -> None:
    """Refuse what is no probability (`ConfigError`)."""
    if not 0 <= threshold <= 1:
        raise ConfigError(f"threshold {threshold}; expected a probability, 0 to 1")


def parse_options(text: str) -> dict[str, Any]:
    """Read the options of a method from the command line.

    Raises
    ------
    ConfigError
        If they are no JSON object.
    """
    try:
        options = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"--options {text!r}: {error}; expected a JSON object") from error
    if not isinstance(options, dict):
        raise ConfigError(f"--options {text!r}: expected a JSON object, such as '{{\"rounds\": 8}}'")
    return options


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add method, policy, threshold and options to a command line."""
    ap.add_argument("--method", choices=METHODS, default="posterior", help="how evidence becomes a probability")
    ap.add_argument(
        "--policy", choices=POLICIES, default="either", help="what must be wrong for an utterance to be noisy"
    )
    ap.add_argument("--threshold", type=float, default=0.5, help="probability above which an utterance is noisy")
    ap.add_argument(
        "--options", default="{}", help="options of the method as JSON, such as '{\"thresholds\": [0.4, 0.5]}'"
    )


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """Check what `add_options` added; return ``method``, ``policy``, ``threshold`` and ``options``.

    Raises
    ------
    ConfigError
        Before anything is read.
    """
    options = parse_options(args.options)
    check_options(args.method, options)
    check_threshold(args.threshold)
    return {"method": args.method, "policy": args.policy, "threshold": args.threshold, "options": options}
