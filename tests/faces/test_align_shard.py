import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from avsieve.errors import TarError, TooManyFailuresError
from avsieve.faces.align import FaceAligner
from avsieve.faces.align_shard import align_shard, utterances_of
from avsieve.faces.detector import FaceDetector
from avsieve.faces.prealigned import ReadyFaces
from avsieve.storage.indexed_tar import TarReader, TarWriter
from tests.faces.face_fakes import ScriptedDetector
from tests.kills import survives_kills

IMAGE = np.random.default_rng(0).integers(0, 255, (224, 224, 3), dtype=np.uint8)
FACE = (60.0, 60.0, 100.0, 0.9)


@pytest.fixture
def shard(tmp_path):
    jpeg = cv2.imencode(".jpg", IMAGE)[1].tobytes()
    with TarWriter(tmp_path / "frames.tar") as out:
        for utterance in ("a/v/1", "a/v/2", "a/v/3", "a/v/4"):
            for name in ("0010", "0020"):
                out.add(utterance, f"{utterance}/{name}.jpg", jpeg if utterance != "a/v/4" else b"no jpeg")
    return tmp_path


def run(shard, name: str, aligner=None, workers: int = 1):
    answers = [[FACE], [FACE], [], [], [(60, 60, 100, 0.3)], []]
    return align_shard(
        ["a/v/1", "a/v/2", "a/v/3", "a/v/4", "a/v/5"],
        shard / "frames.tar",
        aligner or FaceAligner(ScriptedDetector(answers), min_score=0.5),
        faces_tar=shard / f"{name}.faces.tar",
        detections=shard / f"{name}.detections.parquet",
        workers=workers,
    )


def same_bytes(shard, one: str, other: str) -> bool:
    kinds = ("faces.tar", "faces.parquet", "detections.parquet")
    return all((shard / f"{one}.{k}").read_bytes() == (shard / f"{other}.{k}").read_bytes() for k in kinds)


def test_a_shard_keeps_faces_detections_and_a_reason_for_each_utterance(shard):
    status = run(shard, "one").frame().set_index("utterance")
    assert status["code"].to_dict() == {
        "a/v/1": "ok",
        "a/v/2": "no_face",
        "a/v/3": "low_face_score",
        "a/v/4": "image_undecodable",
        "a/v/5": "no_frames",
    }
    with TarReader(shard / "one.faces.tar") as faces:
        assert [name for name, _ in faces.of("a/v/1")] == ["a/v/1/0010.jpg", "a/v/1/0020.jpg"]
        image = cv2.imdecode(np.frombuffer(faces.read("a/v/1/0010.jpg"), np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (112, 112, 3)
    table = pq.read_table(shard / "one.detections.parquet")
    assert table.num_rows == 8
    assert table.schema.field("landmarks").type.list_size == 10
    row = table.slice(0, 1).to_pylist()[0]
    assert (row["x1"], row["y2"]) == (60.0, 160.0)
    assert row["size_px"] == pytest.approx(100)
    assert row["landmarks_106"] is None


def test_two_runs_give_equal_bytes(shard):
    run(shard, "one")
    run(shard, "two")
    assert same_bytes(shard, "one", "two")


def test_any_number_of_workers_gives_equal_bytes(shard):
    aligner = FaceAligner(FaceDetector("builtin", size="auto", min_score=0.05), min_score=0.1)
    run(shard, "one", aligner)
    run(shard, "three", aligner, workers=3)
    assert same_bytes(shard, "one", "three")


def test_frames_that_are_no_aligned_faces_are_told_so(shard):
    status = run(shard, "ready", ReadyFaces()).frame().set_index("utterance")
    assert status.loc["a/v/1", "code"] == "not_aligned"
    assert status.loc["a/v/4", "code"] == "image_undecodable"


def test_too_many_failures_stop_the_stage_and_earlier_failures_do_not_count(shard):
    status = run(shard, "one")
    with pytest.raises(TooManyFailuresError, match="3 of 4 utterances failed"):
        status.check(0.5, already_failed=1)


def test_utterances_without_frames_are_counted_as_reported_before():
    table = pd.DataFrame({"utterance": ["a", "b"], "n_frames": [0, 5]})
    assert utterances_of(table) == (["a", "b"], 1)


def test_an_alignment_that_is_killed_gives_the_same_when_it_is_run_again(shard, tmp_path):
    def work(out):
        answers = [[FACE], [FACE], [], [], [(60, 60, 100, 0.3)], []]
        align_shard(
            ["a/v/1", "a/v/2", "a/v/3"],
            shard / "frames.tar",
            FaceAligner(ScriptedDetector(answers), min_score=0.5),
            faces_tar=out / "000.faces.tar",
            detections=out / "000.detections.parquet",
        ).write(out / "000.status.parquet")

    assert survives_kills(work, tmp_path) == 5


def test_a_shard_without_utterances_has_empty_tables(shard):
    with TarWriter(shard / "none.tar"):
        pass
    status = align_shard(
        [], shard / "none.tar", FaceAligner(ScriptedDetector([]), min_score=0.5),
        faces_tar=shard / "n.faces.tar", detections=shard / "n.detections.parquet",
    )  # fmt: skip
    status.check(0.0)
    assert len(status) == 0
    with TarReader(shard / "n.faces.tar") as faces:
        assert len(faces) == 0
    assert pq.read_table(shard / "n.detections.parquet").num_rows == 0


def test_a_frame_that_was_damaged_on_the_disk_stops_the_stage_with_the_remedy(shard):
    content = bytearray((shard / "frames.tar").read_bytes())
    content[700] ^= 1
    (shard / "frames.tar").write_bytes(content)
    with pytest.raises(TarError, match=r"frames\.tar: a/v/1/0010\.jpg is not what was written .*; remove it and run"):
        run(shard, "one")
    assert not list(shard.glob("one.*"))


def with_crops(shard, name: str, workers: int = 1, kinds=("facenet160", "box112")):
    answers = [[FACE], [FACE], [], [], [(60, 60, 100, 0.3)], []]
    return align_shard(
        ["a/v/1", "a/v/2", "a/v/3", "a/v/4", "a/v/5"],
        shard / "frames.tar",
        FaceAligner(ScriptedDetector(answers), min_score=0.5, crops=kinds),
        faces_tar=shard / f"{name}.faces.tar",
        detections=shard / f"{name}.detections.parquet",
        crop_tars={kind: shard / f"{name}.{kind}.tar" for kind in kinds},
        workers=workers,
    )


def test_other_crops_have_tars_of_their_own_with_the_same_members(shard):
    run(shard, "plain")
    with_crops(shard, "more")
    assert same_bytes(shard, "plain", "more")  # what was there before does not change
    with TarReader(shard / "more.faces.tar") as faces:
        members = faces.index["name"].tolist()
    for kind, size in (("facenet160", 160), ("box112", 112)):
        with TarReader(shard / f"more.{kind}.tar") as crops:
            assert crops.index["name"].tolist() == members == ["a/v/1/0010.jpg", "a/v/1/0020.jpg"]
            image = cv2.imdecode(np.frombuffer(crops.read(members[0]), np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (size, size, 3)
    # The box of the detector, without its surroundings: noise that JPEG hardly keeps, so its means are compared.
    with TarReader(shard / "more.box112.tar") as crops:
        image = cv2.imdecode(np.frombuffer(crops.read(members[0]), np.uint8), cv2.IMREAD_COLOR)
    expected = cv2.resize(IMAGE[60:160, 60:160], (112, 112))
    blurred = [cv2.GaussianBlur(i, (15, 15), 5).astype(float) for i in (image, expected)]
    assert np.abs(blurred[0] - blurred[1]).mean() < 3
    assert not [p for p in shard.iterdir() if "plain." in p.name and "160" in p.name]


def test_a_frame_without_a_face_has_no_crop_and_is_told_as_before(shard):
    status = with_crops(shard, "more").frame()
    assert status["code"].tolist() == ["ok", "no_face", "low_face_score", "image_undecodable", "no_frames"]


def test_the_provenance_names_crops_only_where_there_are_more():
    assert "crops" not in FaceAligner(ScriptedDetector([]), min_score=0.5).facts
    assert FaceAligner(ScriptedDetector([]), min_score=0.5, crops=["box112"]).facts["crops"] == ["box112"]


def test_ready_faces_of_another_kind_have_its_size(shard):
    jpeg = cv2.imencode(".jpg", IMAGE[:160, :160])[1].tobytes()
    with TarWriter(shard / "frames.tar") as out:
        out.add("a/v/1", "a/v/1/0010.jpg", jpeg)
        out.add("a/v/2", "a/v/2/0010.jpg", cv2.imencode(".jpg", IMAGE[:112, :112])[1].tobytes())
    status = run(shard, "ready", ReadyFaces(crop="facenet160")).frame()
    assert status["code"].tolist()[:2] == ["ok", "not_aligned"]
    with TarReader(shard / "ready.faces.tar") as faces:
        assert faces.read("a/v/1/0010.jpg") == jpeg
