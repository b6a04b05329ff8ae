from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from avsieve.config.docs import ROOT, derived, reference
from avsieve.settings import type_in_words


def test_the_derived_files_are_in_step() -> None:
    # `make docs` writes them anew.
    assert {str(p): (ROOT / p).read_text(encoding="utf-8") for p in derived()} == {
        str(p): text for p, text in derived().items()
    }


def test_the_reference_speaks_of_values_and_not_of_python(repository: Path) -> None:
    text = reference()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    for row in rows:
        told = row.split(" | ")[2]
        assert not re.search(r"typing|Annotated|FieldInfo|NoneType|<class|\[|avsieve\.", told), row
    assert "| whole number, at least 32 and at most 2048, or `auto` |" in text


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (str | None, "text, or nothing"),
        (int | str, "whole number or text"),
        (list[Annotated[float, Field(gt=0)]], "list of number, above 0"),
        (
            Annotated[int, Field(ge=1, le=9, multiple_of=2)],
            "whole number, at least 1 and at most 9 and a multiple of 2",
        ),
        (Annotated[int, Field(ge=32)] | Literal["auto"] | None, "whole number, at least 32, or `auto`, or nothing"),
        (Literal["a", "b"] | None, "`a` or `b`, or nothing"),
        (dict[Literal["x"], float], "keys and values"),
        (str | list[str] | None, "text or list of text, or nothing"),
    ],
)
def test_every_kind_of_value_has_words(annotation: object, words: str) -> None:
    assert type_in_words(annotation) == words


def test_a_type_without_words_stops_the_reference() -> None:
    with pytest.raises(TypeError, match="no words for"):
        type_in_words(complex)
