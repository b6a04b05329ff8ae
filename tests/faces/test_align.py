import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.faces.face_fakes import ScriptedDetector

from avsieve.errors import TooManyFailuresError
from avsieve.faces.align import align_shard, align_utterance, utterances_of
from avsieve.reasons import Reason
from avsieve.shards import ShardReader, ShardWriter

IMAGE = np.random.default_rng(0).integers(0, 255, (224, 224, 3), dtype=np.uint8)
FACE = (60.0, 60.0, 100.0, 0.9)


def clip(n: int):
    return [(f"{10 * (i + 1):04d}", IMAGE) for i in range(n)]


def test_every_frame_has_a_row_and_a_code():
    answers = [[FACE], [], [(60, 60, 100, 0.3)], [FACE, (0, 0, 40, 0.8)]]
    found = align_utterance([*clip(4), ("0050", None)], ScriptedDetector(answers), min_score=0.5)
    codes = [row.code for row in found.rows]
    assert codes == [Reason.OK, Reason.NO_FACE, Reason.LOW_FACE_SCORE, Reason.OK, Reason.IMAGE_UNDECODABLE]
    assert [row.n_faces for row in found.rows] == [1, 0, 0, 2, 0]
    assert list(found.faces) == ["0010", "0040"]
    assert found.rows[2].score == pytest.approx(0.3)
    assert 0 < found.rows[0].quality <= 1


@pytest.fixture
def shard(tmp_path):
    jpeg = cv2.imencode(".jpg", IMAGE)[1].tobytes()
    with ShardWriter(tmp_path / "frames.tar") as out:
        for utterance in ("a/v/1", "a/v/2", "a/v/3", "a/v/4"):
            for name in ("0010", "0020"):
                out.add(utterance, f"{utterance}/{name}.jpg", jpeg if utterance != "a/v/4" else b"no jpeg")
    return tmp_path


def run(shard, name: str):
    answers = [[FACE], [FACE], [], [], [(60, 60, 100, 0.3)], []]
    return align_shard(
        ["a/v/1", "a/v/2", "a/v/3", "a/v/4", "a/v/5"],
        shard / "frames.tar",
        ScriptedDetector(answers),
        faces_tar=shard / f"{name}.faces.tar",
        detections=shard / f"{name}.detections.parquet",
        min_score=0.5,
    )


def test_a_shard_keeps_faces_detections_and_a_reason_for_each_utterance(shard):
    status = run(shard, "one").frame().set_index("utterance")
    assert status["code"].to_dict() == {
        "a/v/1": "ok",
        "a/v/2": "no_face",
        "a/v/3": "low_face_score",
        "a/v/4": "image_undecodable",
        "a/v/5": "no_frames",
    }
    with ShardReader(shard / "one.faces.tar") as faces:
        assert [name for name, _ in faces.of("a/v/1")] == ["a/v/1/0010.jpg", "a/v/1/0020.jpg"]
        image = cv2.imdecode(np.frombuffer(faces.read("a/v/1/0010.jpg"), np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (112, 112, 3)
    table = pq.read_table(shard / "one.detections.parquet")
    assert table.num_rows == 8
    assert table.schema.field("landmarks").type.list_size == 10
    row = table.slice(0, 1).to_pylist()[0]
    assert (row["x1"], row["y2"]) == (60.0, 160.0)


def test_two_runs_give_equal_bytes(shard):
    run(shard, "one")
    run(shard, "two")
    for kind in ("faces.tar", "faces.parquet", "detections.parquet"):
        assert (shard / f"one.{kind}").read_bytes() == (shard / f"two.{kind}").read_bytes()


def test_too_many_failures_stop_the_stage_and_earlier_failures_do_not_count(shard):
    status = run(shard, "one")
    with pytest.raises(TooManyFailuresError, match="3 of 4 utterances failed"):
        status.check(0.5, already_failed=1)


def test_utterances_without_frames_are_counted_as_reported_before():
    table = pd.DataFrame({"utterance": ["a", "b"], "n_frames": [0, 5]})
    assert utterances_of(table) == (["a", "b"], 1)
