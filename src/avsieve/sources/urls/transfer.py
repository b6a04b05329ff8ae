"""One attempt to bring a file, from where the last one stopped if the server can do that.

HTTP as RFC 9110 has it: ranges (section 14), ``If-Range`` (13.1.5), ``Retry-After`` (10.2.3). A file that has changed
since is brought from its beginning.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BufferedRandom
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from avsieve.errors import AvsieveError
from avsieve.media.failure_reason import classify_open_error, looks_like_media
from avsieve.sources.urls.addresses import PrivateAddressError, PublicOnly, check_url
from avsieve.sources.urls.rate_limit import HeldError, Pace
from avsieve.storage.atomic import write_json
from avsieve.storage.reasons import Reason
from avsieve.storage.text_files import whole_number

CHUNK, HEAD = 1 << 16, 1024
MAX_REDIRECTS = 5
# A server that sends less than this much in four times the timeout is as good as silent.
_LEAST_BYTES = 4096
_GONE = {404: Reason.HTTP_GONE, 410: Reason.HTTP_GONE} | dict.fromkeys((401, 403, 451), Reason.HTTP_FORBIDDEN)
_PASSING = {408, 425, 429}
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)


class GoneError(Exception):
    """It will not be had; the message goes into the row."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class PassingError(Exception):
    """It failed in a way that may pass; ``wait_s`` is what the server asks for."""

    def __init__(self, detail: str, wait_s: float = 0.0) -> None:
        super().__init__(detail)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Partial:
    """A download under way: the bytes, and notes on what they are the beginning of."""

    handle: BufferedRandom
    """Opened for reading and appending."""
    notes: Path

    @property
    def size(self) -> int:
        """Bytes that are there."""
        self.handle.flush()
        return os.fstat(self.handle.fileno()).st_size

    def drop(self) -> None:
        """Begin anew."""
        self.handle.truncate(0)
        self.notes.unlink(missing_ok=True)

    def known(self) -> dict[str, Any]:
        """Return the notes; none if they are damaged."""
        try:
            found = json.loads(self.notes.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def head(self) -> bytes:
        """Return the first bytes."""
        self.handle.flush()
        self.handle.seek(0)
        return self.handle.read(HEAD)


def transfer(
    session: requests.Session, url: str, partial: Partial, pace: Pace, *, timeout_s: float, max_bytes: int
) -> None:
    """Bring a file, or the rest of it.

    Raises
    ------
    GoneError
        If the server refuses for good, or what it sends is no medium or too large.
    PassingError
        If it failed in a way that may pass. What has come is kept.
    AvsieveError
        If the disk has not enough room.
    """
    have, known = partial.size, partial.known()
    if have and known.get("url") == url and known.get("total") == have:
        _check_head(partial, "a file", complete=True)
        return  # all of it came, but the last run was ended before it could use it
    headers = {"Accept-Encoding": "identity"}
    if have and known.get("url") == url and known.get("validator"):
        headers |= {"Range": f"bytes={have}-", "If-Range": known["validator"]}
    elif have:
        partial.drop()
    try:
        with _open(session, url, headers, pace, timeout_s) as response:
            if response.status_code == 416 and "Range" in headers:
                if response.headers.get("Content-Range", "").endswith(f"/{have}"):
                    _check_head(partial, "a file", complete=True)
                    return  # all of it is there already
                partial.drop()
                raise PassingError("the file has changed since it was begun")
            total = _prepare(partial, response, url, known)
            if total is not None and total > max_bytes:
                raise GoneError(Reason.DOWNLOAD_TOO_LARGE, f"{total} bytes, max_bytes allows {max_bytes}")
            _copy(partial, response, pace, total=total, timeout_s=timeout_s, max_bytes=max_bytes)
    except PrivateAddressError as error:
        raise GoneError(Reason.ADDRESS_PRIVATE, str(error)) from error
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        raise GoneError(Reason.HTTP_REFUSED, f"not a web address: {error}") from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        raise PassingError(f"{type(error).__name__}: {error}") from error


@contextmanager
def _open(
    session: requests.Session, url: str, headers: dict[str, str], pace: Pace, timeout_s: float
) -> Iterator[requests.Response]:
    """Send a request and follow where it is sent on to; the answer is one that has a body of the file, or a 416."""
    private = not isinstance(session.get_adapter(url), PublicOnly)
    for _ in range(MAX_REDIRECTS + 1):
        host = urlsplit(url).netloc
        if not private:
            check_url(url)
        try:
            pace.ask(host)
        except HeldError as error:
            raise PassingError(f"{host} was {error}", error.wait_s) from error
        with session.get(url, headers=headers, timeout=timeout_s, stream=True, allow_redirects=False) as response:
            if response.is_redirect:
                url = urljoin(url, response.headers["Location"])
                if urlsplit(url).scheme not in ("http", "https"):
                    raise GoneError(Reason.HTTP_REFUSED, f"sent on to {url[:200]}, which is not a web address")
                continue
            if response.status_code not in (200, 206, 416):
                _refuse(response, host, pace)
            yield response
            return
    raise GoneError(Reason.HTTP_REFUSED, f"sent on more than {MAX_REDIRECTS} times, last to {url[:200]}")


def _refuse(response: requests.Response, host: str, pace: Pace) -> None:
    status = response.status_code
    words = f"HTTP {status} {response.reason}"
    if status in _GONE:
        raise GoneError(_GONE[status], words)
    if status in _PASSING or status >= 500:
        wait_s = _retry_after_s(response.headers.get("Retry-After", ""))
        if wait_s:
            pace.hold(host, wait_s)
        raise PassingError(words, wait_s)
    raise GoneError(Reason.HTTP_REFUSED, words)


def _retry_after_s(text: str) -> float:
    if (seconds := whole_number(text)) is not None:
        return float(seconds)
    try:
        return max((parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return 0.0


def _prepare(partial: Partial, response: requests.Response, url: str, known: dict[str, Any]) -> int | None:
    """Make the partial file ready for the body; return the length of the whole file if it is told."""
    have = partial.size
    if response.status_code == 206 and not response.request.headers.get("Range"):
        raise PassingError("HTTP 206, a part of the file, though all of it was asked for")
    if response.status_code == 206:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        told = {tag for name in ("ETag", "Last-Modified") if (tag := response.headers.get(name))}
        if not found or int(found[1]) != have or (told and known.get("validator") not in told):
            partial.drop()
            raise PassingError(f"asked for bytes from {have} on, got {response.headers.get('Content-Range')}")
        return int(found[3])
    if response.status_code == 416:
        raise PassingError("HTTP 416 without a range")
    partial.drop()
    encoding = _encoding(response)
    etag = response.headers.get("ETag", "")
    validator = etag if etag.startswith('"') else response.headers.get("Last-Modified")
    length = response.headers.get("Content-Length", "")
    total = None if encoding else whole_number(length)
    # Ranges of an encoded body are no ranges of the file.
    write_json(partial.notes, {"url": url, "validator": None if encoding else validator, "total": total})
    return total


def _encoding(response: requests.Response) -> str:
    encoding = str(response.headers.get("Content-Encoding", "")).strip().lower()
    return "" if encoding == "identity" else encoding


def _check_head(partial: Partial, kind: str, *, complete: bool = False) -> bool:
    """Refuse what is no medium as soon as enough of it is there; tell whether enough was."""
    head = partial.head()
    if len(head) < HEAD and not complete:
        return False
    if not head:
        raise GoneError(Reason.MEDIA_EMPTY, f"the server sent {kind} of 0 bytes")
    if not looks_like_media(head):
        raise GoneError(
            classify_open_error(head), f"the server sent {kind} that begins with {head[:16]!r}, not audio or video"
        )
    return True


def disk_full(folder: Path, missing: int = 0) -> AvsieveError:
    """Return the error of a full disk; ``missing`` bytes are still to come."""
    free = shutil.disk_usage(folder).free
    coming = f", {missing} still to come" if missing else ""
    return AvsieveError(
        f"{folder}: the disk is full ({free} bytes free{coming}); "
        "free some space or name another store, and run again: what has come is kept"
    )


def _copy(
    partial: Partial, response: requests.Response, pace: Pace, *, total: int | None, timeout_s: float, max_bytes: int
) -> None:
    have = partial.size
    if total is not None and total - have > shutil.disk_usage(partial.notes.parent).free:
        raise disk_full(partial.notes.parent, total - have)
    checked, encoded = False, bool(_encoding(response))
    kind = response.headers.get("Content-Type", "something")
    since, came = time.monotonic(), 0
    while chunk := response.raw.read1(CHUNK, decode_content=encoded):
        partial.handle.write(chunk)
        have += len(chunk)
        came += len(chunk)
        if have > max_bytes:
            raise GoneError(Reason.DOWNLOAD_TOO_LARGE, f"more than max_bytes, {max_bytes}")
        checked = checked or (have >= HEAD and _check_head(partial, kind))
        pace.took(len(chunk))
        if time.monotonic() - since > 4 * timeout_s:
            if came < _LEAST_BYTES:
                raise PassingError(f"{came} bytes in {4 * timeout_s:g} s")
            since, came = time.monotonic(), 0
    if total is not None and have != total:
        if have > total:
            partial.drop()
        raise PassingError(f"{have} of {total} bytes came")
    _check_head(partial, kind, complete=True)
