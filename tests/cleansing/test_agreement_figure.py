from __future__ import annotations

from avsieve.cleansing.agreement import compare
from avsieve.cleansing.agreement_figure import draw

from .test_agreement import FIRST, SECOND


def test_the_picture_is_written(tmp_path):
    draw(tmp_path / "out" / "agreement.png", *compare(FIRST, SECOND), ("one", "two"))
    assert (tmp_path / "out" / "agreement.png").read_bytes().startswith(b"\x89PNG")
