from __future__ import annotations

import sys

import pytest

from avsieve.errors import ConfigError
from avsieve.registry import Registry

CODECS: Registry[object] = Registry("codec", {"json": "json:dumps", "wave": "wave:open", "gone": "no_such_module:x"})
PEOPLE: Registry[object] = Registry("person", {"anna": ("Anna", 31)})


def test_a_plug_in_is_imported_when_it_is_asked_for_and_not_before() -> None:
    sys.modules.pop("wave", None)
    assert list(CODECS) == ["json", "wave", "gone"]
    assert "wave" in CODECS
    assert CODECS.module("wave") == "wave"
    assert "wave" not in sys.modules
    import wave

    assert CODECS["wave"] is wave.open


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="codec 'pickle'; expected one of json, wave, gone"):
        CODECS["pickle"]
    assert "pickle" not in CODECS


def test_a_table_may_hold_the_plug_ins_themselves_which_then_tell_their_modules() -> None:
    assert PEOPLE["anna"] == ("Anna", 31)
    with pytest.raises(TypeError, match="ask it for its modules"):
        PEOPLE.module("anna")
