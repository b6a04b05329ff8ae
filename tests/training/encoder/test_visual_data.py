import cv2
import numpy as np
import pytest
import torch

from avsieve.errors import ListError
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.training.encoder.visual_data import FaceBatches, Faces, Scaled

from .recipes import face_augmentation_of


def test_a_batch_is_a_function_of_its_step(data):
    batches = FaceBatches(
        Faces(data / "list.txt", [data / "faces.tar"]), steps=4, batch=6, augmentation=face_augmentation_of(), seed=0
    )
    images, labels = batches[2]
    again, same = batches[2]
    assert images.shape == (6, 3, 112, 112)
    assert images.dtype == torch.uint8
    assert 0 < Scaled(torch.nn.Identity())(images).abs().max() <= 1
    assert torch.equal(images, again)
    assert torch.equal(labels, same)


@pytest.mark.parametrize(("channels", "blue"), [("rgb", 2), ("bgr", 0)])
def test_every_utterance_comes_once_an_epoch_in_the_order_of_the_channels(data, channels, blue):
    faces = Faces(data / "list.txt", [data / "faces.tar"], channels=channels)
    batches = FaceBatches(faces, steps=2, batch=6, seed=0)
    images, labels = (torch.cat(part) for part in zip(batches[0], batches[1], strict=True))
    assert sorted(labels.tolist()) == [0] * 4 + [1] * 4 + [2] * 4
    # Speaker a is blue.
    assert images[labels == 0].float().mean(dim=(0, 2, 3)).argmax() == blue
    # What the validation sees, and who is left when speakers are kept out, goes the same way.
    assert faces.middle(0).float().mean(dim=(1, 2)).argmax() == blue
    assert faces.of_speakers({"a"}).middle(0).float().mean(dim=(1, 2)).argmax() == blue


def test_shards_of_another_list_are_refused(data):
    (data / "other.txt").write_text("x x/v/1.wav 1.0\ny y/v/1.wav 1.0\n")
    with pytest.raises(ListError, match="2 of 2 utterances have no face"):
        Faces(data / "other.txt", [data / "faces.tar"])


def test_faces_of_another_crop_keep_their_size(data, tmp_path):
    with TarReader(data / "faces.tar") as small, TarWriter(tmp_path / "facenet160.tar") as out:
        for utterance in small.utterances:
            for name, content in small.of(utterance):
                larger = cv2.resize(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), (160, 160))
                out.add(utterance, name, cv2.imencode(".jpg", larger)[1].tobytes())
    faces = Faces(data / "list.txt", [tmp_path / "facenet160.tar"])
    images, _ = FaceBatches(faces, steps=1, batch=4, augmentation=face_augmentation_of(), seed=0)[0]
    assert images.shape == (4, 3, 160, 160)
    assert faces.middle(0).shape == (3, 160, 160)
