import numpy as np

from avsieve.synthetic.faces.canvas import Canvas, mirrored, spline


def square(half: float) -> np.ndarray:
    return np.array([(-half, -half), (half, -half), (half, half), (-half, half)])


def test_a_spline_passes_through_its_points():
    points = np.array([(0.0, 0.0), (1.0, 2.0), (3.0, 1.0)])
    curve = spline(points, steps=5)
    assert np.allclose(curve[[0, 5, 10]], points)


def test_a_mirrored_half_is_symmetric_and_has_its_middle_once():
    figure = mirrored([(0.0, -1.0), (1.0, 0.0), (0.0, 1.0)])
    assert figure.tolist() == [[0, -1], [1, 0], [0, 1], [-1, 0]]


def test_a_filled_square_covers_its_area():
    canvas = Canvas(50, -1, -1, 1, 1)
    canvas.fill(square(0.5), (10, 20, 30), cover=True)
    assert abs(canvas.alpha.sum() / 50**2 - 1.0) < 0.08  # OpenCV draws the edge too
    assert np.allclose(canvas.image[50, 50], (10, 20, 30))


def test_a_crop_is_painted_in_the_same_coordinates_as_the_whole():
    whole = Canvas(40, -1, -1, 1, 1)
    window = whole.window(-0.4, -0.5, 0.6, 0.4)
    part = whole.crop(window)
    for canvas in (whole, part):
        canvas.fill(square(0.25), (200, 100, 50), cover=True)
        canvas.glow((0.1, 0.1), (0.02, 0.03), (0, 0, 255), 0.5)
    assert np.allclose(whole.image[window], part.image, atol=1e-3)


def test_painting_outside_the_canvas_changes_nothing():
    canvas = Canvas(40, -1, -1, 1, 1)
    canvas.fill(square(0.2) + 5, (255, 255, 255), cover=True)
    canvas.glow((9, 9), (0.1, 0.1), (255, 255, 255), 1.0)
    canvas.strokes(square(0.2)[None] - 7, np.ones((1, 3)), 0.1, 1.0)
    assert not canvas.image.any()
