from __future__ import annotations

import pytest

from avsieve.encoders.face_input import FaceInput

RULES = FaceInput(layouts=(("face_encoder.", "bgr"), ("weight", "bgr"), ("conv", "rgb")))


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["face_encoder.conv.bias"], "bgr"),
        (["module.module.face_encoder.conv.bias"], "bgr"),
        (["conv1.weight", "weight"], "bgr"),
        (["module.weight"], "bgr"),
        (["conv"], "rgb"),
        (["conv1.weight"], None),  # no whole key of that name
        (["weights"], None),
        (["other.face_encoder.x"], None),
        ([], None),
    ],
)
def test_a_name_that_ends_in_a_dot_is_a_beginning_and_any_other_a_whole_key(
    names: list[str], order: str | None
) -> None:
    assert RULES.channels_of(names) == order


def test_the_first_rule_that_fits_counts_and_an_empty_one_fits_all() -> None:
    assert FaceInput(layouts=(("weight", "bgr"), ("", "rgb"))).channels_of(["weight"]) == "bgr"
    assert FaceInput(layouts=(("weight", "bgr"), ("", "rgb"))).channels_of([]) == "rgb"
    assert FaceInput().channels_of(["weight"]) is None
