import numpy as np
import onnx
import torch

from avsieve.faces.detector import FaceDetector
from avsieve.training.shipped.detector import TinyDetector, anchor_points, assign, detector_loss
from avsieve.training.shipped.detector_data import DetectorImages
from avsieve.training.shipped.detector_fit import export_detector
from avsieve.training.shipped.rendered_faces import read_truth, render_people, render_person


def people(n: int = 3) -> DetectorImages:
    items = [frame for person in range(n) for frame in render_person(5, person, 1, 1)]
    boxes, marks = np.stack([i.box for i in items]), np.stack([i.landmarks for i in items])
    return DetectorImages([i.jpeg for i in items], boxes, marks, size=96, seed=3)


def test_anchors_come_in_the_order_of_the_outputs():
    points, strides, sizes = anchor_points(64, 96)
    network = TinyDetector().eval()
    scores, boxes, marks = network.raw(torch.zeros(1, 3, 64, 96))
    assert len(points) == sum(s.shape[1] for s in scores) == 2 * (8 * 12 + 4 * 6 + 2 * 3)
    assert [b.shape[2] for b in boxes] == [4] * 3
    assert [m.shape[2] for m in marks] == [10] * 3
    assert points[:3].tolist() == [[0, 0], [0, 0], [8, 0]]
    assert sizes[:2].tolist() == [16, 32]
    assert strides[-1] == 32


def test_anchors_answer_for_faces_of_their_size_around_the_middle_only():
    points, _, sizes = anchor_points(224, 224)
    face = torch.tensor([[50.0, 50.0, 170.0, 190.0]])
    owner = assign(points, sizes, face)
    mine = owner == 0
    assert mine.any()
    assert set(sizes[mine].tolist()) == {128.0}
    assert ((points[mine] - torch.tensor([110.0, 120.0])).abs() <= torch.tensor([0.22 * 120, 0.22 * 140])).all()
    assert (assign(points, sizes, torch.zeros(0, 4)) == -1).all()


def test_the_loss_falls_when_the_right_answer_is_learnt():
    torch.manual_seed(0)
    network = TinyDetector().train()
    batch = people().batch(0, 6)
    stepper = torch.optim.AdamW(network.parameters(), lr=4e-3)
    losses = []
    for _ in range(12):
        loss, _ = detector_loss(network, batch.images, batch.faces, batch.marks)
        stepper.zero_grad()
        loss.backward()
        stepper.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_an_image_without_faces_has_a_loss_too():
    loss, parts = detector_loss(TinyDetector(), torch.zeros(1, 3, 64, 64), [torch.zeros(0, 4)], [torch.zeros(0, 10)])
    assert torch.isfinite(loss)
    assert parts["box"] == 0


def test_the_export_is_dynamic_and_insightface_takes_it_for_scrfd(tmp_path):
    torch.manual_seed(0)
    export_detector(TinyDetector(), tmp_path / "d.onnx")
    assert (tmp_path / "d.onnx").stat().st_size < 600_000
    assert len(onnx.load(tmp_path / "d.onnx").graph.output) == 9
    for size in (96, 224):
        detector = FaceDetector(tmp_path / "d.onnx", size=size, min_score=0.9)
        assert not detector.made_dynamic
        assert detector.detect(np.zeros((80, 60, 3), np.uint8)).landmarks.shape == (0, 5, 2)


def test_training_images_are_a_function_of_their_index_and_keep_landmarks_in_order():
    images = people()
    faces = 0
    for index in range(24):
        image, boxes, marks = images.image(index)
        assert image.shape == (96, 96, 3)
        assert np.array_equal(image, images.image(index)[0])
        faces += len(boxes)
        for box, mark in zip(boxes, marks, strict=True):
            assert box[0] < box[2]
            assert mark[0, 0] < mark[1, 0]
            assert mark[3, 0] < mark[4, 0]
    assert faces > 12


def test_rendered_people_are_a_shard_with_truth_and_list(tmp_path):
    files = [tmp_path / name for name in ("people.tar", "people.truth.parquet", "people.txt")]
    render_people(*files, seed=5, first=3, people=1, scenes=2, frames=2)
    truth = read_truth(files[1])
    assert truth["name"].tolist()[:2] == ["p00003/v000/00001/0010.jpg", "p00003/v000/00001/0020.jpg"]
    assert len(truth["landmarks"][0]) == 10
    assert files[2].read_text().splitlines()[1] == "p00003 p00003/v001/00001.wav 1.600"
