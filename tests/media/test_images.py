from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from avsieve.media.file_identity import ChangedError, image_files, images_stamp
from avsieve.media.images import read_images
from avsieve.storage.file_names import IMAGE_ENDINGS, JPEG_ENDINGS
from avsieve.storage.reasons import Reason


def save(path: Path, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, 40] if path.suffix in JPEG_ENDINGS else []  # another than it is read with
    coded = cv2.imencode(path.suffix, image, options)[1]
    path.write_bytes(coded.tobytes())


def test_images_whose_names_would_coincide_or_are_odd_are_all_there_in_order(tmp_path: Path) -> None:
    names = ["9990.jpg", "10000.JPG", "0010.jpg", "0010.png", "frame #7.jpg", "Zoë.Jpeg", "._0010.jpg", ".x.png"]
    for number, name in enumerate(names):
        image = cv2.imencode(".png" if name.endswith("png") else ".jpg", np.full((8, 8, 3), 20 * number, np.uint8))[1]
        (tmp_path / name).write_bytes(image.tobytes())
    out = read_images(tmp_path, 95)
    assert out.code is Reason.OK
    assert list(out.frames) == ["Zo=C3=AB", "frame=20=237", "0010", "0010_png", "9990", "10000"]
    assert out.frames["0010"] == (tmp_path / "0010.jpg").read_bytes()
    assert len(read_images(tmp_path, None).images) == 6


def test_jpegs_are_passed_on_and_every_other_kind_becomes_one(tmp_path: Path) -> None:
    for number, ending in enumerate(IMAGE_ENDINGS):
        save(tmp_path / f"{number}{ending}", 100)
    frames = read_images(tmp_path, 95).frames
    assert len(frames) == len(IMAGE_ENDINGS)
    for number, ending in enumerate(IMAGE_ENDINGS):
        assert frames[str(number)].startswith(b"\xff\xd8\xff")
        kept = frames[str(number)] == (tmp_path / f"{number}{ending}").read_bytes()
        assert kept == (ending in JPEG_ENDINGS)


def test_what_cannot_be_decoded_is_left_out_and_told(tmp_path: Path) -> None:
    save(tmp_path / "1.jpg", 9)
    (tmp_path / "2.jpg").write_bytes(b"no image")
    (tmp_path / "3.png").write_bytes(b"")
    out = read_images(tmp_path, 95)
    assert list(out.frames) == ["1"]
    assert out.code is Reason.IMAGE_UNDECODABLE
    assert out.detail == "2 of 3 images cannot be decoded: 2.jpg, 3.png"


def test_a_folder_without_images_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    assert read_images(tmp_path, 95).code is Reason.NO_FRAMES


def test_images_that_changed_since_they_were_indexed_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "1.jpg", 9)
    stamp = images_stamp((entry.name, entry.stat()) for entry in image_files(tmp_path))
    assert list(read_images(tmp_path, 95, stamp).frames) == ["1"]
    save(tmp_path / "2.jpg", 9)
    with pytest.raises(ChangedError):
        read_images(tmp_path, 95, stamp)
