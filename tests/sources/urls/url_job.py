"""A run of the source of URLs, with its table, its server and its store."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd

from avsieve.sources.urls import fetch, plan
from avsieve.sources.urls.contract import Urls
from tests.sources.blocks import settings
from tests.sources.faulty_server import FaultyServer, Reply


def clip_bytes(seed: int, size: int = 100_000) -> bytes:
    """Return bytes that begin as an mp4 does."""
    return b"\x00\x00\x00\x18ftypmp42" + random.Random(seed).randbytes(size - 12)


class Job:
    """A table, its server and its store."""

    def __init__(self, folder: Path, server: FaultyServer) -> None:
        self.folder, self.server = folder, server
        self.lines: list[str] = []

    def add(self, utterance: str, path: str, content: bytes | None = None, *replies: Reply, rest: str = ",,") -> None:
        """Add a line to the table, and a file to the server."""
        self.lines.append(f"{utterance},{self.server.url}{path},{rest}")
        if content is not None:
            self.server.files[path] = content
        if replies:
            self.server.replies[path] = list(replies)

    def plan(self) -> pd.DataFrame:
        table = self.folder / "table.csv"
        table.write_text("\n".join(["utterance,url,sha256,start,end", *self.lines]) + "\n")
        return plan.plan(settings(Urls, table=table))

    def fetch(self, rows: pd.DataFrame | None = None, **changes: float | bool) -> dict[str, str]:
        """Run the source as its script does; return the codes."""
        given: dict[str, float | bool] = {
            "parallel": 3,
            "retries": 3,
            "pause_s": 0.01,
            "timeout_s": 2.0,
            "requests_per_s": 0.0,
        }
        given |= {"bytes_per_s": 0.0, "max_bytes": 10**9, "ask_again_days": 0.0, "private_addresses": True} | changes
        block = settings(Urls, store=self.store, **given)
        rows = self.plan() if rows is None else rows
        self.index, status = fetch.fetch(rows, block)
        self.details = dict(zip(rows["utterance"], status.frame()["detail"], strict=True))
        return dict(zip(rows["utterance"], status.frame()["code"], strict=True))

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def stored(self, utterance: str, extension: str = ".mp4") -> bytes:
        return (self.store / "clips" / f"{utterance}{extension}").read_bytes()

    def starts(self, path: str) -> list[int]:
        """Return the first byte of each request for a path."""
        return [a.start for a in self.server.asked(path)]

    def left_over(self) -> list[str]:
        return sorted(p.name for p in (self.store / "partial").iterdir())
