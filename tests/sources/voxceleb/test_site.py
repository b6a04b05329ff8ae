from __future__ import annotations

import errno
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.sources.voxceleb.site import Site, SiteOptions, _refuse_our_own, find_whole

pytest.importorskip("yt_dlp")
from yt_dlp.networking.exceptions import TransportError
from yt_dlp.utils import DownloadError, UnavailableVideoError


def test_the_users_wishes_reach_yt_dlp(tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n")
    options = SiteOptions(
        "http://x/{video}",
        format="b",
        cookies=cookies,
        proxy="socks5://y",
        bytes_per_s=1000.0,
        timeout_s=7.0,
        sleep_s=0.0,
        retries=3,
        give_up_after=5,
    )
    given = Site(options)._parameters(tmp_path)
    assert given["cookiefile"].read() == cookies.read_text()
    wanted = {"format": "b", "proxy": "socks5://y", "ratelimit": 1000.0, "socket_timeout": 7.0, "continuedl": True}
    assert {name: given[name] for name in wanted} == wanted
    assert given["outtmpl"]["default"] == f"{tmp_path}/media.%(format_id)s.%(ext)s"
    assert Path(given["ffmpeg_location"]).exists()


def test_a_full_disk_is_no_dead_video(tmp_path: Path) -> None:
    full = UnavailableVideoError("x")
    full.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(AvsieveError, match="free some space"):
        _refuse_our_own(full, tmp_path)
    refused = DownloadError("x")
    refused.__cause__ = TransportError(cause=OSError(errno.EACCES, "Permission denied"))
    _refuse_our_own(refused, tmp_path)


def test_only_what_is_whole_is_found(tmp_path: Path) -> None:
    (tmp_path / "media.mp4.part").write_bytes(b"half")
    assert find_whole(tmp_path) is None
    (tmp_path / "whole.webm").write_bytes(b"all")
    assert find_whole(tmp_path) == tmp_path / "whole.webm"
    assert find_whole(tmp_path / "nowhere", "v") is None
