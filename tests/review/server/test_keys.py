from __future__ import annotations

import json
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.review.entry import Verdict
from avsieve.review.server.keys import DEFAULT, read_keys


def test_each_decision_has_a_key_of_its_own() -> None:
    keys = read_keys(None)
    assert set(Verdict) <= set(keys)
    names = [name for of in keys.values() for name in of]
    assert len(names) == len(set(names))
    keys["right"].append("x")
    assert DEFAULT["right"] == ["1"]


def test_a_file_names_others(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"right": ["a", "Enter"], "play": ["Space"]}))
    found = read_keys(tmp_path / "keys.json")
    assert (found["right"], found["play"], found["undo"]) == (["a", "Enter"], [" "], ["z"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read"),
        ("[1]", "list; expected an object such as"),
        ('{"jump": ["a"]}', "action 'jump' is not known; expected any of right, wrong_voice"),
        ('{"right": "a"}', "right 'a'; expected a list of keys such as ['1']"),
        ('{"right": []}', "right []; expected a list of keys"),
        ('{"right": [1]}', "right [1]; expected a list of keys"),
        ('{"right": ["2"]}', "key '2' is for right and for wrong_voice; expected one action a key"),
        ('{"right": ["a", "a"]}', "key 'a' is for right and for right; expected one action a key"),
    ],
)
def test_a_file_that_cannot_be_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(AvsieveError) as error:
        read_keys(tmp_path / "keys.json")
    assert told in str(error.value)
    assert str(tmp_path / "keys.json") in str(error.value)
    with pytest.raises(AvsieveError, match="cannot be read"):
        read_keys(tmp_path / "none.json")
