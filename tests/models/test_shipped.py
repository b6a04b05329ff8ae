"""The models that ship with the package: small, accounted for, and good on people they have not seen."""

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from avsieve.encoders.embed_visual import pool
from avsieve.faces.detector import FaceDetector
from avsieve.faces.template import align_face
from avsieve.storage.provenance import sha256_of
from avsieve.synthetic.faces.backdrop import paint_backdrop
from avsieve.synthetic.faces.person import FaceRenderer, sample_face, sample_scene

MODELS = Path(str(resources.files("avsieve"))) / "models"
UNSEEN = 3  # entropy of neither the embedded corpus nor the training people


def test_all_shipped_models_are_under_three_megabytes_together():
    files = [f for f in MODELS.iterdir() if f.suffix in (".onnx", ".safetensors")]
    assert len(files) >= 3
    assert sum(f.stat().st_size for f in files) < 3_000_000


@pytest.mark.parametrize("name", ["detector.onnx", "faces.onnx", "faces_mobileface_small.safetensors"])
def test_every_visual_model_has_a_provenance_of_its_own_bytes(name):
    path = MODELS / name
    provenance = json.loads(path.with_suffix(".json").read_text())
    assert provenance["sha256"] == sha256_of(path)


@pytest.fixture(scope="module")
def people() -> list[list[list]]:
    """Eight people, four of each sex, in three scenes with two frames each."""
    found = []
    for person in range(8):
        rng = np.random.default_rng([UNSEEN, person])
        face = sample_face(rng, "m" if person % 2 else "f")
        renderers = [FaceRenderer(face, sample_scene(rng, face)) for _ in range(3)]
        found.append([[r.frame(t, float(rng.uniform(0, 0.6))) for t in (0.4, 1.6)] for r in renderers])
    return found


def test_the_detector_finds_each_face_once_with_its_landmarks_in_place(people):
    detector = FaceDetector("builtin", size=224, min_score=0.5)
    errors = []
    for frame in (frame for person in people for scene in person for frame in scene):
        found = detector.detect(frame.image)
        assert len(found.boxes) == 1
        eyes = np.linalg.norm(frame.landmarks[1] - frame.landmarks[0])
        errors.append(np.linalg.norm(found.landmarks[0] - frame.landmarks, axis=1).mean() / eyes)
    assert np.mean(errors) < 0.08


def test_the_detector_finds_nothing_in_backdrops():
    detector = FaceDetector("builtin", size=224, min_score=0.5)
    rng = np.random.default_rng(UNSEEN)
    for _ in range(20):
        scene = sample_scene(rng, sample_face(rng, "f"))
        assert len(detector.detect(paint_backdrop(scene, 224)).boxes) == 0


def test_the_encoder_finds_the_same_person_in_another_scene_among_people_of_the_same_sex(people):
    from avsieve.encoders.onnx_face import OnnxFaceEncoder

    detector = FaceDetector("builtin", size=224, min_score=0.3)
    encoder = OnnxFaceEncoder("builtin")
    vectors = []
    for scene in (scene for person in people for scene in person):
        faces = [align_face(f.image, detector.detect(f.image).landmarks[0]) for f in scene]
        vectors.append(pool(encoder.embed(np.stack(faces))))
    cosines = np.stack(vectors) @ np.stack(vectors).T
    person = np.repeat(np.arange(len(people)), 3)
    same = person[:, None] == person
    upper = np.triu(np.ones_like(same), 1)
    other = ~same & (person[:, None] % 2 == person % 2)
    assert cosines[same & upper].mean() > cosines[other & upper].mean() + 0.4
    threshold = np.quantile(cosines[other & upper], 0.95)
    assert (cosines[same & upper] > threshold).mean() > 0.9
