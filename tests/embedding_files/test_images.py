"""Names of images join the utterances of their video, as BAFFN's published faces need it."""

from __future__ import annotations

import numpy as np
import pytest

from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import read_tables
from avsieve.errors import AvsieveError

WANTED = ["id1/vidA/00001", "id1/vidA/00002", "id1/vidB/00001", "id2/vidC/00001"]
IMAGES = ["id1/vidA/0000375.jpg", "id1/vidA/0000475.jpg", "id1/vidB/0000025.jpg", "id9/vidZ/0000025.JPG"]
VECTORS = np.random.default_rng(0).normal(size=(4, 1, 8)).astype(np.float32)


def save(base, names, vectors=VECTORS):
    np.save(base / "f.npy", vectors)
    (base / "l.txt").write_text("[" + ",".join(names) + "]")
    return f"{base / 'f.npy'}:{base / 'l.txt'}"


def unit(v):
    return v / np.linalg.norm(v)


def test_every_utterance_takes_the_mean_of_its_videos_images(tmp_path):
    table = read_tables(save(tmp_path, IMAGES), wanted=WANTED)
    flat = VECTORS[:, 0]
    mean = (unit(flat[0]) + unit(flat[1])) / 2
    for utterance in WANTED[:2]:
        np.testing.assert_allclose(table.embedding[table.row[utterance]], mean, atol=1e-6)
    np.testing.assert_allclose(table.embedding[table.row[WANTED[2]]], flat[2], atol=1e-6)
    assert WANTED[3] not in table.row
    (note,) = table.notes
    assert note.startswith(
        "4 names of images, which join 3 utterances: 3 by their video; 1 join none (an utterance takes"
    )


def test_with_several_rows_wanted_all_images_of_the_video_are_taken_in_order(tmp_path):
    table = read_tables(save(tmp_path, IMAGES), Options(several=True), wanted=WANTED)
    assert sorted(table.utterance) == [WANTED[0]] * 2 + [WANTED[1]] * 2 + [WANTED[2]]
    rows = [i for i, u in enumerate(table.utterance) if u == WANTED[1]]
    np.testing.assert_array_equal(table.embedding[rows], VECTORS[:2, 0])


def test_one_image_for_each_utterance_is_that_utterances(tmp_path):
    table = read_tables(save(tmp_path, [f"{u}.jpg" for u in WANTED]), wanted=WANTED)
    for i, utterance in enumerate(WANTED):
        np.testing.assert_array_equal(table.embedding[table.row[utterance]], VECTORS[i, 0])


def test_frames_in_an_utterances_folder_are_that_utterances(tmp_path):
    names = [
        f"/faces/{WANTED[0]}/0010.jpg",
        f"/faces/{WANTED[0]}/0020.jpg",
        f"/faces/{WANTED[2]}/0010.jpg",
        "/x/y/z/0.png",
    ]
    table = read_tables(save(tmp_path, names), Options(strip_prefix="/faces"), wanted=WANTED)
    assert sorted(table.utterance) == [WANTED[0], WANTED[2]]
    assert "3 by their utterance's folder; 1 join none" in table.notes[0]


def test_images_that_cannot_be_used_are_counted(tmp_path):
    vectors = VECTORS.copy()
    vectors[0] = np.nan
    table = read_tables(save(tmp_path, IMAGES, vectors), wanted=WANTED)
    np.testing.assert_allclose(table.embedding[table.row[WANTED[0]]], VECTORS[1, 0], atol=1e-6)
    assert table.notes[1].startswith("1 images without an embedding: ")


def test_images_need_a_list(tmp_path):
    with pytest.raises(AvsieveError, match=r"id1/vidA/0000375.jpg\), which join the utterances of a list"):
        read_tables(save(tmp_path, IMAGES))
    with pytest.raises(
        AvsieveError, match=r"no embedding that can be used .4 names of images, which join 0 utterances"
    ):
        read_tables(save(tmp_path, IMAGES), wanted=["id7/v/1"])
