"""An answer with the content of a tar's member, whole or a range of its bytes (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from avsieve.review.server.media import Part

_ONE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_FOR_GOOD = "private, max-age=604800, immutable"
_ASK_AGAIN = "private, no-cache"


def media_response(part: Part, kind: str, headers: Mapping[str, str], version: str) -> Response:
    """Return the content, or the range that is asked for.

    Parameters
    ----------
    part
        What is served.
    kind
        Its media type.
    headers
        Of the request: ``range``, ``if-range`` and ``if-none-match`` count.
    version
        What the address says of the content: where it is right, a browser may keep the answer for good.

    Notes
    -----
    Several ranges in one request are answered with the whole, as the standard allows: no player asks for them, and
    multipart answers are a way to make a server send the same bytes many times.
    """
    tag = f'"{part.version}-{part.size:x}"'
    given = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": _FOR_GOOD if version == part.version else _ASK_AGAIN,
    }
    wanted = headers.get("if-none-match", "")
    if wanted == "*" or tag in [text.strip().removeprefix("W/") for text in wanted.split(",")]:
        return Response(status_code=304, headers=given)
    asked = headers.get("range")
    # A range of another version would join what does not belong together; only a strong tag compares.
    found = _ONE.fullmatch(asked.strip()) if asked and headers.get("if-range", tag) == tag else None
    if asked is None or found is None or not _is_range(found[1], found[2]):
        return Response(part.read(), headers=given, media_type=kind)
    ends = _ends(found[1], found[2], part.size)
    if ends is None:
        told = {"error": f"range {asked[:80]!r}: of {part.size:,} bytes; expected a beginning below that"}
        return JSONResponse(told, 416, {"Content-Range": f"bytes */{part.size}", "Accept-Ranges": "bytes"})
    start, stop = ends
    given["Content-Range"] = f"bytes {start}-{stop - 1}/{part.size}"
    return Response(part.read(start, stop - start), 206, given, kind)


def _is_range(first: str, last: str) -> bool:
    return bool(first or last) and not (first and last and int(last) < int(first))


def _ends(first: str, last: str, size: int) -> tuple[int, int] | None:
    """Return where a range begins and what it ends before; None where it has nothing of the content."""
    if first:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    else:
        start, stop = max(size - int(last), 0), size
    return (start, stop) if start < stop else None
