"""The keys of the page: one hand, no modifier; a file may name others."""

from __future__ import annotations

import json
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.storage.text_files import parsed_json

DEFAULT = {
    "right": ["1"],
    "wrong_voice": ["2"],
    "wrong_face": ["3"],
    "wrong_clip": ["4"],
    "other_speaker": ["5"],
    "unsure": ["6"],
    "play": [" "],
    "reference": ["r"],
    "suggested": ["t"],
    "undo": ["z"],
    "next": ["j", "ArrowRight"],
    "back": ["k", "ArrowLeft"],
    "opinion": ["o"],
    "spread": ["s"],
    "faster": ["f"],
}
"""Action -> its keys, as a browser's ``KeyboardEvent.key`` names them."""
_SPACE = "space"


def read_keys(path: str | Path | None) -> dict[str, list[str]]:
    """Return the keys of each action: those of a file, and the usual ones of the actions that it does not name.

    Parameters
    ----------
    path
        JSON, ``{action: [key, ...]}``; the space bar is ``" "`` or ``"space"``. None for the usual keys.

    Raises
    ------
    AvsieveError
        If it cannot be read, names an unknown action, or a key has two actions.
    """
    keys = {action: list(names) for action, names in DEFAULT.items()}
    if path is None:
        return keys
    try:
        given = parsed_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AvsieveError(f"--keys {path}: cannot be read ({error}); expected JSON such as {_example()}") from None
    if not isinstance(given, dict):
        raise AvsieveError(f"--keys {path}: {type(given).__name__}; expected an object such as {_example()}")
    for action, names in given.items():
        if action not in DEFAULT:
            raise AvsieveError(f"--keys {path}: action {action!r} is not known; expected any of {', '.join(DEFAULT)}")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
            raise AvsieveError(f"--keys {path}: {action} {names!r}; expected a list of keys such as {DEFAULT[action]}")
        keys[action] = [" " if name.lower() == _SPACE else name for name in names]
    actions: dict[str, str] = {}
    for action, names in keys.items():
        for name in names:
            if name in actions:
                raise AvsieveError(
                    f"--keys {path}: key {name!r} is for {actions[name]} and for {action}; expected one action a key "
                    "(an action that the file does not name keeps its usual keys)"
                )
            actions[name] = action
    return keys


def _example() -> str:
    return json.dumps({"right": ["1"], "play": ["space"]})
