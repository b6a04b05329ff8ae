import threading
from typing import ClassVar

import cv2
import numpy as np
import onnxruntime
import pandas as pd
import pytest
from insightface.model_zoo import get_model

from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.encoders.embed_visual import embed_faces, embed_shard, pool
from avsieve.encoders.face_encoder import StagedEncoder
from avsieve.encoders.onnx_face import OnnxFaceEncoder
from avsieve.errors import ModelError
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.tables import read_table, write_table
from tests.faces.face_fakes import recognition_file, scrfd_file
from tests.kills import survives_kills


def test_pooling_normalises_each_frame_first_and_the_mean_last():
    frames = np.array([[10.0, 0.0], [0.0, 0.1]])
    assert np.allclose(pool(frames), np.sqrt([0.5, 0.5]))
    assert np.allclose(pool(frames, np.array([1.0, 3.0])), np.array([1, 3]) / np.sqrt(10))


def test_frames_that_all_weigh_nothing_still_count_alike():
    frames = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert np.allclose(pool(frames, np.zeros(2)), np.sqrt([0.5, 0.5]))


@pytest.mark.parametrize("batch", [1, 4, "batch"])
def test_an_encoder_gives_the_same_whatever_batch_its_file_fixes(tmp_path, batch):
    faces = np.random.default_rng(0).integers(0, 255, (5, 112, 112, 3), dtype=np.uint8)
    found = OnnxFaceEncoder(recognition_file(tmp_path / "m.onnx", batch=batch)).embed(faces)
    # RGB, scaled by (x - 127.5) / 127.5
    expected = (faces[..., ::-1].mean(axis=(1, 2)) - 127.5) / 127.5
    assert np.allclose(found, expected, atol=1e-4)


def test_a_detector_is_no_encoder(tmp_path):
    with pytest.raises(ModelError, match="loads it as SCRFD"):
        OnnxFaceEncoder(scrfd_file(tmp_path / "m.onnx"))


class MeanColour:
    dim = 3

    def embed(self, faces: np.ndarray) -> np.ndarray:
        found = faces.mean(axis=(1, 2)).astype(np.float32)
        found[faces.max(axis=(1, 2, 3)) == 0] = np.nan
        return found


@pytest.fixture
def faces(tmp_path):
    colours = {"a/v/1": [(200, 0, 0), (0, 200, 0)], "a/v/2": [(0, 0, 90)], "a/v/3": [(0, 0, 0)]}
    rows = []
    with TarWriter(tmp_path / "faces.tar") as out:
        for utterance, values in colours.items():
            for i, colour in enumerate(values):
                image = np.full((112, 112, 3), colour, np.uint8)
                out.add(utterance, f"{utterance}/{i:04d}.jpg", cv2.imencode(".jpg", image)[1].tobytes())
                rows.append({"utterance": utterance, "frame": f"{i:04d}", "quality": 0.5 + i, "code": "ok"})
    rows.append({"utterance": "a/v/4", "frame": "0000", "quality": np.nan, "code": "no_face"})
    write_table(tmp_path / "detections.parquet", pd.DataFrame(rows))
    return tmp_path


@pytest.mark.parametrize("batch", [1, 3])
def test_a_shard_gives_an_embedding_per_utterance_and_per_face(faces, batch):
    status = embed_shard(
        faces / "faces.tar",
        faces / "detections.parquet",
        ["a/v/1", "a/v/2", "a/v/3", "a/v/4"],
        MeanColour(),
        embeddings=faces / "out.parquet",
        frame_embeddings=faces / "frames.parquet",
        pooling="quality",
        batch=batch,
    )
    assert [row["code"] for row in status.rows] == ["ok", "ok", "embedding_not_finite", "no_faces"]
    ids, pooled = read_embeddings(faces / "out.parquet")
    assert ids == ["a/v/1", "a/v/2"]
    assert np.allclose(np.linalg.norm(pooled, axis=1), 1)
    assert np.allclose(pooled[0], np.array([1, 3, 0]) / np.sqrt(10), atol=0.02)  # weighted by quality 0.5 and 1.5
    frame_ids, single = read_embeddings(faces / "frames.parquet")
    assert frame_ids == ["a/v/1", "a/v/1", "a/v/2"]
    assert single.dtype == np.float16
    assert read_table(faces / "frames.parquet")["frame"].tolist() == ["0000", "0001", "0000"]


def test_preparing_beforehand_gives_what_insightface_gives(tmp_path):
    faces = np.random.default_rng(1).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    encoder = OnnxFaceEncoder(recognition_file(tmp_path / "m.onnx"))
    theirs = get_model(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    assert isinstance(encoder, StagedEncoder)
    expected = np.concatenate([theirs.get_feat(face) for face in faces])
    assert np.allclose(encoder.run(encoder.prepare(faces)), expected, atol=1e-6)


def test_a_staged_encoder_prepares_in_another_thread(faces):
    class Staged(MeanColour):
        threads: ClassVar[set[str]] = set()

        def prepare(self, images):
            self.threads.add(threading.current_thread().name)
            return images.mean(axis=(1, 2))

        def run(self, prepared):
            self.threads.add(threading.current_thread().name)
            return prepared.astype(np.float32)

    table = read_table(faces / "detections.parquet")
    plain = embed_faces(faces / "faces.tar", table, ["a/v/1", "a/v/2"], MeanColour(), batch=2)
    staged = embed_faces(faces / "faces.tar", table, ["a/v/1", "a/v/2"], Staged(), batch=2)
    assert Staged.threads == {"MainThread", "prefetch"}
    for utterance, found in plain.items():
        assert np.array_equal(found.embeddings, staged[utterance].embeddings)
        assert found.frames == staged[utterance].frames


@pytest.mark.gpu
@pytest.mark.skipif("CUDAExecutionProvider" not in onnxruntime.get_available_providers(), reason="no CUDA here")
def test_cuda_gives_what_the_cpu_gives():
    faces = np.random.default_rng(1).integers(0, 256, (5, 112, 112, 3), dtype=np.uint8)
    gpu = OnnxFaceEncoder("builtin", device="cuda")
    assert gpu.provider == "CUDAExecutionProvider"
    assert np.allclose(gpu.embed(faces), OnnxFaceEncoder("builtin").embed(faces), atol=1e-2)


def embed(faces, out, utterances):
    return embed_shard(
        faces / "faces.tar", faces / "detections.parquet", utterances, MeanColour(),
        embeddings=out / "000.parquet", frame_embeddings=out / "000.frames.parquet", pooling="quality", batch=2,
    )  # fmt: skip


def test_a_stage_that_is_killed_gives_the_same_when_it_is_run_again(faces, tmp_path):
    def work(out):
        embed(faces, out, ["a/v/1", "a/v/2", "a/v/3"]).write(out / "000.status.parquet")

    assert survives_kills(work, tmp_path) == 3


def test_a_shard_without_faces_or_utterances_gives_empty_tables(faces, tmp_path):
    for number, asked in enumerate((["a/v/4"], [])):
        (tmp_path / str(number)).mkdir()
        status = embed(faces, tmp_path / str(number), asked)
        assert [row["code"] for row in status.rows] == ["no_faces"] * len(asked)
        assert len(read_table(tmp_path / str(number) / "000.parquet")) == 0
        assert len(read_table(tmp_path / str(number) / "000.frames.parquet")) == 0
