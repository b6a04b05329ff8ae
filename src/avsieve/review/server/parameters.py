"""Parameters of a request, checked: an error names the parameter, what was given and what is expected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from avsieve.review.server.refusal import RefusedError

LONGEST_TEXT = 600
"""Characters of a text: as many as the longest name of a video has, and some."""
LARGEST = 2**53
"""Whole numbers that JSON's readers keep exact."""


class Parameters:
    """The parameters of a query.

    Parameters
    ----------
    given
        Names and texts; of a name that is given twice, the last.
    known
        Names that the request may have.

    Raises
    ------
    RefusedError
        If there is another name.
    """

    def __init__(self, given: Mapping[str, str], known: Sequence[str]) -> None:
        if unknown := sorted(set(given) - set(known)):
            raise RefusedError(
                f"parameter {shown(unknown[0])}: not known; expected any of {', '.join(known) or 'none'}"
            )
        self._given = {name: text for name, text in given.items() if text != ""}

    def text(self, name: str) -> str:
        """Return a text, empty where it is not given."""
        found = self._given.get(name, "")
        if len(found) > LONGEST_TEXT:
            raise RefusedError(f"{name}: {len(found):,} characters; expected {LONGEST_TEXT} at most")
        return found

    def choice(self, name: str, among: Sequence[str], default: str = "") -> str:
        """Return one of ``among``."""
        found = self._given.get(name, default)
        if found and found not in among:
            raise RefusedError(f"{name} {shown(found)}; expected one of {', '.join(among)}")
        return found

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``."""
        found = self._given.get(name)
        if found is None:
            return default
        if not (found.isascii() and found.isdecimal() and len(found) < 17 and low <= int(found) <= high):
            raise RefusedError(f"{name} {shown(found)}; expected a whole number from {low:,} to {high:,}")
        return int(found)

    def probability(self, name: str) -> float | None:
        """Return a number from 0 to 1, None where it is not given."""
        found = self._given.get(name)
        if found is None:
            return None
        try:
            value = float(found)
        except ValueError:
            value = math.nan
        if not 0 <= value <= 1:
            raise RefusedError(f"{name} {shown(found)}; expected a number from 0 to 1")
        return value


def shown(value: Any) -> str:
    """Return a value as an error shows it: quoted, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def text_of(body: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
    """Return a text of a JSON body, empty where it is not there and not ``needed``."""
    found = body.get(name)
    if found is None and not needed:
        return ""
    if not isinstance(found, str):
        raise RefusedError(f"{name} {shown(found)}; expected text")
    if len(found) > LONGEST_TEXT:
        raise RefusedError(f"{name}: {len(found):,} characters; expected {LONGEST_TEXT} at most")
    return found


def flag_of(body: Mapping[str, Any], name: str) -> bool:
    """Return true or false of a JSON body, false where it is not there."""
    found = body.get(name, False)
    if not isinstance(found, bool):
        raise RefusedError(f"{name} {shown(found)}; expected true or false")
    return found


def known_keys(body: Any, known: Sequence[str]) -> dict[str, Any]:
    """Return a JSON body that is an object with none but ``known`` keys."""
    if not isinstance(body, dict):
        raise RefusedError(f"the body is {shown(body)}; expected a JSON object")
    if unknown := sorted(set(body) - set(known)):
        raise RefusedError(f"key {shown(unknown[0])}: not known; expected any of {', '.join(known) or 'none'}")
    return body
