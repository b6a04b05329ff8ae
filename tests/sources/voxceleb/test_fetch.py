"""From track files to clips in the store, against a stand-in for the site on this machine."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.media.ffmpeg import write_clip
from avsieve.sources.voxceleb import fetch, plan
from avsieve.sources.voxceleb.contract import Voxceleb, VoxcelebSource
from avsieve.storage.wav import wav_bytes
from avsieve.wiring.flags import flags
from tests.sources.blocks import settings

from .conftest import StandIn, write_track

pytest.importorskip("yt_dlp")
SIZE, SECONDS = 160, 4.0
BOX = 60


def place(time_s: float) -> tuple[float, float]:
    """Return left and top of the red square in the video."""
    return 20 + 20 * time_s, 60 - 8 * time_s


def boxes(start_s: float, n: int) -> np.ndarray:
    corners = np.array([place(start_s + i / 25) for i in range(n)]) - 15
    return np.column_stack([corners, np.full((n, 2), BOX)])


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return an mp4 in which a red square of 30 pixels wanders; a tone begins after 2 s."""
    folder = tmp_path_factory.mktemp("video")
    times = np.arange(int(SECONDS * 16_000)) / 16_000
    wave = np.where(times >= 2, 9000 * np.sin(2 * np.pi * 500 * times), 0).astype(np.int16)
    (folder / "s.wav").write_bytes(wav_bytes(wave))
    images = []
    for i in range(int(25 * SECONDS)):
        image = np.full((SIZE, SIZE, 3), 120, np.uint8)
        left, top = (round(v) for v in place(i / 25))
        image[top : top + 30, left : left + 30] = (0, 0, 255)
        images.append(image)
    write_clip(folder / "v.mp4", images, folder / "s.wav", size=SIZE, crf=10)
    return (folder / "v.mp4").read_bytes()


@pytest.fixture
def corpus(tmp_path: Path, site: StandIn, video: bytes) -> Path:
    """Lay out the tracks of three speakers: one whole, one half dead, one dead."""
    tracks = tmp_path / "txt"
    for name in ("id1/aliveA/00001", "id1/aliveB/00001", "id2/aliveC/00001"):
        write_track(tracks / f"{name}.txt", boxes(1.6, 30), 40)
        site.videos[name.split("/")[1]] = video
    write_track(tracks / "id1/aliveA/00002.txt", boxes(0.4, 20) / SIZE, 10, shares=True)
    write_track(tracks / "id2/aliveC/00002.txt", boxes(2, 200), 50)  # longer than the video
    (tracks / "id2/aliveC/00003.txt").write_text("FRAME X Y W H\n1 2 3\n")
    for name in ("id2/gone404", "id2/gone410", "id3/text"):
        write_track(tracks / f"{name}/00001.txt", boxes(0, 10), 0)
    site.statuses["gone410"] = 410
    site.pages["text"] = "<html><title>Nothing here</title><body>No video on this page.</body></html>"
    return tmp_path


def options(corpus: Path, site: StandIn, **changes: object) -> Voxceleb:
    given = {"tracks": corpus / "txt", "store": corpus / "store", "url": site.url}
    quick = {"sleep_s": 0.01, "timeout_s": 5, "size": 64, "format": "b", "private_addresses": True}
    return settings(Voxceleb, **given | quick | changes)


def rows_of(corpus: Path) -> pd.DataFrame:
    return plan.plan(settings(Voxceleb, tracks=corpus / "txt"))


def codes(corpus: Path, args: Voxceleb, rows: pd.DataFrame | None = None) -> dict[str, str]:
    _, status = fetch.fetch(rows_of(corpus) if rows is None else rows, args)
    table = status.frame()
    return dict(zip(table["utterance"], table["code"], strict=True))


EXPECTED = {
    "id1/aliveA/00001": "ok",
    "id1/aliveA/00002": "ok",
    "id1/aliveB/00001": "ok",
    "id2/aliveC/00001": "ok",
    "id2/aliveC/00002": "track_outside",
    "id2/aliveC/00003": "track_damaged",
    "id2/gone404/00001": "video_removed",
    "id2/gone410/00001": "video_removed",
    "id3/text/00001": "video_unavailable",
}


def test_the_living_become_clips_and_the_dead_rows_with_reasons(
    corpus: Path, site: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="avsieve")
    index, status = fetch.fetch(rows_of(corpus), options(corpus, site))
    table = status.frame()
    assert dict(zip(table["utterance"], table["code"], strict=True)) == EXPECTED
    assert index["utterance"].tolist() == list(EXPECTED)
    for row in index.itertuples():
        path = corpus / "store" / row.path
        assert (path.stat().st_size if path.exists() else 0) == row.size
    assert index.set_index("utterance").loc["id1/aliveA/00001", "duration_s"] == 30 / 25
    assert "coverage: 4 of 9 utterances there" in caplog.text
    assert "1 of 3 speakers have no clip left: id3" in caplog.text
    details = table.set_index("utterance")["detail"]
    assert "404" in details["id2/gone404/00001"]
    assert "id2/aliveC/00003.txt, line 2" in details["id2/aliveC/00003"]
    assert not [p for p in (corpus / "store/partial").rglob("*") if p.is_file() and p.stat().st_size]


def test_a_rerun_asks_for_nothing_not_even_for_what_is_gone(corpus: Path, site: StandIn) -> None:
    assert codes(corpus, options(corpus, site)) == EXPECTED
    first = site.asked()
    times = {p: p.stat().st_mtime_ns for p in (corpus / "store/clips").rglob("*.mp4")}
    site.requests.clear()
    assert codes(corpus, options(corpus, site)) == EXPECTED
    assert not site.requests
    assert {p: p.stat().st_mtime_ns for p in (corpus / "store/clips").rglob("*.mp4")} == times
    assert first["aliveA"] == first["aliveB"], "the utterances of a video share one download"


def test_each_frame_shows_the_box_of_its_time_and_the_sound_fits(corpus: Path, site: StandIn) -> None:
    codes(corpus, options(corpus, site))
    for name, n in (("id1/aliveA/00001", 30), ("id1/aliveA/00002", 20)):
        with av.open(str(corpus / "store/clips" / f"{name}.mp4")) as clip:
            frames = np.stack([f.to_ndarray(format="rgb24") for f in clip.decode(video=0)])
        assert frames.shape == (n, 64, 64, 3)
        red = (frames[..., 0] > 160) & (frames[..., 2] < 90)
        centres = np.array([[np.mean(np.nonzero(r)[1]) + 0.5, np.mean(np.nonzero(r)[0]) + 0.5] for r in red])
        assert np.abs(centres - 32).max() < 1.6
    with av.open(str(corpus / "store/clips/id1/aliveA/00001.mp4")) as clip:
        rate = clip.streams.audio[0].rate
        wave = np.concatenate([f.to_ndarray().mean(axis=0) for f in clip.decode(audio=0)])
    assert np.argmax(np.abs(wave) > 0.08) / rate == pytest.approx(2.0 - 1.6, abs=0.02)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(corpus: Path, site: StandIn, video: bytes) -> None:
    third = len(video) // 3
    site.drops_after["aliveB"] = third + 5
    rows = rows_of(corpus)
    rows = rows[rows["utterance"].str.startswith("id1/aliveB")]
    assert codes(corpus, options(corpus, site, retries=6), rows) == {"id1/aliveB/00001": "ok"}
    begins = [int(span.removeprefix("bytes=").partition("-")[0]) for _, span in site.requests if span not in ("", None)]
    assert any(b >= third for b in begins)


def test_what_may_pass_is_asked_for_again_and_what_is_gone_only_after_its_days(corpus: Path, site: StandIn) -> None:
    site.statuses |= {"aliveB": 503, "aliveC": 429}
    found = codes(corpus, options(corpus, site, retries=1))
    assert (found["id1/aliveB/00001"], found["id2/aliveC/00001"]) == ("download_failed", "site_throttled")
    site.statuses.clear()
    site.videos["gone410"] = site.videos["aliveA"]
    site.requests.clear()
    assert codes(corpus, options(corpus, site)) == EXPECTED
    assert set(site.asked()) == {"aliveB", "aliveC"}
    ledger = corpus / "store/ledger/id2.jsonl"
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    ledger.write_text("".join(json.dumps(line | {"when": "2020-01-01T00:00:00+00:00"}) + "\n" for line in lines))
    assert codes(corpus, options(corpus, site, ask_again_days=30))["id2/gone410/00001"] == "ok"


def test_what_was_private_is_asked_for_again_with_cookies(corpus: Path, site: StandIn) -> None:
    site.statuses["aliveB"] = 401
    rows = rows_of(corpus)
    rows = rows[rows["utterance"].str.startswith("id1/aliveB")]
    assert codes(corpus, options(corpus, site), rows) == {"id1/aliveB/00001": "video_private"}
    site.statuses.clear()
    assert codes(corpus, options(corpus, site), rows) == {"id1/aliveB/00001": "video_private"}
    cookies = corpus / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n")
    assert codes(corpus, options(corpus, site, cookies=cookies), rows) == {"id1/aliveB/00001": "ok"}
    assert cookies.read_text() == "# Netscape HTTP Cookie File\n"


def test_a_site_that_refuses_again_and_again_is_left_alone(corpus: Path, site: StandIn) -> None:
    site.statuses |= dict.fromkeys(("aliveA", "aliveB", "aliveC", "gone404", "gone410"), 403)
    with pytest.raises(AvsieveError, match=r"refused 2 videos in a row.*403"):
        codes(corpus, options(corpus, site, give_up_after=2))
    assert set(site.asked()) == {"aliveA", "aliveB"}
    site.statuses = {"gone410": 410}
    assert codes(corpus, options(corpus, site, give_up_after=2)) == EXPECTED


def test_a_file_that_cannot_be_opened_is_fetched_once_more(corpus: Path, site: StandIn, video: bytes) -> None:
    rows = rows_of(corpus)
    rows = rows[rows["utterance"].str.startswith("id1/aliveB")]
    site.videos["aliveB"] = video[:3000]
    for _ in range(3):
        assert codes(corpus, options(corpus, site), rows) == {"id1/aliveB/00001": "container_broken"}
    asked = site.asked()["aliveB"]
    codes(corpus, options(corpus, site), rows)
    assert site.asked()["aliveB"] == asked
    lines = [json.loads(line) for line in (corpus / "store/ledger/id1.jsonl").read_text().splitlines()]
    assert [line["outcome"] for line in lines if line["key"].count("/") == 2] == ["later", "gone"]


def test_videos_are_kept_if_asked_and_serve_another_size(corpus: Path, site: StandIn) -> None:
    rows = rows_of(corpus)[:3]
    codes(corpus, options(corpus, site, keep_videos=True), rows)
    assert sorted(p.name for p in (corpus / "store/videos").iterdir()) == ["aliveA.mp4", "aliveB.mp4"]
    site.requests.clear()
    codes(corpus, options(corpus, site, keep_videos=True, size=80), rows)
    assert not site.requests
    with av.open(str(corpus / "store/clips/id1/aliveB/00001.mp4")) as clip:
        assert clip.streams.video[0].width == 80


def test_another_size_does_not_fetch_a_corpus_again_unawares(corpus: Path, site: StandIn) -> None:
    codes(corpus, options(corpus, site))
    site.requests.clear()
    with pytest.raises(AvsieveError, match="were made with"):
        codes(corpus, options(corpus, site, size=96))
    assert not site.requests


def test_without_yt_dlp_the_message_says_how_to_get_it(
    corpus: Path, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avsieve.sources.voxceleb.site.find_spec", lambda _: None)
    with pytest.raises(AvsieveError, match=r'pip install "yt-dlp\[default\]"'):
        codes(corpus, options(corpus, site))


def test_a_missing_file_of_cookies_is_told(corpus: Path, site: StandIn) -> None:
    with pytest.raises(AvsieveError, match="cookies"):
        codes(corpus, options(corpus, site, cookies=corpus / "none.txt"))


def test_a_killed_fetch_is_taken_up_and_nothing_is_done_twice(
    corpus: Path, site: StandIn, video: bytes, repository: Path
) -> None:
    site.bytes_per_s["aliveB"] = 60_000
    rows = rows_of(corpus)
    rows.to_parquet(corpus / "plan.parquet")
    script = [sys.executable, str(repository / "workflow/scripts/fetch_media.py"), "voxceleb"]
    given = options(corpus, site, sleep_s=0).model_dump(include={*VoxcelebSource.fetch_keys})
    script += ["--plan", str(corpus / "plan.parquet"), *shlex.split(flags(given))]
    script += ["--index", str(corpus / "i.parquet"), "--status", str(corpus / "s.parquet"), "--max-failed", "0.9"]
    environment = os.environ | {"PYTHONPATH": str(repository / "src")}
    process = subprocess.Popen(script, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
    folder = corpus / "store/partial/id1/aliveB"
    begun = time.monotonic()
    while not any(p.stat().st_size > 8192 for p in folder.glob("media.*.part")) and time.monotonic() - begun < 30:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (part,) = folder.glob("media.*.part")
    lies_there = part.stat().st_size
    assert 0 < lies_there < len(video)
    assert not (corpus / "i.parquet").exists()
    done = {p: p.stat().st_mtime_ns for p in (corpus / "store/clips").rglob("*.mp4")}
    assert len(done) == 2
    site.bytes_per_s.clear()
    site.requests.clear()
    assert subprocess.run(script, env=environment, stderr=subprocess.DEVNULL, check=False).returncode == 0
    table = pd.read_parquet(corpus / "s.parquet")
    assert dict(zip(table["utterance"], table["code"], strict=True)) == EXPECTED
    assert "aliveA" not in site.asked()
    assert {p: p.stat().st_mtime_ns for p in done} == done
    begins = [int(span.removeprefix("bytes=").partition("-")[0]) for v, span in site.requests if v == "aliveB" and span]
    assert max(begins) >= lies_there
    shutil.rmtree(corpus / "store/partial", ignore_errors=True)
    for line in (corpus / "store/ledger/id1.jsonl").read_text().splitlines():
        json.loads(line)
