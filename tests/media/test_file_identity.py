"""Another file than the one that was indexed is never read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from avsieve.media import extract as extraction
from avsieve.media.decode import decode_clip, probe_duration_s
from avsieve.media.extract import extract_shard
from avsieve.media.file_identity import ChangedError, Mark, image_files, images_stamp
from avsieve.media.index import IMAGES, IndexedClip, Place, file_place, media_table, slice_of
from avsieve.media.slices import FileSlice, MediaSlice, open_slice, read_slice
from avsieve.storage.reasons import Reason

SETTINGS = {"interval_s": 0.4, "jpeg_quality": 90, "min_audio_s": 0.5}


def indexed(root: Path, name: str) -> MediaSlice:
    return slice_of(file_place(root, name), root)


@pytest.fixture
def root(clips: Path, tmp_path: Path) -> Path:
    """Return a folder with a clip and its sound."""
    shutil.copy(clips / "plain.mp4", tmp_path / "1.mp4")
    shutil.copy(clips / "tone.wav", tmp_path / "1.wav")
    return tmp_path


def test_a_file_that_is_as_it_was_is_read(root: Path) -> None:
    clip = decode_clip(indexed(root, "1.mp4"), indexed(root, "1.wav"))
    assert (clip.code, len(clip.frames), clip.audio_s) == (Reason.OK, 7, 3.0)


def test_a_clip_of_another_size_or_time_is_not(root: Path) -> None:
    media = indexed(root, "1.mp4")
    os.utime(root / "1.mp4", ns=(0, 1_000_000_000))
    clip = decode_clip(media)
    assert (clip.code, clip.frames, clip.wave) == (Reason.MEDIA_CHANGED, {}, None)
    assert clip.detail.startswith("1.mp4: of 1970-01-01 00:00:01.000 UTC, it was of 20")
    size = (root / "1.mp4").stat().st_size
    with (root / "1.mp4").open("ab") as handle:
        handle.write(b"x")
    assert decode_clip(media).detail == f"1.mp4: {size + 1:,} bytes, it was {size:,} bytes when it was indexed"
    assert np.isnan(probe_duration_s(media))


def test_a_nanosecond_is_enough_and_told(root: Path) -> None:
    os.utime(root / "1.mp4", ns=(0, 5))
    media = indexed(root, "1.mp4")
    os.utime(root / "1.mp4", ns=(0, 6))
    assert decode_clip(media).detail == "1.mp4: of 6 ns, it was of 5 ns when it was indexed"


def test_sound_apart_of_another_time_is_not_read_and_the_picture_is(root: Path) -> None:
    media, sound = indexed(root, "1.mp4"), indexed(root, "1.wav")
    os.utime(root / "1.wav", ns=(0, 1))
    clip = decode_clip(media, sound)
    assert (clip.code, clip.wave, len(clip.frames)) == (Reason.MEDIA_CHANGED, None, 7)
    assert clip.detail.startswith("sound: 1.wav: of ")


def test_an_empty_clip_that_was_mended_has_changed(root: Path, clips: Path) -> None:
    (root / "2.mp4").touch()
    media = indexed(root, "2.mp4")
    assert decode_clip(media).code is Reason.MEDIA_EMPTY
    shutil.copy(clips / "plain.mp4", root / "2.mp4")
    assert decode_clip(media).code is Reason.MEDIA_CHANGED


def test_a_file_that_is_replaced_while_it_is_read_is_told(root: Path) -> None:
    media = indexed(root, "1.mp4")
    with pytest.raises(ChangedError, match="replaced while it was read"), open_slice(media) as opened:
        assert opened == str(root / "1.mp4")
        shutil.copy2(root / "1.mp4", root / "new")
        (root / "new").rename(root / "1.mp4")


def test_bytes_inside_a_file_are_known_by_their_marks(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"headCONTENTtail")
    marks = "|".join(map(str, (Mark.of(-4, b"head"), Mark.of(7, b"tail"))))
    with FileSlice(path, 4, 7, marks=marks) as view:
        assert view.read() == b"CONTENT"
    for content in (b"HeadCONTENTtail", b"headCONTENTtaiL", b"headCONTENTta", b"head"):
        path.write_bytes(content)
        with pytest.raises(ChangedError, match="other bytes than were indexed"):
            FileSlice(path, 4, 7, marks=marks)
    with pytest.raises(ChangedError):
        FileSlice(path, 2, 2, marks=marks)


def test_a_mark_may_lie_over_several_files(tmp_path: Path) -> None:
    for i, part in enumerate((b"he", b"adCON", b"TENT")):
        (tmp_path / str(i)).write_bytes(part)
    paths = tuple(tmp_path / str(i) for i in range(3))
    media = MediaSlice(paths, 4, 7, marks=str(Mark.of(-4, b"head")))
    assert read_slice(media) == b"CONTENT"
    (tmp_path / "0").write_bytes(b"HE")
    with pytest.raises(ChangedError):
        read_slice(media)


def test_an_image_that_was_replaced_removed_or_added_is_told(clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a/v/u"
    folder.mkdir(parents=True)
    for name in ("0001.jpg", "0002.jpg"):
        cv2.imwrite(str(folder / name), np.full((40, 40, 3), 90, np.uint8))
    (folder / "._0001.jpg").write_bytes(b"left by a file manager")
    stamp = images_stamp((e.name, e.stat()) for e in image_files(folder))
    media = MediaSlice((folder,), 0, 2, IMAGES, stamp)
    sound = indexed(clips, "tone.wav")
    assert (decode_clip(media, sound).code, len(decode_clip(media, sound).frames)) == (Reason.OK, 2)
    (folder / "notes.txt").touch()
    assert decode_clip(media, sound).code is Reason.OK
    shutil.copy2(folder / "0001.jpg", folder / "0003.jpg")
    changed = decode_clip(media, sound)
    assert (changed.code, changed.frames) == (Reason.MEDIA_CHANGED, {})
    assert changed.detail == "u: 3 images, it had 2 when it was indexed"
    (folder / "0003.jpg").rename(folder / "0001.jpg")
    os.utime(folder / "0001.jpg", ns=(0, 1))
    assert decode_clip(media, sound).detail == "u: an image is another than when it was indexed"


def test_a_killed_extraction_is_not_taken_up_when_an_image_has_changed(clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a/v/u"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "0001.jpg"), np.full((40, 40, 3), 90, np.uint8))
    media = MediaSlice((folder,), 0, 2, IMAGES, "")
    index = media_table([])
    before = extraction.state_of(index, [(media, None)], {})
    assert extraction.state_of(index, [(media, None)], {}) == before
    cv2.imwrite(str(folder / "0001.jpg"), np.full((40, 40, 3), 91, np.uint8))
    assert extraction.state_of(index, [(media, None)], {}) != before


def test_a_changed_clip_of_a_shard_is_a_row_and_the_others_are_extracted(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "1.mp4", root / "2.mp4")
    names = ("1.mp4", "2.mp4", "gone.mp4")
    index = media_table(IndexedClip(f"a/v/{n}", "train", file_place(root, n)) for n in names)
    with (root / "1.mp4").open("ab") as handle:
        handle.write(b"x")
    tars = {"frames_tar": tmp_path / "out/f.tar", "wav_tar": tmp_path / "out/w.tar"}
    status = extract_shard(index, {"train": root}, **tars, **SETTINGS).frame()
    assert status["code"].tolist() == ["media_changed", "ok", "media_missing"]


def test_a_file_that_is_not_there_has_no_stamp(tmp_path: Path) -> None:
    assert file_place(tmp_path, "gone.mp4") == Place("gone.mp4")
