"""Parameters of a damage that are drawn for each utterance: from a range, or among words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

DIGITS = 4
"""Of what is drawn: an eye can compare a table with a file."""


def drawn_parameters(parameters: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return the parameters of an utterance: of each list one value (`drawn`), drawn in the order of their names."""
    values = dict(parameters)
    for name in sorted(values):
        if isinstance(values[name], list):
            values[name] = drawn(values[name], rng)
    return values


def drawn(values: list[Any], rng: np.random.Generator) -> Any:
    """Draw one of some words, or a number from the first to the second; whole ones where both are."""
    if isinstance(values[0], str):
        return values[int(rng.integers(len(values)))]
    if isinstance(values[0], int):
        return int(rng.integers(values[0], values[1] + 1))
    return round(float(rng.uniform(*values)), DIGITS)
