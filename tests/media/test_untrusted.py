"""A clip may be a download: whatever it is, it makes the decoder open no address."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from avsieve.media import decode
from avsieve.media.slices import MediaSlice
from avsieve.storage.reasons import Reason


class Asked(ThreadingHTTPServer):
    """A server that has nothing, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Asked

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[Asked]:
    server = Asked()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def playlist(server: Asked) -> bytes:
    address = f"http://127.0.0.1:{server.server_port}/part.ts"
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n".encode()


def test_a_playlist_in_place_of_a_clip_is_not_followed(elsewhere: Asked, tmp_path: Path) -> None:
    path = tmp_path / "clip.m3u8"
    path.write_bytes(playlist(elsewhere))
    assert decode.decode_clip(path).code is Reason.NOT_MEDIA
    assert elsewhere.paths == []


def test_nor_is_one_that_lies_in_an_archive(elsewhere: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = playlist(elsewhere)
    archive = tmp_path / "clips.tar"
    archive.write_bytes(bytes(512) + content)

    @contextmanager
    def named(_: MediaSlice) -> Iterator[io.BytesIO]:
        member = io.BytesIO(content)
        member.name = "clip.m3u8"  # type: ignore[attr-defined]  # by which FFmpeg takes it for a playlist
        yield member

    monkeypatch.setattr(decode, "open_slice", named)
    assert decode.decode_clip(MediaSlice((archive,), 512, len(content))).code is Reason.NOT_MEDIA
    assert elsewhere.paths == []
