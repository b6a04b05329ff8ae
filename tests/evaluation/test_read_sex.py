from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.errors import ListError
from avsieve.evaluation.trial_maker import read_sex

VOX1 = "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10001\tA.J._Buckley\tm\tIreland\tdev\n"
VOX2 = "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \nid00012 ,n000012 ,m ,dev \nid00015 ,n000015 ,f ,dev \n"


@pytest.mark.parametrize(
    ("text", "sexes"),
    [
        (VOX1, {"id10001": "m"}),
        (VOX2, {"id00012": "m", "id00015": "f"}),
        (VOX2.replace("dev \n", "dev ,\n"), {"id00012": "m", "id00015": "f"}),
        ("speaker,sex\nid1,f\n", {"id1": "f"}),
    ],
)
def test_voxcelebs_tables_are_taken_as_they_are(tmp_path: Path, text: str, sexes: dict[str, str]) -> None:
    (tmp_path / "meta.csv").write_text(text)
    assert read_sex(tmp_path / "meta.csv") == sexes


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta.csv").write_text("")
    with pytest.raises(ListError, match="no table"):
        read_sex(tmp_path / "meta.csv")
