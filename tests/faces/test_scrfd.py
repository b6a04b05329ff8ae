import numpy as np
import pytest

from avsieve.faces.detector import FaceDetector, input_size
from avsieve.faces.scrfd import blob_of, letterbox, non_maximum_suppression
from tests.faces.face_fakes import scrfd_file


@pytest.fixture
def builtin():
    return FaceDetector("builtin", size=224, min_score=0.1)


@pytest.fixture(scope="module")
def people() -> list[np.ndarray]:
    """Frames of synthetic people."""
    from avsieve.synthetic.faces.person import FaceRenderer, sample_face, sample_scene

    frames = []
    for seed in range(4):
        rng = np.random.default_rng([7, seed])
        face = sample_face(rng, "fm"[seed % 2])
        frames.append(FaceRenderer(face, sample_scene(rng, face)).frame(0.4, 0.3).image)
    return frames


@pytest.mark.parametrize("shape", [(224, 224), (180, 224), (224, 120), (300, 260), (100, 90)])
def test_results_are_those_of_insightface_to_the_bit(builtin, people, shape):
    import cv2

    for frame in people:
        image = cv2.resize(frame, shape[::-1])
        boxes, marks = builtin._scrfd.detect(image, input_size=(224, 224))
        found = builtin.detect(image)
        assert np.array_equal(found.boxes, boxes[:, :4])
        assert np.array_equal(found.scores, boxes[:, 4])
        assert np.array_equal(found.landmarks, marks)


def test_the_input_is_that_of_opencv(people):
    import cv2

    expected = cv2.dnn.blobFromImages(people, 1 / 128, (224, 224), (127.5,) * 3, swapRB=True)
    assert np.array_equal(blob_of(people), expected)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(224, 224, (224, 224)), (360, 288, (384, 288)), (1280, 720, (640, 384)), (20, 30, (32, 32))],
)
def test_auto_takes_the_size_of_the_frames(width, height, expected):
    assert input_size("auto", width, height) == expected
    assert input_size(320, width, height) == (320, 320)


def test_with_auto_an_image_is_placed_and_not_enlarged():
    image = np.full((100, 90, 3), 7, np.uint8)
    whole, scale = letterbox(image, (96, 128), enlarge=False)
    assert scale == 1
    assert np.array_equal(whole[:100, :90], image)
    assert not whole[100:].any()
    assert not whole[:, 90:].any()


def test_auto_finds_faces_where_a_fixed_size_finds_them(people):
    import cv2

    auto, fixed = (FaceDetector("builtin", size=s, min_score=0.3) for s in ("auto", 224))
    for frame in people:
        same = fixed.detect(frame)
        assert np.array_equal(auto.detect(frame).boxes, same.boxes)
        wide = cv2.copyMakeBorder(frame, 0, 30, 0, 70, cv2.BORDER_REPLICATE)
        assert np.abs(auto.detect(wide).landmarks[0] - same.landmarks[0]).max() < 4


def test_batches_give_what_single_images_give(people, builtin):
    batched = FaceDetector("builtin", size=224, min_score=0.1, batch=3)
    assert batched.batch == 3
    smaller = [people[0][:200, :180].copy()]
    for one, other in zip(batched.detect_batch(people + smaller), map(builtin.detect, people + smaller), strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-4)
        assert one.landmarks == pytest.approx(other.landmarks, abs=1e-2)


def test_clips_keep_their_frames_in_batches(people):
    batched = FaceDetector("builtin", size=224, min_score=0.1, batch=3)
    found = batched.detect_clips([people[:1], [], people[1:]])
    assert [len(clip) for clip in found] == [1, 0, 3]
    assert np.array_equal(found[2][2].boxes, batched.detect_batch(people)[3].boxes)


def test_a_network_with_one_image_built_in_is_run_one_by_one(tmp_path):
    # Its reshapes begin with 1: two images would come out as one with twice the cells.
    detector = FaceDetector(scrfd_file(tmp_path / "one.onnx"), size=64, min_score=0.5, batch=4)
    assert detector.batch == 1
    assert len(detector.detect_batch([np.zeros((64, 64, 3), np.uint8)] * 2)) == 2


def test_of_overlapping_boxes_the_first_stays():
    boxes = np.array([(0, 0, 100, 100), (10, 10, 110, 110), (200, 0, 300, 100), (5, 0, 95, 100)], np.float32)
    assert non_maximum_suppression(boxes) == [0, 2]


@pytest.mark.gpu
def test_on_a_gpu_batches_agree_with_the_cpu(people, builtin):
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has no CUDA")
    gpu = FaceDetector("builtin", size=224, min_score=0.1, device="cuda")
    assert gpu.provider == "CUDAExecutionProvider"
    assert gpu.batch > 1
    for one, other in zip(gpu.detect_batch(people), map(builtin.detect, people), strict=True):
        assert one.scores[0] == pytest.approx(other.scores[0], abs=0.02)
        assert one.landmarks[0] == pytest.approx(other.landmarks[0], abs=0.5)
