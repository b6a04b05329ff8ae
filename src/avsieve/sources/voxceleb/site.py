"""The site that the videos lie on, asked through yt-dlp."""

from __future__ import annotations

import errno
import io
import logging
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from avsieve.errors import AvsieveError
from avsieve.media.ffmpeg import ffmpeg_binary
from avsieve.sources.urls.addresses import PrivateAddressError, check_url
from avsieve.sources.voxceleb.site_errors import NO_ANSWER, Answer, chain, classify
from avsieve.storage.reasons import Reason

INSTALL = 'pip install "yt-dlp[default]"'
WHOLE = "whole"
_WEB = ("https", "http")
_LONGEST_PAUSE_S = 30.0
_OUR_OWN = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}
logger = logging.getLogger(__name__)


class SiteRefusesError(AvsieveError):
    """So many videos in a row got no answer that asking on is of no use now."""


class NoVideoError(Exception):
    """The site does not give a video out; ``answer`` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.detail)
        self.answer = answer


@dataclass(frozen=True)
class SiteOptions:
    """How to ask; see `source.voxceleb` in the configuration."""

    url: str
    format: str
    cookies: Path | None
    proxy: str | None
    private_addresses: bool
    bytes_per_s: float
    sleep_s: float
    retries: int
    timeout_s: float
    give_up_after: int


def find_whole(folder: Path, name: str = WHOLE) -> Path | None:
    """Return the finished download in a folder, or None."""
    return next((p for p in sorted(folder.glob(f"{name}.*")) if p.is_file() and ".partial" not in p.name), None)


class Site:
    """Asks for one video after the other, with a pause before each.

    Raises
    ------
    AvsieveError
        If yt-dlp is not installed, or the file of cookies does not exist.
    """

    def __init__(self, options: SiteOptions) -> None:
        if find_spec("yt_dlp") is None:
            raise AvsieveError(f"the source voxceleb fetches videos with yt-dlp, which is not installed: {INSTALL}")
        if options.cookies is not None and not options.cookies.is_file():
            raise AvsieveError(f"source.voxceleb.cookies: {options.cookies}: no such file; expected Netscape's format")
        self._options = options
        self._asked = 0
        self._unanswered = 0

    def fetch(self, reference: str, folder: Path) -> Path:
        """Download a video into ``folder``, taking up what lies there, and return its file ``whole.<extension>``.

        Raises
        ------
        NoVideoError
            If the site does not give it out.
        SiteRefusesError
            If that was one too many in a row without an answer about the video.
        AvsieveError
            If the file cannot be written.
        """
        if self._asked and self._options.sleep_s:
            time.sleep(self._options.sleep_s)
        self._asked += 1
        try:
            path = self._download(self._options.url.format(video=reference), folder)
        except NoVideoError as error:
            self._count(error.answer)
            raise
        self._unanswered = 0
        return path

    def _count(self, answer: Answer) -> None:
        self._unanswered = self._unanswered + 1 if answer.reason in NO_ANSWER else 0
        if self._unanswered == self._options.give_up_after > 0:
            raise SiteRefusesError(
                f"the site refused {self._unanswered} videos in a row, the last with: {answer.detail}. Nothing is "
                "lost, and a later run resumes here. Wait, set `source.voxceleb.cookies`, raise `sleep_s`, update "
                f"yt-dlp ({INSTALL} --upgrade), or raise `give_up_after` to continue"
            )

    def _download(self, url: str, folder: Path) -> Path:
        from yt_dlp import YoutubeDL
        from yt_dlp.utils import YoutubeDLError

        folder.mkdir(parents=True, exist_ok=True)
        attempt = 0
        self._check(url)
        while True:
            try:
                with YoutubeDL(self._parameters(folder)) as ydl:
                    return self._take(ydl, url, folder)
            except YoutubeDLError as error:
                _refuse_our_own(error, folder)
                answer = classify(error)
            if not answer.again_now or attempt >= self._options.retries:
                raise NoVideoError(answer)
            time.sleep(self._pause_s(attempt))
            attempt += 1
            logger.info("%s: %s; attempt %d", url, answer.detail, attempt + 1)

    def _take(self, ydl: Any, url: str, folder: Path) -> Path:
        found = ydl.extract_info(url, download=False, process=False)
        if found.get("_type", "video") not in ("video", "url", "url_transparent"):
            raise NoVideoError(Answer(Reason.VIDEO_UNAVAILABLE, f"{url}: a list of videos, not a video"))
        if found.get("live_status") in ("is_live", "is_upcoming"):
            raise NoVideoError(Answer(Reason.VIDEO_NOT_YET, f"{url}: {found['live_status'].replace('_', ' ')}"))
        # What yt-dlp asks meanwhile, and where a server sends it on to, is not seen here (`docs/safety.md`).
        for part in (found, *(found.get("formats") or ())):
            if "://" in str(part.get("url")):  # else it is a name within the site
                self._check(str(part["url"]), of_page=False)
        done = ydl.process_ie_result(found, download=True)
        files = [Path(d["filepath"]) for d in done.get("requested_downloads") or [] if d.get("filepath")]
        if len(files) != 1 or not files[0].is_file():
            raise NoVideoError(Answer(Reason.DOWNLOAD_FAILED, f"{url}: yt-dlp left {len(files)} files, not one"))
        # From here on it is whole: the next run need not ask the site to know that.
        return files[0].rename(folder / f"{WHOLE}{files[0].suffix}")

    def _check(self, url: str, *, of_page: bool = True) -> None:
        """Refuse what is no address of the net, and what leads to this machine or a private network.

        Streams may have other protocols than pages, of which yt-dlp takes those that it can download.
        """
        if self._options.private_addresses:
            return
        try:
            scheme = urlsplit(url).scheme
            if scheme in _WEB or (not of_page and scheme != "file"):
                check_url(url, "source.voxceleb.private_addresses")
                return
            told = f"{url[:200]} is no address of the net; expected {' or '.join(_WEB)}"
        except (PrivateAddressError, ValueError) as error:  # ValueError: half an IPv6 address
            told = str(error)
        raise NoVideoError(Answer(Reason.ADDRESS_PRIVATE, told))

    def _pause_s(self, attempt: int) -> float:
        return min(_LONGEST_PAUSE_S, self._options.sleep_s * 2**attempt)

    def _parameters(self, folder: Path) -> dict[str, Any]:
        options = self._options
        return {
            "format": options.format,
            # The format is part of the name: what is left of another format must not be taken up.
            "outtmpl": {"default": f"{str(folder).replace('%', '%%')}/media.%(format_id)s.%(ext)s"},
            # A copy: yt-dlp writes cookies back, and the user's file is not ours, nor this process's alone.
            "cookiefile": io.StringIO(options.cookies.read_text(encoding="utf-8")) if options.cookies else None,
            "proxy": options.proxy,
            "ratelimit": options.bytes_per_s or None,
            "continuedl": True,
            # Attempts are counted here, so that each of them takes up what the last one left.
            "retries": 0,
            "fragment_retries": options.retries,
            "extractor_retries": 0,
            "file_access_retries": 0,
            "skip_unavailable_fragments": False,
            "socket_timeout": options.timeout_s,
            "ffmpeg_location": ffmpeg_binary(),
            "noplaylist": True,
            "quiet": True,
            "noprogress": True,
            "no_color": True,
            "overwrites": False,
            "updatetime": False,
            "cachedir": False,
            "logger": _Quiet(),
        }


def _refuse_our_own(error: Exception, folder: Path) -> None:
    """Raise when the trouble is the disk's and not the site's: no video is gone for that."""
    from yt_dlp.networking.exceptions import RequestError

    errors = list(chain(error))
    if any(isinstance(one, RequestError) for one in errors):
        return
    for one in errors:
        if isinstance(one, OSError) and one.errno in _OUR_OWN:
            raise AvsieveError(
                f"{folder}: cannot be written ({one.strerror}); free some space or name another `store`"
            ) from error


class _Quiet:
    """Takes yt-dlp's own words; what matters of them comes back as errors."""

    def debug(self, text: str) -> None:
        logger.debug("%s", text)

    info = debug

    def warning(self, text: str) -> None:
        logger.debug("%s", text)

    error = warning
