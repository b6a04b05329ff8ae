from __future__ import annotations

import errno
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.sources.voxceleb.site import NoVideoError, Site, SiteOptions, _refuse_our_own, find_whole
from avsieve.storage.reasons import Reason

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
        private_addresses=False,
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


def ask(tmp_path: Path, url: str, *, private: bool = False) -> NoVideoError:
    """Return the error of a site that is asked for one video, none of whose servers answers."""
    options = SiteOptions(
        url, format="b", cookies=None, proxy=None, private_addresses=private, bytes_per_s=0.0, timeout_s=1.0,
        sleep_s=0.0, retries=0, give_up_after=0,
    )  # fmt: skip
    with pytest.raises(NoVideoError) as caught:
        Site(options).fetch("x", tmp_path)
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd?{video}", "http://127.0.0.1:1/{video}", "http://localhost:1/{video}",
        "http://2130706433/{video}", "http://0x7f.1/{video}", "https://[::1]/{video}", "http://10.0.0.1/{video}",
        "http://169.254.169.254/latest/{video}", "http://[::ffff:192.168.1.1]/{video}", "ytsearch:{video}",
        "http://[::1/{video}", "{video}",
    ],
)  # fmt: skip
def test_an_address_of_this_machine_or_a_private_network_is_refused_before_yt_dlp_is_asked(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yt_dlp.YoutubeDL.extract_info", lambda *_, **__: pytest.fail("yt-dlp was asked"))
    answer = ask(tmp_path, url).answer
    assert answer.reason is Reason.ADDRESS_PRIVATE
    assert answer.may_pass  # once it is allowed


def test_so_is_one_that_the_site_names_for_the_video_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"id": "x", "url": "https://8.8.8.8/a.mp4", "formats": [{"url": "http://192.168.0.1/b.mp4"}]}
    monkeypatch.setattr("yt_dlp.YoutubeDL.extract_info", lambda *_, **__: found)
    monkeypatch.setattr("yt_dlp.YoutubeDL.process_ie_result", lambda *_, **__: pytest.fail("it was downloaded"))
    answer = ask(tmp_path, "https://8.8.8.8/{video}").answer
    assert (answer.reason, "192.168.0.1" in answer.detail) == (Reason.ADDRESS_PRIVATE, True)
    assert "source.voxceleb.private_addresses: true allows it" in answer.detail


def test_who_allows_it_asks_a_private_network(tmp_path: Path) -> None:
    assert ask(tmp_path, "http://127.0.0.1:1/{video}", private=True).answer.reason is not Reason.ADDRESS_PRIVATE
