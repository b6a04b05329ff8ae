from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.decided import Decided
from avsieve.inspection.faces import faces_of
from avsieve.inspection.run_files import RunFiles, find_run
from avsieve.inspection.sheet import SIDE, draw, rows_of, write_sheet
from avsieve.inspection.worst import Worst, worst_of


@pytest.mark.parametrize("by", ["speaker", "video", "utterance"])
def test_a_sheet_shows_flagged_faces_beside_trusted_ones(by, run: RunFiles, decided: Decided, tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    worst = worst_of(decided, by, 3)
    shown = write_sheet(path, run, decided, worst)
    picture = cv2.imread(str(path))
    assert shown.items == f"3 {by}s"
    assert picture.shape[0] > 3 * SIDE
    assert (picture != 255).any(axis=2).sum() > 0.95 * shown.faces * SIDE * SIDE
    for row in rows_of(decided, worst):
        label = row.caption[0].split("/")[0]
        assert all(name.startswith(f"{label}/") for name in [*row.shown, *row.trusted])
        assert not set(row.shown) & set(row.trusted)
        trusted = [decided.row_of(name) for name in row.trusted]
        assert not decided.flagged[trusted].any()


def test_a_jpeg_is_written_for_its_ending(run: RunFiles, decided: Decided, tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.JPG", run, decided, worst_of(decided, "video", 1))
    assert (tmp_path / "sheet.JPG").read_bytes()[:2] == b"\xff\xd8"


def test_faces_are_read_evenly_and_none_is_no_error(run: RunFiles, decided: Decided) -> None:
    names = decided.utterance.to_pylist()
    found = faces_of(run, names[:5], 2)
    assert list(found) == names[:5]
    assert {len(images) for images in found.values()} <= {0, 2}
    assert all(image.shape == (112, 112, 3) for images in found.values() for image in images)
    # Of frames 10, 20, 30 the first and the last, which are painted so.
    first, last = next(images for images in found.values() if images)
    assert abs(int(np.median(first[..., 0])) - 10) < 5
    assert abs(int(np.median(last[..., 0])) - 30) < 5


def test_rows_without_a_face_are_counted(decided: Decided) -> None:
    rows = rows_of(decided, worst_of(decided, "utterance", 2))
    assert draw(rows, {})[1:] == (0, 2)


def test_what_a_sheet_cannot_show_is_told(flat: Path, run: RunFiles, decided: Decided, tmp_path: Path) -> None:
    worst = worst_of(decided, "video", 1)
    with pytest.raises(AvsieveError, match=r"has no faces .* it was made from embeddings"):
        write_sheet(tmp_path / "sheet.png", find_run(flat), decided, worst)
    with pytest.raises(AvsieveError, match=r"ending '.gif'; expected .png or .jpg"):
        write_sheet(tmp_path / "sheet.gif", run, decided, worst)
    with pytest.raises(AvsieveError, match=r"nothing is flagged, so there is nothing to show"):
        write_sheet(tmp_path / "sheet.png", run, decided, Worst("video", [], []))
    assert list(tmp_path.glob("*.png")) == []
