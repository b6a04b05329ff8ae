"""Configurations that are nearly right: whole ones with keys and values of other kinds, places and lengths."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any

from tests.fuzz.mutations import TOKENS

_ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 10**6, 2**63, -(2**70), 0.0, -0.5, 0.5, 1e-300, 1e300, float("nan"), float("inf"),
    [], {}, [[]], [None], {"": 1}, "no", "12", "1e3", "a" * 300, "auto", "all", "clean", "audio", "visual", "builtin",
    "cuda:1",
)  # fmt: skip
_NAMES = ("kind", "name", "seeds", "models", "conditions", "arch", "", "x.y", "source", "cohort", "é")


def _paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where each key and each item of a configuration stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in inner for path in [(*so_far, key), *_paths(item, (*so_far, key))]]


def _odd(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.random()
    if kind < 0.15 and depth < 3:
        return [_odd(dice, depth + 1) for _ in range(dice.randrange(4))]
    if kind < 0.3 and depth < 3:
        return {dice.choice(_NAMES): _odd(dice, depth + 1) for _ in range(dice.randrange(4))}
    return dice.choice(TOKENS) if kind < 0.5 else copy.deepcopy(dice.choice(_ODD))


def _changed(values: dict[str, Any], seeds: Sequence[dict[str, Any]], dice: random.Random) -> None:
    """Change one place of ``values``."""
    places = _paths(values)
    if not places:
        values[dice.choice(_NAMES)] = _odd(dice)
        return
    *path, last = dice.choice(places)
    inside: Any = values
    for part in path:
        inside = inside[part]
    kind = dice.randrange(6)
    if kind == 0:
        del inside[last]
    elif kind == 1 and isinstance(inside, dict):
        inside[dice.choice([*_NAMES, *inside])] = inside.pop(last)
    elif kind == 2:
        inside[last] = [inside[last]] * dice.randrange(1, 3)
    elif kind == 3:  # what stands elsewhere, in this configuration or another
        other = dice.choice(seeds)
        found: Any = other
        for part in dice.choice(_paths(other)):
            found = found[part]
        inside[last] = copy.deepcopy(found)
    else:
        inside[last] = _odd(dice)


def settings_of(seeds: Sequence[dict[str, Any]], dice: random.Random) -> dict[str, Any]:
    """Return a configuration: one of ``seeds`` with some changes."""
    values = copy.deepcopy(dice.choice(seeds))
    for _ in range(dice.randint(1, 3)):
        _changed(values, seeds, dice)
    return values
