from __future__ import annotations

import pytest

from avsieve.damage.kinds import KINDS
from avsieve.damage.settings import SIZE
from avsieve.errors import ConfigError
from avsieve.faces import template
from avsieve.settings import filled


def test_the_size_of_a_face_is_that_of_the_template() -> None:
    assert SIZE == template.SIZE


@pytest.mark.parametrize(
    ("modality", "kind", "values", "message"),
    [
        ("audio", "noise", {"snr_db": "loud"}, r"x: snr_db .loud.; expected a number"),
        ("audio", "noise", {"snr_db": 5.0, "sound": "brown"}, r"sound 'brown'; expected `white` or `pink` or"),
        ("audio", "clipping", {"clipped": 1.5}, r"clipped 1\.5; expected a number, at least 0 and at most 1"),
        ("audio", "short", {"seconds": 0.0}, r"seconds 0\.0; expected a number, above 0"),
        ("visual", "blur", {"kernel": 4}, r"kernel 4; expected an odd number"),
        ("visual", "crop", {"pixels": 113}, r"pixels 113; expected a whole number, at least 1 and at most 112"),
        ("visual", "one_frame", {"n": 1}, r"unknown option 'n'; it has none"),
    ],
)
def test_parameters_out_of_bounds_are_told_with_what_was_expected(
    modality: str, kind: str, values: dict, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        filled(KINDS[modality][kind], values, "x")
