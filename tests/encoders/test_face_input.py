from __future__ import annotations

import pytest
import torch

from avsieve.encoders.face_input import FaceInput, whiten

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


def test_each_image_is_whitened_by_itself_as_facenet_does() -> None:
    pixels = torch.randint(0, 256, (3, 3, 160, 160), generator=torch.Generator().manual_seed(0)).float()
    pixels[1] = pixels[1] * 0.1 + 200
    found = FaceInput(160, whitened=True).prepare(pixels / 127.5 - 1)
    for image, expected in zip(found, pixels, strict=True):
        expected = expected.double()
        deviation = max(float(expected.std(correction=0)), 1 / expected.numel() ** 0.5)
        assert torch.allclose(image.double(), (expected - expected.mean()) / deviation, atol=1e-4)
    assert torch.allclose(found.mean(dim=(1, 2, 3)), torch.zeros(3), atol=1e-4)


def test_an_image_of_one_colour_is_whitened_to_nothing() -> None:
    assert whiten(torch.full((1, 3, 8, 8), 0.25)).abs().max() < 1e-3
    assert whiten(torch.rand(2, 3, 8, 8).bfloat16()).dtype == torch.bfloat16
