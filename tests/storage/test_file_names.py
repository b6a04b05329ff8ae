from __future__ import annotations

import pytest

from avsieve.storage.file_names import path_from_text, path_to_text, shown


@pytest.mark.parametrize("path", ["id1/vA/00001.mp4", "Zoë/a b/clip#1.mp4", "a=41.mp4", "/abs/a,b.mp4"])
def test_a_path_that_is_text_stands_as_it_is(path: str) -> None:
    assert path_to_text(path) == path
    assert path_from_text(path) == path


@pytest.mark.parametrize("path", ["a|b.mp4", "caf\udce9/a=41.mp4", "a\nb.mp4", "=?x.mp4", "\udcff|=7C"])
def test_any_other_path_can_stand_in_a_table_and_comes_back(path: str) -> None:
    text = path_to_text(path)
    text.encode()
    assert "|" not in text
    assert "\n" not in text
    assert path_from_text(text) == path


def test_a_message_shows_any_name_on_one_line() -> None:
    assert shown("Zoë/caf\udce9\n") == "Zoë/caf\\xe9\\x0a"
