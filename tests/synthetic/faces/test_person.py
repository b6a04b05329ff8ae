from dataclasses import replace

import numpy as np

from avsieve.synthetic.faces.person import (
    FaceRenderer,
    contact_sheet,
    render_annotated,
    render_frames,
    sample_face,
    sample_scene,
)


def person(seed: int, sex: str = "f"):
    rng = np.random.default_rng(seed)
    face = sample_face(rng, sex)
    return face, sample_scene(rng, face)


def test_equal_seeds_give_equal_frames():
    clips = []
    for _ in range(2):
        face, scene = person(11)
        clips.append(np.stack(list(render_frames(face, scene, np.linspace(0, 1, 4), np.random.default_rng(5)))))
    assert clips[0].shape == (4, 224, 224, 3)
    assert clips[0].dtype == np.uint8
    assert np.array_equal(clips[0], clips[1])


def test_different_people_and_different_scenes_look_different():
    face, scene = person(1)
    other, _ = person(2)
    one = FaceRenderer(face, scene).frame(0.0, 0.0).image.astype(int)
    assert np.abs(one - FaceRenderer(other, scene).frame(0.0, 0.0).image).mean() > 3
    assert np.abs(one - FaceRenderer(face, person(3)[1]).frame(0.0, 0.0).image).mean() > 3


def test_landmarks_lie_in_the_box_in_template_order():
    for seed in range(6):
        face, scene = person(seed, "m" if seed % 2 else "f")
        frame = next(render_annotated(face, scene, np.zeros(1), np.random.default_rng(0)))
        (lx, ly), (rx, ry), (_, ny), (mlx, mly), (mrx, mry) = frame.landmarks
        assert lx < rx
        assert mlx < mrx
        assert (ly + ry) / 2 < ny < (mly + mry) / 2
        x1, y1, x2, y2 = frame.box
        assert (frame.landmarks >= (x1, y1)).all()
        assert (frame.landmarks <= (x2, y2)).all()


def test_the_mouth_track_opens_the_mouth_and_leaves_the_brows_alone():
    face, scene = person(4)
    renderer = FaceRenderer(face, replace(scene, blur=0.0))
    shut, wide = renderer.frame(0.0, 0.0), renderer.frame(0.0, 1.0)
    change = np.abs(shut.image.astype(int) - wide.image).mean(axis=2)
    brow = int(shut.landmarks[:2, 1].min()) - 6
    mouth_x, mouth_y = shut.landmarks[3:].mean(axis=0).astype(int)
    assert change[:brow].mean() < 0.5
    assert change[mouth_y : mouth_y + 12, mouth_x - 5 : mouth_x + 5].mean() > 10
    assert wide.box[3] > shut.box[3]


def test_lids_close_in_a_blink():
    face, scene = person(4)
    renderer = FaceRenderer(face, replace(scene, glasses="none"))
    open_, shut = renderer.frame(0.0, 0.0, lids=1.0), renderer.frame(0.0, 0.0, lids=0.0)
    x, y = open_.landmarks[0].astype(int)
    change = np.abs(open_.image.astype(int) - shut.image).mean(axis=2)
    assert change[y - 4 : y + 4, x - 8 : x + 8].mean() > 5


def test_sex_shifts_proportions_that_still_overlap():
    rng = np.random.default_rng(0)
    jaws = {sex: np.array([sample_face(rng, sex).jaw_width for _ in range(200)]) for sex in ("f", "m")}
    assert jaws["m"].mean() > jaws["f"].mean() + 0.04
    assert jaws["f"].max() > jaws["m"].min()


def test_a_contact_sheet_has_a_row_per_person_and_a_column_per_scene():
    sheet = contact_sheet([(1, 0), (1, 1)], scenes=3, size=40, gap=2)
    assert sheet.shape == (2 * 42 - 2, 3 * 42 - 2, 3)
