from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.storage import paths as P
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.wav import samples_of
from tests.review.server.conftest import Make, Server

VOICE = "/media/voice/0.wav"


@pytest.fixture(scope="module")
def sound(results: Path) -> bytes:
    """Return the voice of row 0, read by other means."""
    for tar in sorted(P.below(results, P.extract.folder).glob("*.wav.tar")):
        with TarReader(tar) as reader:
            if "id00001/v0-01_Aa/00001.wav" in reader:
                return reader.read("id00001/v0-01_Aa/00001.wav")
    raise AssertionError("no tar has the first voice")


def test_a_voice_is_what_the_tar_holds(server: Server, sound: bytes) -> None:
    found = server.client.get(VOICE)
    assert (found.status_code, found.content) == (200, sound)
    assert found.headers["content-type"] == "audio/wav"
    assert found.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("0-99", 0, 99),
        ("44-44", 44, 44),
        ("100-", 100, None),
        ("-50", -50, None),
        ("10-99999999", 10, None),
        ("-99999999", 0, None),
    ],
)
def test_a_range_is_answered_with_its_bytes(
    server: Server, sound: bytes, asked: str, first: int, last: int | None
) -> None:
    found = server.client.get(VOICE, headers={"Range": f"bytes={asked}"})
    first = max(len(sound) + first, 0) if first < 0 else first
    last = len(sound) - 1 if last is None else last
    assert found.status_code == 206
    assert found.headers["content-range"] == f"bytes {first}-{last}/{len(sound)}"
    assert found.content == sound[first : last + 1]
    assert int(found.headers["content-length"]) == last + 1 - first


@pytest.mark.parametrize("asked", ["{size}-", "{size}-{size}", "999999999-", "-0", "999999999999999999-"])
def test_a_range_past_the_end_is_told_the_size(server: Server, sound: bytes, asked: str) -> None:
    text = asked.format(size=len(sound))
    found = server.client.get(VOICE, headers={"Range": f"bytes={text}"})
    assert found.status_code == 416
    assert found.headers["content-range"] == f"bytes */{len(sound)}"
    assert found.json()["error"].startswith(f"range 'bytes={text}'")


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-9,20-29", "bytes=0-0,-1", "bytes=", "bytes=-", "bytes=9-5", "bytes=a-b", "items=0-9", "bytes=٣-٤"],
)
def test_several_ranges_or_none_that_can_be_read_are_answered_whole(server: Server, sound: bytes, asked: str) -> None:
    found = server.client.get(VOICE, headers={"Range": asked.encode()})
    assert (found.status_code, found.content) == (200, sound)


def test_a_range_of_another_version_is_answered_whole(server: Server, sound: bytes) -> None:
    tag = server.client.get(VOICE).headers["etag"]
    part = server.client.get(VOICE, headers={"Range": "bytes=0-9", "If-Range": tag})
    assert (part.status_code, part.content) == (206, sound[:10])
    for other in ('"another"', f"W/{tag}", "Sat, 28 Nov 2026 00:00:00 GMT"):
        whole = server.client.get(VOICE, headers={"Range": "bytes=0-9", "If-Range": other})
        assert (whole.status_code, whole.content) == (200, sound)


def test_what_is_there_already_is_not_sent_again(server: Server) -> None:
    tag = server.client.get(VOICE).headers["etag"]
    found = server.client.get(VOICE, headers={"If-None-Match": tag})
    assert (found.status_code, found.content) == (304, b"")
    assert server.client.get(VOICE, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_browser_may_keep_what_the_address_names_the_version_of(server: Server) -> None:
    address = server.get("/api/item/id00001/v0-01_Aa/00001")["voice"]
    assert "immutable" in server.client.get(address).headers["cache-control"]
    assert server.client.get(VOICE + "?v=00000000").headers["cache-control"] == "private, no-cache"


def test_faces_are_jpegs_evenly_over_the_clip(server: Server) -> None:
    item = server.get("/api/item/id00002/v1-02_Aa/00002")
    assert [address.rpartition("/")[2].split(".")[0] for address in item["faces"]] == list("01345689")
    contents = [server.client.get(address) for address in item["faces"]]
    assert {found.headers["content-type"] for found in contents} == {"image/jpeg"}
    images = [cv2.imdecode(np.frombuffer(found.content, np.uint8), cv2.IMREAD_COLOR) for found in contents]
    assert {image.shape for image in images} == {(112, 112, 3)}


def test_peaks_are_those_of_the_samples(server: Server, sound: bytes) -> None:
    found = server.get("/media/peaks/0.json")
    samples = np.abs(samples_of(sound).astype(int))
    assert len(found["peaks"]) == 200
    assert max(found["peaks"]) == pytest.approx(samples.max() / 32768, abs=1e-4)
    assert found["peaks"][0] == pytest.approx(samples[: len(samples) // 200].max() / 32768, abs=1e-4)
    assert found["duration_s"] == pytest.approx(len(samples) / 16000, abs=0.01)


@pytest.mark.parametrize(
    "path",
    [
        "/media/voice/72.wav", "/media/voice/-1.wav", "/media/voice/0", "/media/voice/0.mp3", "/media/voice/x.wav",
        "/media/voice/99999999999999999999.wav", "/media/voice/²3.wav", "/media/voice/..%2f0.wav",
        "/media/voice/../../x.wav",
        "/media/face/0/10.jpg", "/media/face/0/..%2f..%2fx.jpg", "/media/face/../0/0.jpg", "/media/face/0/0.png",
        "/media/face/%2e%2e/0.jpg", "/media/face/0%00/0.jpg", "/media/peaks/0.wav", "/media/peaks/%2e%2e%2f0.json",
    ],
)  # fmt: skip
def test_only_members_of_the_run_are_served(server: Server, path: str) -> None:
    found = server.client.get(path)
    assert found.status_code == 404, path
    assert found.headers["content-type"] == "application/json"
    assert found.json()["error"]


def test_a_tar_that_is_cut_or_gone_is_told(results: Path, make: Make, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "cut" / "results")
    server = make(folder=tmp_path / "cut" / "results")
    for tar in P.below(tmp_path / "cut" / "results", P.extract.folder).glob("*.wav.tar"):
        tar.write_bytes(tar.read_bytes()[:1000])
    assert "run its stage again" in server.refused("/media/voice/0.wav", 500)
    for tar in P.below(tmp_path / "cut" / "results", P.extract.folder).glob("*.wav.tar"):
        tar.unlink()
    assert "cannot be read" in server.refused("/media/voice/0.wav", 500)
    # An utterance whose shard has no tar at all has no voice.
    assert make(folder=tmp_path / "cut" / "results").get("/api/item/id00001/v0-01_Aa/00001")["voice"] is None


def test_media_may_lie_in_other_results(many: Path, results: Path, make: Make) -> None:
    server = make(folder=many, media_from=results)
    assert server.get("/api/run")["has_voices"]
    assert len(server.get("/api/item/id00001/v0-01_Aa/00001")["faces"]) == 8
    assert server.get("/api/item/id00020/v0-20_Aa/00001")["faces"] == []
    with pytest.raises(AvsieveError, match="no plan with aligned faces or sound"):
        make(folder=results, media_from=many)
