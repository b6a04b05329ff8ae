import numpy as np

from avsieve.faces.tracking import choose_faces, link_tracks, overlaps, prominence


def box(x: float, y: float, size: float) -> list[float]:
    return [x, y, x + size, y + size]


def frames(*rows: list[list[float]]) -> list[np.ndarray]:
    return [np.array(row, np.float32).reshape(-1, 4) for row in rows]


def test_overlap_of_equal_apart_and_half_shifted_boxes():
    a = np.array([box(0, 0, 10)])
    b = np.array([box(0, 0, 10), box(20, 20, 10), box(5, 0, 10)])
    assert np.allclose(overlaps(a, b), [[1, 0, 1 / 3]])


def test_two_moving_faces_make_two_tracks():
    found = link_tracks(frames([box(0, 0, 50), box(120, 0, 50)], [box(118, 5, 50), box(5, 2, 50)], [box(10, 4, 50)]))
    assert [t.index for t in found] == [{0: 0, 1: 1, 2: 0}, {0: 1, 1: 0}]


def test_a_track_outlives_a_short_gap_and_not_a_long_one():
    short = link_tracks(frames([box(0, 0, 50)], [], [], [box(0, 0, 50)]), max_gap=2)
    long = link_tracks(frames([box(0, 0, 50)], [], [], [], [box(0, 0, 50)]), max_gap=2)
    assert len(short) == 1
    assert len(long) == 2


def test_a_face_in_the_centre_is_more_prominent_than_one_at_the_edge_and_a_larger_one_than_a_smaller():
    assert prominence(np.array(box(62, 62, 100)), 224, 224) > prominence(np.array(box(0, 0, 100)), 224, 224)
    assert prominence(np.array(box(62, 62, 100)), 224, 224) > prominence(np.array(box(82, 82, 60)), 224, 224)


def test_the_central_face_is_chosen_although_a_bystander_scores_first_in_each_frame():
    clip = frames(*[[box(0, 0, 60), box(70 + i, 60, 90)] for i in range(4)])
    assert choose_faces(clip, 224, 224) == {0: 1, 1: 1, 2: 1, 3: 1}


def test_a_passing_large_face_does_not_take_over_for_one_frame():
    clip = frames([box(70, 60, 90)], [box(70, 60, 90), box(0, 0, 150)], [box(71, 60, 90)])
    assert choose_faces(clip, 224, 224) == {0: 0, 1: 0, 2: 0}


def test_after_a_cut_the_new_central_face_fills_in_and_a_small_one_at_the_edge_does_not():
    clip = frames([box(70, 60, 90)], [box(70, 60, 90)], [box(100, 90, 80)], [box(0, 180, 20)])
    assert choose_faces(clip, 224, 224) == {0: 0, 1: 0, 2: 0}


def test_frames_without_faces_give_nothing():
    assert choose_faces(frames([], []), 224, 224) == {}
