"""The table of URLs, and what is asked for of each utterance."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from avsieve.errors import AvsieveError, ListError
from avsieve.sources.columns import read_rows
from avsieve.storage.ids import is_valid_id, parse_id

NEEDED, OPTIONAL = ("utterance", "url"), ("sha256", "start", "end")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_URL = re.compile(r"[\s\x00-\x1f\x7f]")


class UrlRequest(NamedTuple):
    """What is asked for of an utterance."""

    url: str
    sha256: str = ""
    """Of the file at the URL, in hexadecimal; empty where it is not known."""
    start_s: float | None = None
    end_s: float | None = None

    def to_text(self) -> str:
        """Return the request as a line, as the plan and the ledger have it."""
        times = ("" if t is None else f"{t:.6f}".rstrip("0").rstrip(".") for t in (self.start_s, self.end_s))
        return "\t".join((self.url, self.sha256, *times))

    @classmethod
    def from_text(cls, text: str) -> UrlRequest:
        """Read such a line."""
        url, sha256, start, end = text.split("\t")
        return cls(url, sha256, float(start) if start else None, float(end) if end else None)

    @property
    def is_cut(self) -> bool:
        """Tell whether only a part of the file is wanted."""
        return self.start_s is not None or self.end_s is not None


def _time(where: str, name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ListError(f"{where}: {name} is {text!r}; expected seconds from the beginning")
    return value


def _request(where: str, row: dict[str, str]) -> UrlRequest:
    url, sha256 = row["url"], row.get("sha256", "").lower()
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web or _NO_URL.search(url):
        raise ListError(f"{where}: url {url!r}; expected one that begins with http:// or https:// and has no blanks")
    if sha256 and not _SHA256.fullmatch(sha256):
        raise ListError(f"{where}: sha256 {sha256!r}; expected 64 hexadecimal digits, or nothing")
    start_s, end_s = (_time(where, name, row.get(name, "")) for name in ("start", "end"))
    if end_s is not None and end_s <= (start_s or 0):
        raise ListError(f"{where}: end {end_s:g} is not after start {start_s or 0:g}")
    return UrlRequest(url, sha256, start_s, end_s)


def read_table(path: Path) -> dict[str, UrlRequest]:
    """Read a table with a line of column names: ``utterance``, ``url`` and, if known, ``sha256``, ``start``, ``end``.

    Returns
    -------
    dict
        What is asked for of each utterance, in the order of the file.

    Raises
    ------
    ListError
        Naming the line: an utterance that is no id or was listed before, a URL that is none of the web, or a wrong
        checksum or time. Or as `avsieve.sources.columns.read_rows`.
    """
    found: dict[str, UrlRequest] = {}
    for number, row in read_rows(path, "table for source.urls.table", NEEDED, OPTIONAL):
        where, utterance = f"{path}, line {number}", row["utterance"]
        if not is_valid_id(utterance):
            try:
                parse_id(utterance)
            except AvsieveError as error:
                raise ListError(f"{where}: {error}") from None
        if utterance in found:
            raise ListError(f"{where}: utterance {utterance} is listed before; expected once")
        found[utterance] = _request(where, row)
    return found
