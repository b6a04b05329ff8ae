"""A web server on this machine that misbehaves as it is told."""

from __future__ import annotations

import gzip
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """How a request is answered; by default as a good server does, ranges included."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    """In place of the file's."""
    etag: str | None = '"1"'
    ranges: bool = True
    ignores_if_range: bool = False
    send: int | None = None
    """Bytes of the body after which the connection is dropped."""
    claim: int = 0
    """What is added to the length that the header gives."""
    stall_s: float = 0.0
    """Silence before the connection is dropped."""
    block_pause_s: float = 0.0
    """Pause after each block."""
    block: int = 4096
    chunked: bool = False
    gzipped: bool = False


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    start: int
    """First byte of the range that was asked for; 0 without."""
    at: float


class FaultyServer:
    """Serves ``files``; ``replies`` holds, by path, the answers in turn, of which the last stays."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.replies: dict[str, list[Reply]] = {}
        self.log: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()

    def asked(self, path: str) -> list[Asked]:
        """Return the requests for a path."""
        return [a for a in self.log if a.path == path]

    def _next_reply(self, path: str) -> Reply:
        replies = self.replies.get(path)
        if not replies:
            return Reply() if path in self.files else Reply(404, content=b"no such file")
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        reply = self._next_reply(handler.path)
        self.log.append(Asked(handler.path, start, time.monotonic()))
        body = self.files.get(handler.path, b"") if reply.content is None else reply.content
        status, headers = reply.status, dict(reply.headers)
        condition = handler.headers.get("If-Range")
        if status == 200 and start and reply.ranges and (reply.ignores_if_range or condition in (None, reply.etag)):
            if start >= len(body):
                status, headers["Content-Range"], body = 416, f"bytes */{len(body)}", b""
            else:
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                status, body = 206, body[start:]
        if reply.etag and status in (200, 206):
            headers["ETag"] = reply.etag
        if reply.gzipped:
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if reply.chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        else:
            handler.send_header("Content-Length", str(len(body) + reply.claim))
        handler.end_headers()
        try:
            self._send(handler, reply, body)
        except OSError:
            handler.close_connection = True  # the other side has gone

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply, body: bytes) -> None:
        sent = body if reply.send is None else body[: reply.send]
        for i in range(0, len(sent), reply.block):
            block = sent[i : i + reply.block]
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if reply.chunked else block)
            time.sleep(reply.block_pause_s)
        if reply.send is not None or reply.claim > 0:
            time.sleep(reply.stall_s)
            handler.close_connection = True
        elif reply.chunked:
            handler.wfile.write(b"0\r\n\r\n")
