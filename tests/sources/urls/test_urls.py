from __future__ import annotations

import hashlib
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from avsieve.errors import AvsieveError, ListError
from avsieve.media.cut import CutError
from avsieve.media.decode import decode_clip
from avsieve.media.ffmpeg import write_clip
from avsieve.sources.urls import clips as keep
from avsieve.sources.urls.contract import Urls, UrlsSource
from avsieve.sources.urls.table import UrlRequest, read_table
from avsieve.storage.tables import read_table as read_parquet
from avsieve.storage.tables import write_table
from avsieve.storage.wav import wav_bytes
from avsieve.wiring.flags import flags
from tests.sources.faulty_server import FaultyServer, Reply

from .url_job import Job, clip_bytes


@pytest.fixture
def job(tmp_path: Path, server: FaultyServer) -> Job:
    return Job(tmp_path, server)


def test_files_come_into_the_store_and_a_second_run_asks_for_nothing(job: Job) -> None:
    for i in range(5):
        job.add(f"id{i % 2}/v/{i}", f"/{i}.mp4", clip_bytes(i))
    assert set(job.fetch().values()) == {"ok"}
    assert all(job.stored(f"id{i % 2}/v/{i}") == clip_bytes(i) for i in range(5))
    assert job.index["path"].tolist() == [f"clips/id{i % 2}/v/{i}.mp4" for i in range(5)]
    assert job.index["size"].tolist() == [100_000] * 5
    assert job.left_over() == []
    index = job.index
    assert set(job.fetch().values()) == {"ok"}
    assert len(job.server.log) == 5
    pd.testing.assert_frame_equal(job.index, index)


def test_a_dropped_connection_is_taken_up_where_it_stopped(job: Job) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), Reply(send=30_000), Reply(send=40_000), Reply())
    assert job.fetch() == {"id1/v/1": "ok"}
    assert job.stored("id1/v/1") == clip_bytes(1)
    assert job.starts("/a.mp4") == [0, 30_000, 70_000]


def test_a_part_that_nobody_asked_for_is_not_taken_for_the_file(job: Job) -> None:
    part = Reply(206, headers={"Content-Range": "bytes 0-49999/100000"}, content=clip_bytes(1)[:50_000])
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), part, Reply())
    assert job.fetch() == {"id1/v/1": "ok"}
    assert job.stored("id1/v/1") == clip_bytes(1)
    assert job.starts("/a.mp4") == [0, 0]


def test_a_server_without_ranges_sends_it_from_the_beginning(job: Job) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), Reply(send=30_000, ranges=False), Reply(ranges=False))
    job.add("id1/v/2", "/b.mp4", clip_bytes(2), Reply(send=30_000, etag=None), Reply(etag=None))
    assert set(job.fetch().values()) == {"ok"}
    assert (job.stored("id1/v/1"), job.stored("id1/v/2")) == (clip_bytes(1), clip_bytes(2))
    assert job.starts("/b.mp4") == [0, 0]  # nothing tells whether it is still the same file


@pytest.mark.parametrize("ignores", [False, True])
def test_a_file_that_changed_meanwhile_is_never_mixed(job: Job, ignores: bool) -> None:
    new = Reply(content=clip_bytes(9), etag='"2"', ignores_if_range=ignores)
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), Reply(send=30_000), new)
    assert job.fetch() == {"id1/v/1": "ok"}
    assert job.stored("id1/v/1") == clip_bytes(9)


def test_a_length_that_is_too_long_is_not_believed_and_what_came_is_kept(job: Job) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), Reply(send=60_000), Reply(send=0))
    assert job.fetch() == {"id1/v/1": "download_failed"}
    assert "60000" in str(job.starts("/a.mp4"))
    assert len(job.left_over()) == 2
    job.server.replies["/a.mp4"] = [Reply()]
    assert job.fetch() == {"id1/v/1": "ok"}
    assert job.starts("/a.mp4")[-1] == 60_000
    job.add("id1/v/2", "/b.mp4", clip_bytes(2), Reply(claim=500))
    assert job.fetch()["id1/v/2"] == "ok"  # the second attempt hears that there is no more
    assert job.stored("id1/v/2") == clip_bytes(2)


def test_a_length_that_is_too_short_is_found_by_the_checksum(job: Job) -> None:
    sha256 = hashlib.sha256(clip_bytes(1)).hexdigest()
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), Reply(claim=-500), Reply(), rest=f"{sha256},,")
    job.add("id1/v/2", "/b.mp4", clip_bytes(2))
    assert set(job.fetch(parallel=1).values()) == {"ok"}
    assert (job.stored("id1/v/1"), job.stored("id1/v/2")) == (clip_bytes(1), clip_bytes(2))


def test_chunks_and_packed_bodies_are_read_and_cut_off_chunks_are_not_taken_for_whole(job: Job) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), Reply(chunked=True, send=20_000), Reply(chunked=True))
    job.add("id1/v/2", "/b.mp4", clip_bytes(2), Reply(gzipped=True, send=20_000), Reply(gzipped=True))
    assert set(job.fetch().values()) == {"ok"}
    assert (job.stored("id1/v/1"), job.stored("id1/v/2")) == (clip_bytes(1), clip_bytes(2))
    assert job.starts("/b.mp4") == [0, 0]


def test_a_busy_server_is_given_the_time_that_it_asks_for(job: Job) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), Reply(503, {"Retry-After": "1"}), Reply(429), Reply())
    assert job.fetch() == {"id1/v/1": "ok"}
    first, second, _ = (a.at for a in job.server.log)
    assert second - first >= 1
    job.add("id1/v/2", "/b.mp4", clip_bytes(2), Reply(503, {"Retry-After": "100000"}))
    assert job.fetch()["id1/v/2"] == "download_failed"
    assert "the server asks for 100000 s" in job.details["id1/v/2"]
    assert len(job.server.asked("/b.mp4")) == 1
    # Nor does another file wait for it, in this run: the host has asked for hours.
    job.add("id1/v/3", "/c.mp4", clip_bytes(3), Reply(503, {"Retry-After": "2"}), Reply())
    began = time.monotonic()
    assert job.fetch(parallel=1)["id1/v/3"] == "download_failed"
    assert re.search(r"was not asked again, the server asks for \d+ s of patience", job.details["id1/v/3"])
    assert time.monotonic() - began < 2
    assert job.server.asked("/c.mp4") == []


def test_what_is_no_time_to_wait_is_passed_over(job: Job) -> None:
    for k, odd in enumerate(("\xb2", "9" * 5000, "soon")):  # no numbers: the next attempt follows as usual
        job.add(f"id1/w/{k}", f"/{k}.mp4", clip_bytes(1), Reply(503, {"Retry-After": odd}), Reply())
        assert job.fetch()[f"id1/w/{k}"] == "ok"


def test_a_silent_connection_is_broken_off_and_tried_again(job: Job) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), Reply(send=30_000, stall_s=10), Reply())
    start = time.monotonic()
    assert job.fetch(timeout_s=0.3) == {"id1/v/1": "ok"}
    assert time.monotonic() - start < 5
    assert job.starts("/a.mp4") == [0, 30_000]


def test_a_connection_that_all_but_stalls_is_broken_off(job: Job) -> None:
    drip = Reply(block_pause_s=0.01, chunked=True, content=clip_bytes(1, 500), block=4)
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), drip, Reply())
    assert job.fetch(timeout_s=0.05) == {"id1/v/1": "ok"}
    assert job.stored("id1/v/1") == clip_bytes(1)


def test_what_is_gone_is_a_row_and_is_not_asked_for_again(job: Job) -> None:
    for status in (401, 403, 404, 410, 400, 500):
        job.add(f"id1/v/{status}", f"/{status}.mp4", b"", Reply(status, content=b"sorry"))
    expected = {"401": "http_forbidden", "403": "http_forbidden", "404": "http_gone", "410": "http_gone"}
    expected |= {"400": "http_refused", "500": "download_failed"}
    assert job.fetch() == {f"id1/v/{status}": code for status, code in expected.items()}
    assert len(job.server.asked("/404.mp4")) == 1
    assert len(job.server.asked("/500.mp4")) == 4
    assert job.details["id1/v/404"] == "HTTP 404 Not Found"
    before = len(job.server.log)
    job.fetch(retries=0)
    assert [a.path for a in job.server.log[before:]] == ["/500.mp4"]
    job.fetch(retries=0, ask_again_days=1e-9)
    assert len(job.server.log) == before + 1 + 6
    job.lines = [line.replace("/404.mp4", "/moved.mp4") for line in job.lines]
    job.server.files["/moved.mp4"] = clip_bytes(1)
    assert job.fetch(retries=0)["id1/v/404"] == "ok"


def test_redirects_are_followed_but_not_for_ever_and_not_out_of_the_web(job: Job) -> None:
    job.add("id1/v/1", "/a", None, Reply(302, {"Location": "/b.mp4"}))
    job.server.files["/b.mp4"] = clip_bytes(1)
    job.add("id1/v/2", "/loop", None, Reply(301, {"Location": "/loop"}))
    job.add("id1/v/3", "/file", None, Reply(302, {"Location": "file:///etc/passwd"}))
    assert list(job.fetch().values()) == ["ok", "http_refused", "http_refused"]
    assert len(job.server.asked("/loop")) == 6
    assert "file:///etc/passwd, which is not a web address" in job.details["id1/v/3"]


def test_a_page_in_place_of_a_clip_is_a_row_and_most_of_it_is_not_even_read(job: Job) -> None:
    page = Reply(content=b"<!DOCTYPE html><html>please log in" + b" " * 200_000, headers={"Content-Type": "text/html"})
    job.add("id1/v/1", "/a.mp4", b"", page)
    job.add("id1/v/2", "/b.mp4", b"no clip")
    job.add("id1/v/3", "/c.mp4", b"")
    assert job.fetch() == {"id1/v/1": "web_page", "id1/v/2": "not_media", "id1/v/3": "media_empty"}
    assert "the server sent text/html" in job.details["id1/v/1"]
    assert job.left_over() == []


def test_a_wrong_checksum_is_given_one_more_complete_attempt(job: Job) -> None:
    rest = f"{hashlib.sha256(clip_bytes(1)).hexdigest()},,"
    job.add("id1/v/1", "/a.mp4", clip_bytes(1), Reply(content=clip_bytes(7)), Reply(), rest=rest)
    job.add("id1/v/2", "/b.mp4", clip_bytes(8), rest=rest)
    assert job.fetch() == {"id1/v/1": "ok", "id1/v/2": "checksum_wrong"}
    assert job.starts("/b.mp4") == [0, 0]
    assert job.left_over() == []


@pytest.mark.parametrize(
    "reply", [Reply(), Reply(chunked=True), Reply(gzipped=True, content=clip_bytes(1) + bytes(10**6))]
)
def test_a_file_that_is_too_large_does_not_fill_the_disk(job: Job, reply: Reply) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1, 300_000), reply)
    assert job.fetch(max_bytes=250_000) == {"id1/v/1": "download_too_large"}
    assert job.left_over() == []


def test_a_full_disk_ends_the_run_with_one_error_and_loses_nothing(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1))
    job.fetch()
    job.add("id1/v/2", "/b.mp4", clip_bytes(2), Reply(send=30_000))
    job.fetch(retries=0)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=50_000))
        job.server.replies.clear()
        with pytest.raises(AvsieveError, match=r"the disk is full \(50000 bytes free, 70000 still to come\)"):
            job.fetch()
    assert set(job.fetch().values()) == {"ok"}
    assert job.starts("/a.mp4") == [0]
    assert job.starts("/b.mp4") == [0, 30_000, 30_000]


def test_a_disk_that_is_full_at_once_is_told_too(job: Job, video: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise CutError("v.mp4: ffmpeg failed: v.partial.mp4: No space left on device")

    job.add("id1/v/1", "/v.mp4", video, rest=",0.4,1.4")
    with monkeypatch.context() as patch:
        patch.setattr(keep, "cut_clip", full)
        with pytest.raises(AvsieveError, match="the disk is full"):
            job.fetch()
    assert job.fetch() == {"id1/v/1": "ok"}
    assert len(job.server.log) == 1


def test_limits_of_requests_and_of_bytes_are_kept(job: Job) -> None:
    for i in range(4):
        job.add(f"id1/v/{i}", f"/{i}.mp4", clip_bytes(i, 20_000))
    job.fetch(requests_per_s=10)
    times = sorted(a.at for a in job.server.log)
    assert times[-1] - times[0] >= 0.2  # four requests, a tenth of a second apart
    shutil.rmtree(job.store)
    start = time.monotonic()
    job.fetch(bytes_per_s=200_000)
    assert time.monotonic() - start >= 0.35


def test_coverage_is_told_at_the_end(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1))
    job.add("id1/v/2", "/b.mp4")
    with caplog.at_level(logging.INFO, logger="avsieve"):
        job.fetch()
    assert "1 of 2 utterances there: 1 gone (http_gone 1)" in caplog.text


def test_what_the_user_put_into_the_store_is_not_asked_for(job: Job) -> None:
    job.add("id1/v/1", "/a.mp4", clip_bytes(1))
    job.add("id1/v/2", "/b.mp4", clip_bytes(2), rest=f"{hashlib.sha256(clip_bytes(2)).hexdigest()},,")
    for name in "12":
        path = job.store / f"clips/id1/v/{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip_bytes(1))
    assert set(job.fetch().values()) == {"ok"}
    assert [a.path for a in job.server.log] == ["/b.mp4"]  # the second has not the checksum of the table
    assert job.stored("id1/v/2") == clip_bytes(2)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three seconds whose brightness rises, with a tone."""
    folder = tmp_path_factory.mktemp("video")
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 16_000)).astype(np.int16)
    (folder / "t.wav").write_bytes(wav_bytes(tone))
    write_clip(folder / "v.mp4", [np.full((64, 64, 3), 3 * i, np.uint8) for i in range(75)], folder / "t.wav", size=64)
    return (folder / "v.mp4").read_bytes()


def test_a_url_is_asked_for_once_however_many_utterances_lie_in_it(job: Job, video: bytes) -> None:
    job.add("id1/v/1", "/v.mp4", video, rest=",0.4,1.4")
    job.add("id1/v/2", "/v.mp4", rest=",2,")
    job.add("id1/v/3", "/v.mp4")
    job.add("id1/v/4", "/v.mp4", rest=",100,101")
    job.add("id1/v/5", "/v.mp4", rest=",1,5")
    assert list(job.fetch().values()) == ["ok", "ok", "ok", "cut_failed", "ok"]
    assert job.details["id1/v/5"].startswith("the video ends early: 2.0")
    assert len(job.server.log) == 1
    assert job.stored("id1/v/3") == video
    assert job.index["duration_s"].tolist()[:3] == pytest.approx([1.0, 1.0, 3.0], abs=0.08)
    assert decode_clip(job.store / "clips/id1/v/1.mp4").video_s == pytest.approx(1.0, abs=0.001)
    job.fetch()
    assert len(job.server.log) == 1


def test_speakers_in_one_video_share_it_over_shards(job: Job, video: bytes) -> None:
    job.add("id1/v/1", "/v.mp4", video, rest=",0,1")
    job.add("id2/v/1", "/v.mp4", rest=",1,2")
    rows = job.plan()
    for i in range(2):
        assert set(job.fetch(rows[i : i + 1]).values()) == {"ok"}
    assert len(job.server.log) == 1
    assert [p.read_bytes() for p in (job.store / "videos").iterdir()] == [video]
    assert job.left_over() == []


def test_the_extension_is_the_urls_or_the_containers(job: Job) -> None:
    job.add("id1/v/1", "/a.MKV?token=1", clip_bytes(1))
    job.add("id1/v/2", "/watch?v=b", b"\x1aE\xdf\xa3" + bytes(2000))
    assert set(job.fetch().values()) == {"ok"}
    assert job.index["path"].tolist() == ["clips/id1/v/1.mkv", "clips/id1/v/2.mkv"]


def test_lines_that_cannot_be_used_are_named(job: Job) -> None:
    sha256 = "0" * 64
    for line, words in (
        ("id1/v/1,file:///etc/passwd,,,", "line 2: url 'file:///etc/passwd'; expected one that begins with http"),
        ("id1/v/1,http://,,,", "line 2: url 'http://'"),
        ("../v/1,http://x/a,,,", r"line 2: utterance id '\.\./v/1'"),
        ("id1/v/1,http://x/a,12,,", "sha256 '12'; expected 64"),
        ("id1/v/1,http://x/a,,5,4", "end 4 is not after start 5"),
        ("id1/v/1,http://x/a,,-1,", "start is '-1'; expected seconds"),
        ("id1/v/1,http://x/a,,,,more", "more values"),
        ("id1/v/1,http://x/a,,,\nid1/v/1,http://x/b,,,", "line 3: utterance id1/v/1 is listed before"),
        (f"id1/v/1,http://x/a,,,\nid1/v/2,http://x/a,{sha256},,", "is listed with the sha256"),
    ):
        job.lines = [line]
        with pytest.raises(AvsieveError, match=words):
            job.plan()
    (job.folder / "t.csv").write_text("utterance,link\n")
    with pytest.raises(ListError, match="columns utterance, link; expected utterance and url"):
        read_table(job.folder / "t.csv")
    (job.folder / "t.csv").write_text("\ufeffurl,utterance\nhttps://x/a,id1/v/1\n", encoding="utf-8")
    assert read_table(job.folder / "t.csv") == {"id1/v/1": UrlRequest("https://x/a")}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_read_however_it_was_saved(job: Job, separator: str, encoding: str) -> None:
    lines = ["", "utterance,url,start", "", "id1/v/1, https://x/a?b=1 ,2.5", " , , ", "id1/v/2,https://x/c,"]
    text = "\r\n".join(lines).replace(",", separator)
    (job.folder / "t.csv").write_bytes(text.encode(encoding))
    wanted = {"id1/v/1": UrlRequest("https://x/a?b=1", start_s=2.5), "id1/v/2": UrlRequest("https://x/c")}
    assert read_table(job.folder / "t.csv") == wanted


@pytest.mark.parametrize("more", [1, 20_000])
def test_a_quote_that_is_never_closed_loses_no_line_in_silence(job: Job, more: int) -> None:
    lines = ["utterance,url", 'id1/v/0,"https://x/0', *(f"id1/v/{n},https://x/{n}" for n in range(1, more + 1))]
    (job.folder / "t.csv").write_text("\n".join(lines))
    with pytest.raises(ListError, match="from line 2 on: quotes that do not fit"):
        read_table(job.folder / "t.csv")


def test_a_killed_download_is_taken_up_where_it_stopped(job: Job, repository: Path) -> None:
    for i in range(6):
        reply = Reply(block_pause_s=0.03) if i >= 3 else Reply()  # the last three take some 0.75 s each
        job.add(f"id{i % 2}/v/{i}", f"/{i}.mp4", clip_bytes(i), reply)
    write_table(job.folder / "plan.parquet", job.plan().assign(shard="000"))
    script = repository / "workflow" / "scripts" / "fetch_media.py"
    command = [sys.executable, str(script), "urls", "--plan", "plan.parquet", "--index", "000.parquet"]
    given = flags(Urls(store="store", parallel=2, private_addresses=True).model_dump(include={*UrlsSource.fetch_keys}))
    command += ["--status", "s.parquet", "--max-failed", "0", *shlex.split(given)]
    environment = os.environ | {"PYTHONPATH": str(repository / "src")}
    process = subprocess.Popen(command, cwd=job.folder, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    ledgers = [job.store / f"ledger/id{i}.jsonl" for i in range(2)]
    while time.monotonic() < deadline:
        half = [p for p in (job.store / "partial").glob("*.part") if 20_000 < p.stat().st_size < 80_000]
        if half and sum(p.read_text().count("\n") for p in ledgers if p.is_file()) >= 3:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (job.folder / "000.parquet").exists()
    done = [line for p in ledgers if p.is_file() for line in p.read_text().splitlines()]
    sizes = {p.stat().st_size for p in (job.store / "partial").glob("*.part")} - {0}
    assert sizes
    with ledgers[0].open("a") as handle:
        handle.write('{"key": "id0/v/4", "outco')  # and the machine went down amid a line
    before = len(job.server.log)
    job.server.replies.clear()
    subprocess.run(command, cwd=job.folder, env=environment, check=True, stderr=subprocess.DEVNULL)
    again = job.server.log[before:]
    assert len(again) == 6 - len(done)
    assert sizes <= {a.start for a in again}
    finished = [i for i in range(6) if any(f'"id{i % 2}/v/{i}"' in line for line in done)]
    assert len(finished) >= 3
    assert not {f"/{i}.mp4" for i in finished} & {a.path for a in again}
    assert all(job.stored(f"id{i % 2}/v/{i}") == clip_bytes(i) for i in range(6))
    assert job.left_over() == []
    assert read_parquet(job.folder / "000.parquet")["size"].tolist() == [100_000] * 6
    assert set(read_parquet(job.folder / "s.parquet")["code"]) == {"ok"}
