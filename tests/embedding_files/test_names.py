from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from avsieve.embedding_files.names import image_parts, is_image, text_of


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (" a/v/1 ", "a/v/1"),
        ("Zoë/v/1".encode(), "Zoë/v/1"),
        ("Zoë/v/1".encode("latin-1"), "Zoë/v/1"),
        (b"a/v/1\0\0", "a/v/1"),
        (None, ""),
        (float("nan"), ""),
        (7, "7"),
        (pd.NA, ""),
        (pd.NaT, ""),
        (np.ones(2), "[1. 1.]"),  # no id, and told as one that is not
        (torch.ones(2), "tensor([1., 1.])"),
    ],
)
def test_names_of_any_kind_become_text(name: Any, text: str) -> None:
    assert text_of(name) == text


def test_pictures_are_told_by_their_ending() -> None:
    assert is_image("a/v/1/0010.JPG")
    assert is_image("x.tiff")
    assert not is_image("a/v/1.wav")
    assert not is_image("a/v/jpg")


def test_a_picture_has_folders_and_a_name_without_its_ending() -> None:
    assert image_parts("faces/a/v/1/0010.jpg", "faces") == ["a", "v", "1", "0010"]
    assert image_parts(r"a\v\1.png") == ["a", "v", "1"]
