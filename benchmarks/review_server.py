"""Time the server of `avsieve review` at VoxCeleb2's size: 1,092,009 utterances, and faces and voices of some shards.

    python benchmarks/review_server.py FOLDER            # makes up a run there (some 3 GB), then times
    python benchmarks/review_server.py FOLDER --keep     # times on what is there

The server is a process of its own and is asked over HTTP, one request after the other; times are those that a page
would wait. A decision is on the disk (fsync) before it is answered, and its answer has the next item.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import made_up_run
import numpy as np
import pandas as pd

from avsieve.storage import paths as P
from avsieve.storage.ids import shard_names
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.jpeg import jpeg_of
from avsieve.storage.wav import SAMPLE_RATE, wav_bytes

SHARDS, FACES, VOICE_S, PAGE = 4, 20, 4, 20
"""Shards with media, faces and seconds of an utterance there, and rows of a page of the table."""


def make_media(results: Path, shards: Sequence[str], faces: int = FACES, voice_s: float = VOICE_S) -> None:
    """Write faces and voices of some shards; they are noise of a usual size."""
    rng = np.random.default_rng(0)
    soft = np.kron(rng.integers(0, 255, (14, 14, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    images = [jpeg_of(np.roll(soft, k, axis=0), 90) for k in range(faces)]
    voice = wav_bytes(rng.normal(0, 2000, int(voice_s * SAMPLE_RATE)).astype(np.int16))
    for shard in shards:
        names = pd.read_parquet(P.below(results, P.plan.shard, shard=shard), columns=["utterance"])["utterance"]
        with TarWriter(P.below(results, P.align.faces, shard=shard)) as tar:
            for name in names:
                for k, content in enumerate(images, start=1):
                    tar.add(name, f"{name}/{10 * k:04d}.jpg", content)
        with TarWriter(P.below(results, P.extract.wav, shard=shard)) as tar:
            for name in names:
                tar.add(name, f"{name}.wav", voice)


class Server:
    """The server in a process of its own, and a connection to it."""

    def __init__(self, results: Path, reviews: Path) -> None:
        begin = time.monotonic()
        options = ["--no-browser", "--reviewer", "bench", "--reviews", str(reviews)]
        command = [sys.executable, "-m", "avsieve", "review", str(results), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        told = ""
        assert self.process.stdout is not None
        while "Ctrl+C" not in told:
            if not (line := self.process.stdout.readline()):
                raise SystemExit(f"{' '.join(command)} ended: {told}")
            told += line
        self.started = time.monotonic() - begin
        found = re.search(r"127\.0\.0\.1:(\d+)/\?token=([\w-]+)", told)
        assert found is not None
        self.connection = http.client.HTTPConnection("127.0.0.1", int(found[1]))
        self.headers = {"Authorization": f"Bearer {found[2]}", "Content-Type": "application/json"}

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[float, bytes]:
        """Return how long an answer took, in milliseconds, and the answer."""
        begin = time.perf_counter()
        method, content = ("GET", None) if body is None else ("POST", json.dumps(body))
        self.connection.request(method, path, content, {**self.headers, **headers})
        answer = self.connection.getresponse()
        found = answer.read()
        taken = 1000 * (time.perf_counter() - begin)
        if answer.status >= 300:
            raise SystemExit(f"{path}: {answer.status} {found[:300]!r}")
        return taken, found

    def memory_mb(self, name: str = "VmHWM") -> float:
        """Return the most memory that the server has used, or has now (VmRSS), in MB (Linux)."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{name}:\s+(\d+)", text)
        return int(found[1]) / 1024 if found else float("nan")

    def end(self) -> None:
        """End the server, and wait for it."""
        self.process.terminate()
        self.process.wait()


def tell(what: str, *milliseconds: float) -> None:
    """Print one time, or the median and the worst of several."""
    if len(milliseconds) == 1:
        print(f"{milliseconds[0]:8.1f} ms                 {what}", flush=True)
    else:
        worst, count = max(milliseconds), len(milliseconds)
        print(f"{statistics.median(milliseconds):8.1f} ms, worst {worst:6.1f}  {what} ({count} times)", flush=True)


def fsync_ms(folder: Path, times: int = 100) -> list[float]:
    """Return how long the disk takes to keep a line, for comparison."""
    found = []
    with (folder / "fsync").open("ab", buffering=0) as file:
        for _ in range(times):
            begin = time.perf_counter()
            file.write(b"x" * 200 + b"\n")
            os.fsync(file.fileno())
            found.append(1000 * (time.perf_counter() - begin))
    return found


def tables(server: Server) -> None:
    """Time pages of the table."""
    deep = f"/api/table?sort=p&limit={PAGE}&offset={(50_000 - 1) * PAGE}"
    filtered = "/api/table?sort=audio_sim&order=asc&flagged=yes&p_min=0.8&limit=100"
    for what, path in (
        ("first page, 100 rows by p", "/api/table?limit=100"),
        (f"page 50,000 of {PAGE} rows by p", deep),
        ("two filters, another column's order", filtered),
        ("search in the ids, one that is rare", "/api/table?q=00007&limit=100"),
        ("search in the ids and a filter", "/api/table?q=id0000&flagged=yes&limit=100"),
        ("filter by what is reviewed", "/api/table?reviewed=no&limit=100"),
    ):
        tell(f"{what}, the first time", server.ask(path)[0])
        tell(f"{what}, again", *[server.ask(path)[0] for _ in range(20)])


def decisions(server: Server, queue: str, times: int) -> None:
    """Time decisions, each with the next item in its answer."""
    taken, page = server.ask(f"/api/queue/{queue}?limit=1")
    tell(f"queue {queue}, first item", taken)
    item = json.loads(page)["items"][0]
    found = []
    for _ in range(times):
        body = {"utterance": item["utterance"], "decision": "wrong_clip", "place": item["place"]}
        body |= {"stands": item["decision"] or "", "act": secrets.token_hex(12)}
        taken, answer = server.ask("/api/decide", body)
        found.append(taken)
        item = json.loads(answer)["next"]
    tell(f"queue {queue}, decision to next item, fsync included", *found)


def many(server: Server, count: int) -> None:
    """Time decisions that are noted 500 at once, ``count`` in all."""
    found = []
    for offset in range(0, count, 500):
        rows = json.loads(server.ask(f"/api/table?sort=utterance&order=asc&limit=500&offset={offset}")[1])["rows"]
        wanted = [{"utterance": r["utterance"], "decision": "right", "stands": r["decision"] or ""} for r in rows]
        body = {"decisions": wanted, "act": secrets.token_hex(12)}
        found.append(server.ask("/api/decide_many", body)[0])
    tell(f"500 decisions at once, up to {count:,}", *found)


def media(server: Server, results: Path) -> None:
    """Time items with faces and voices, and these themselves."""
    names = pd.read_parquet(P.below(results, P.plan.shard, shard="000"), columns=["utterance"])["utterance"]
    some = names.iloc[np.linspace(0, len(names) - 1, 50).astype(int)].tolist()
    tell("item with faces and voice, the shard's first", server.ask(f"/api/item/{some[0]}")[0])
    items = [server.ask(f"/api/item/{name}") for name in some[1:]]
    tell("item with faces and voice", *[taken for taken, _ in items])
    found = [json.loads(content) for _, content in items]
    tell("a face", *[server.ask(item["faces"][0])[0] for item in found])
    tell("first 200 kB of a voice", *[server.ask(item["voice"], Range="bytes=0-199999")[0] for item in found])
    tell("200 peaks of a voice", *[server.ask(item["peaks"])[0] for item in found])
    speaker = some[0].split("/")[0]
    tell("sheet of a speaker", *[server.ask(f"/api/sheet?speaker={speaker}&limit=100")[0] for _ in range(5)])
    tell("opinion", *[server.ask(f"/api/opinion/{name}")[0] for name in some])


def main() -> None:
    """Make the run and time the server."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=Path)
    ap.add_argument("--keep", action="store_true", help="time on a run that is there")
    args = ap.parse_args()
    results = args.folder / "results"
    if not args.keep:
        made_up_run.make(results)
        make_media(results, shard_names(made_up_run.SHARDS)[:SHARDS])
    with tempfile.TemporaryDirectory(dir=args.folder) as reviews:
        tell("a line and fsync, for comparison", *fsync_ms(Path(reviews)))
        server = Server(results, Path(reviews))
        try:
            print(f"{server.started:8.1f} s                  start to address", flush=True)
            tell("facts of the run", server.ask("/api/run")[0])
            first = json.loads(server.ask("/api/queue/flagged?limit=1")[1])["items"][0]["utterance"]
            tell("opinion, the first after the start", server.ask(f"/api/opinion/{first}")[0])
            print(f"{server.memory_mb('VmRSS'):8.0f} MB                 memory after the start", flush=True)
            tables(server)
            media(server, results)
            for queue in ("flagged", "uncertain"):
                decisions(server, queue, 100)
            many(server, 10_000)
            decisions(server, "flagged", 100)
            undos = [server.ask("/api/undo", {"act": secrets.token_hex(12)})[0] for _ in range(20)]
            tell("undo of the last decision", *undos)
            print(f"{server.memory_mb():8.0f} MB                 most memory", flush=True)
        finally:
            server.end()


if __name__ == "__main__":
    main()
