"""Tests for the settings that plug-ins have of their own."""

from __future__ import annotations

from typing import Any

import pytest

from avsieve.encoders.segmentation import segmentation_of
from avsieve.errors import ConfigError
from avsieve.settings import Block, Positive, filled, key


class Own(Block):
    length_s: Positive = key(2.0, "A length.")
    count: int = key(8, "A number.", ge=1)
    train: bool = key(True, "A switch.")
    weights: str | None = key(None, "A file.")
    widths: list[int] = key(lambda: [8], "Some numbers.")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"length_s": "1.5", "count": "3"}, {"length_s": 1.5, "count": 3}),
        ({"train": "false", "weights": "null"}, {"train": False, "weights": None}),
        ({"widths": ["4", "2"]}, {"widths": [4, 2]}),
        ({"weights": "12"}, {"weights": "12"}),
    ],
)
def test_text_from_the_command_line_is_read_as_yaml_would(given: dict[str, Any], read: dict[str, Any]) -> None:
    assert filled(Own, given, "own").model_dump(include=set(read)) == read


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"length_s": "long"}, "own: length_s 'long'; expected a number, above 0"),
        ({"length_s": "-1"}, "own: length_s '-1'; expected a number, above 0"),
        ({"count": "1.5"}, "own: count '1.5'; expected a whole number, at least 1"),
        ({"train": 1}, "own: train 1; expected true or false"),
        ({"lenght_s": "1"}, "own: unknown option 'lenght_s'; it has count, length_s, train, weights, widths"),
    ],
)
def test_a_value_of_another_type_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        filled(Own, given, "own")
    assert str(caught.value) == message


def test_a_segmentation_of_the_command_line_equals_that_of_a_file() -> None:
    assert segmentation_of({"name": "hops", "length_s": "1.5"}) == segmentation_of({"name": "hops", "length_s": 1.5})
