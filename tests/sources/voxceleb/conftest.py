"""A stand-in for the site: an HTTP server on this machine whose videos are alive, dead, slow or cut off."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


@dataclass
class StandIn:
    """The server's videos and behaviour; a test changes them as it goes."""

    url: str = ""
    videos: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    drops_after: dict[str, int] = field(default_factory=dict)
    """Bytes after which the connection breaks, once per request."""
    bytes_per_s: dict[str, float] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Video and range of each request."""

    def asked(self) -> Counter[str]:
        """Return how often each video was asked for."""
        return Counter(video for video, _ in self.requests)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        site: StandIn = self.server.site
        name = self.path.rsplit("/", 1)[-1].removesuffix(".mp4")
        span = self.headers.get("Range", "")
        site.requests.append((name, span))
        if name in site.pages or name in site.statuses or name not in site.videos:
            status = site.statuses.get(name, 200 if name in site.pages else 404)
            self._send(status, "text/html", site.pages.get(name, f"status {status}").encode())
            return
        content = site.videos[name]
        begin = int(span.removeprefix("bytes=").partition("-")[0]) if span else 0
        self.send_response(206 if begin else 200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        end = min(len(content), begin + site.drops_after.get(name, len(content)))
        slow = site.bytes_per_s.get(name)
        try:
            for at in range(begin, end, 4096):
                self.wfile.write(content[at : min(at + 4096, end)])
                if slow:
                    time.sleep(4096 / slow)
        except (BrokenPipeError, ConnectionResetError):
            pass
        if end < len(content):
            self.close_connection = True

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[StandIn]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.site = StandIn(f"http://127.0.0.1:{server.server_port}/watch/{{video}}.mp4")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.site  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def write_track(path: Path, boxes: Any, first: int, shares: bool = False) -> None:
    """Write a track file in the layout of VoxCeleb2 (shares) or VoxCeleb1 (pixels)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"Identity  : \t{path.parts[-3]}\nReference : \t{path.parts[-2]}\nOffset    : \t-1\n"
    form = "{:06d} \t{:.4f} \t{:.4f} \t{:.4f} \t{:.4f} " if shares else "{:06d} \t{:.1f} \t{:.1f} \t{:.1f} \t{:.1f} "
    rows = [form.format(first + i, *box) for i, box in enumerate(boxes)]
    path.write_text(head + "\nFRAME \tX \tY \tW \tH \n" + "\n".join(rows) + "\n")
