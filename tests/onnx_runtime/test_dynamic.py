import numpy as np
import onnx
import pytest

from avsieve.errors import ModelError
from avsieve.faces.detector import FaceDetector
from avsieve.onnx_runtime.dynamic import fixed_size, make_dynamic
from tests.faces.face_fakes import scrfd_file


@pytest.fixture
def red_spot() -> np.ndarray:
    """An image that the test detector finds one face in, at (64, 64)."""
    image = np.zeros((224, 224, 3), np.uint8)
    image[64, 64] = (0, 0, 255)
    return image


def test_fixed_dimensions_are_seen_and_cleared(tmp_path):
    model = onnx.load(scrfd_file(tmp_path / "fixed.onnx", fixed=640))
    free = make_dynamic(model)
    assert fixed_size(model) == (640, 640)
    assert fixed_size(free) is None
    assert [d.dim_value for d in free.graph.output[3].type.tensor_type.shape.dim][-1] == 4


def test_a_fixed_detector_runs_at_the_size_asked_for_with_equal_results(tmp_path, red_spot):
    fixed = FaceDetector(scrfd_file(tmp_path / "a.onnx", fixed=640), size=224, min_score=0.5)
    free = FaceDetector(scrfd_file(tmp_path / "b.onnx"), size=224, min_score=0.5)
    assert fixed.made_dynamic
    assert not free.made_dynamic
    assert len(fixed.detect(red_spot).scores) > 0
    for a, b in zip(fixed.detect(red_spot), free.detect(red_spot), strict=True):
        assert np.array_equal(a, b)


def test_a_fixed_detector_asked_for_its_own_size_is_left_as_it_is(tmp_path):
    assert not FaceDetector(scrfd_file(tmp_path / "a.onnx", fixed=640), size=640, min_score=0.5).made_dynamic


def test_a_detector_that_cannot_be_made_dynamic_is_refused_with_the_cause(tmp_path):
    path = scrfd_file(tmp_path / "a.onnx", fixed=640, constant_reshape=True)
    with pytest.raises(ModelError, match=r"cannot run at 224 x 224 \(its input is fixed at 640 x 640\)"):
        FaceDetector(path, size=224, min_score=0.5)


def test_a_detector_without_landmarks_is_refused(tmp_path):
    with pytest.raises(ModelError, match="6 outputs; expected the 9"):
        FaceDetector(scrfd_file(tmp_path / "a.onnx", outputs=6), size=224, min_score=0.5)


@pytest.mark.parametrize("size", [0, 100, 225])
def test_a_size_that_is_no_multiple_of_32_is_refused(tmp_path, size):
    with pytest.raises(ModelError, match="multiple of 32"):
        FaceDetector(scrfd_file(tmp_path / "a.onnx"), size=size, min_score=0.5)


@pytest.mark.real
def test_the_real_scrfd_finds_rendered_faces_at_224_pixels(real_dir):
    from avsieve.synthetic.faces.person import FaceRenderer, sample_face, sample_scene

    detector = FaceDetector(real_dir / "models" / "scrfd_500m_kps.onnx", size=224, min_score=0.5)
    assert detector.made_dynamic
    found = 0
    for seed in range(12):
        rng = np.random.default_rng([9, seed])
        face = sample_face(rng, "m" if seed % 2 else "f")
        frame = FaceRenderer(face, sample_scene(rng, face)).frame(0.0, 0.2)
        found += len(detector.detect(frame.image).boxes) == 1
    assert found >= 11


@pytest.mark.gpu
def test_on_a_gpu_the_session_is_cuda_and_agrees_with_the_cpu(red_spot):
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has no CUDA")
    gpu = FaceDetector("builtin", size=224, min_score=0.1, device="cuda")
    cpu = FaceDetector("builtin", size=224, min_score=0.1)
    assert gpu.provider == "CUDAExecutionProvider"
    assert np.allclose(gpu.detect(red_spot).boxes, cpu.detect(red_spot).boxes, atol=0.5)
