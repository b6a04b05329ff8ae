import cv2
import numpy as np
import pandas as pd
import pytest

from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.tables import write_table
from avsieve.training.encoder.visual_evaluation import measure_encoder


class Colour:
    """Tells people apart by the colour of their faces."""

    dim = 3

    def embed(self, faces: np.ndarray) -> np.ndarray:
        return faces.mean(axis=(1, 2)).astype(np.float32) - 128


@pytest.fixture
def people(tmp_path):
    rows = []
    colours = {"p00000": (220, 20, 20), "p00002": (20, 220, 20), "p00001": (20, 20, 220), "p00003": (220, 220, 20)}
    with TarWriter(tmp_path / "faces.tar") as out:
        for speaker, colour in colours.items():
            for video in range(3):
                utterance = f"{speaker}/v{video}/00001"
                image = np.full((112, 112, 3), colour, np.uint8)
                out.add(utterance, f"{utterance}/0010.jpg", cv2.imencode(".jpg", image)[1].tobytes())
                rows.append({"utterance": utterance, "frame": "0010", "quality": 1.0, "code": "ok"})
    write_table(tmp_path / "detections.parquet", pd.DataFrame(rows))
    return tmp_path


def test_an_encoder_that_tells_everybody_apart_makes_no_errors(people):
    measured = measure_encoder(Colour(), people / "faces.tar", people / "detections.parquet")
    assert (measured["people"], measured["utterances"]) == (4, 12)
    assert measured["eer"] == measured["eer_same_sex"] == 0
    assert measured["own_above_nearest"] == 1
    assert measured["target_p05"] > measured["nontarget_p95"]


def test_an_encoder_that_sees_brightness_alone_does_not(people):
    class Brightness(Colour):
        def embed(self, faces: np.ndarray) -> np.ndarray:
            return np.repeat(faces.mean(axis=(1, 2, 3), dtype=np.float32)[:, None], 3, axis=1)

    measured = measure_encoder(Brightness(), people / "faces.tar", people / "detections.parquet")
    assert measured["eer"] > 0.2
