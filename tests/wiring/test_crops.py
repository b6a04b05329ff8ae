from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avsieve.config.model import parse_config
from avsieve.doctor.models import _trained_crop
from avsieve.doctor.rates import FACE_BYTES, bytes_a_face
from avsieve.errors import ConfigError
from avsieve.wiring.flags import flags
from avsieve.wiring.rules import Wiring

FACENET = {"visual": {"arch": "inception_resnet_v1", "model": "f.pt"}}
BOTH = {"faces": {"crops": ["arcface112", "facenet160"]}}


def ready(crop: str, **more: Any) -> dict[str, Any]:
    frames = {"faces": "f", "wavs": "w", "aligned": True, "crop": crop}
    return {"source": {"kind": "frames", "frames": frames}, **more}


def wired(values: dict[str, Any], repository: Path) -> Wiring:
    return Wiring({"shards": 2} | values, repository / "workflow")


def test_the_usual_crop_has_no_file_and_no_option_of_its_own(repository: Path) -> None:
    wiring = wired({}, repository)
    assert wiring.crops.others == []
    assert (wiring.crops.embedded, wiring.crops.embedded_index) == (
        "results/align/{shard}.faces.tar",
        "results/align/{shard}.faces.parquet",
    )
    assert wiring.crops.trained == ["results/align/000.faces.tar", "results/align/001.faces.tar"]
    # What a finished run was told is what it is told now: nothing reruns.
    assert "crop" not in str(flags(wiring.faces))
    assert "aligned-as" not in str(flags(wiring.faces))


def test_an_encoder_reads_the_crop_that_it_wants(repository: Path) -> None:
    wiring = wired(FACENET | BOTH, repository)
    assert wiring.crops.others == ["facenet160"]
    assert wiring.crops.embedded == "results/align/{shard}.facenet160.tar"
    assert wiring.crops.embedded_index == "results/align/{shard}.facenet160.parquet"
    assert wiring.crops.trained == ["results/align/000.faces.tar", "results/align/001.faces.tar"]
    assert str(flags(wiring.faces)).endswith("--no-aligned --crops facenet160")
    both = wired(BOTH | {"training": {"visual": {"arch": "inception_resnet_v1"}}}, repository)
    assert both.crops.trained_index == [f"results/align/{shard}.facenet160.parquet" for shard in ("000", "001")]


def test_a_crop_that_is_not_written_is_an_error_of_the_configuration() -> None:
    expected = (
        r"visual\.arch inception_resnet_v1 wants the crop facenet160, but faces\.crops has arcface112: add facenet160 "
        r"to faces\.crops \(faces are aligned anew\), or set visual\.crop to arcface112 to feed it these, resized"
    )
    with pytest.raises(ConfigError, match=expected):
        parse_config(FACENET)
    with pytest.raises(ConfigError, match=r"visual\.crop is the crop box112, but faces\.crops has arcface112, face"):
        parse_config(BOTH | {"visual": {"crop": "box112"}})
    parse_config(FACENET | BOTH)
    parse_config({"visual": FACENET["visual"] | {"crop": "arcface112"}})
    # Nothing is cut out where there are only voices, or embeddings.
    parse_config(FACENET | {"source": {"kind": "tree", "modalities": "audio", "tree": {"root": "x"}}})


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (["facenet160"], "expected arcface112 among them"),
        (["arcface112", "box112", "box112"], "box112 is named 2 times"),
        (["arcface112", "facenet"], "facenet160"),
    ],
)
def test_a_list_of_kinds_that_makes_no_sense_is_refused(kinds: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parse_config({"faces": {"crops": kinds}})


def test_a_training_without_its_crops_stops_that_training_alone(repository: Path) -> None:
    values = {"training": {"visual": {"arch": "inception_resnet_v1_112"}}}
    wiring = wired(values, repository)
    assert callable(wiring.crops.trained)
    with pytest.raises(ConfigError, match=r"training\.visual\.arch inception_resnet_v1_112 wants the crop box112"):
        wiring.crops.trained(None)
    (finding,) = _trained_crop(parse_config(values))
    assert (finding.level, finding.subject) == ("warning", "training.visual.crop")
    assert "add box112 to faces.crops" in finding.remedy
    assert _trained_crop(parse_config({})) == []


def test_ready_faces_are_of_the_kind_that_their_source_says(repository: Path) -> None:
    wiring = wired(ready("facenet160", **FACENET), repository)
    assert wiring.crops.others == []
    assert wiring.crops.embedded == "results/align/{shard}.faces.tar"
    assert str(flags(wiring.faces)).endswith("--aligned --aligned-as facenet160")
    with pytest.raises(ConfigError, match=r"onnx wants the crop arcface112, but the source's images are facenet160"):
        parse_config(ready("facenet160"))
    with pytest.raises(ConfigError, match=r"faces\.crops has facenet160, but the source's images are faces"):
        parse_config(ready("arcface112") | BOTH)
    with pytest.raises(ConfigError, match=r"frames\.crop is 'box112', and frames\.aligned is false"):
        parse_config({"source": {"kind": "frames", "frames": {"faces": "f", "wavs": "w", "crop": "box112"}}})


def test_more_crops_take_more_room() -> None:
    assert bytes_a_face(parse_config({})) == FACE_BYTES
    assert bytes_a_face(parse_config(BOTH)) == pytest.approx(FACE_BYTES * (1 + (160 / 112) ** 2), abs=1)
