"""What a site says when it does not give a video out: from yt-dlp's errors to reason codes.

What kind of error it is comes first, then an HTTP status, and then words. Only what a site says of a video itself
makes it gone; what is not understood may pass, for it is mostly yt-dlp that has become too old for the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from avsieve.sources.downloads import MAY_PASS
from avsieve.storage.reasons import Reason

# In this order: the first that fits counts. Sites' words are not stable, so each is as short as it can be.
WORDS: tuple[tuple[str, Reason], ...] = (
    # about the one who asks
    (r"not a bot|captcha|ip is likely being blocked", Reason.SITE_BLOCKED),
    (r"rate.?limit|too many requests|try again later|http error 429", Reason.SITE_THROTTLED),
    # about the video
    (r"confirm your age|age.restricted|inappropriate for some users|age_verification", Reason.VIDEO_AGE_RESTRICTED),
    (r"members.only|members on level|join this channel|requires payment|\brent\b", Reason.VIDEO_MEMBERS_ONLY),
    (r"private video|video is private|log ?in required|only available for registered|sign in", Reason.VIDEO_PRIVATE),
    (r"in your country|geo.?restrict|from your location|in your region", Reason.VIDEO_GEO_BLOCKED),
    (r"copyright|contains content from|blocked it", Reason.VIDEO_COPYRIGHT),
    (r"live event|premieres|is not currently live|has not started|is offline|will begin in", Reason.VIDEO_NOT_YET),
    (r"terminated|been removed|removed by|no longer available|account.*closed", Reason.VIDEO_REMOVED),
    (r"does not exist|deleted|http error 4(04|10)", Reason.VIDEO_REMOVED),
    # about what yt-dlp found
    (r"requested format|no video formats|only images are available|drm", Reason.VIDEO_NO_FORMAT),
    (r"unsupported url|video unavailable|video is unavailable|not available|isn.t available", Reason.VIDEO_UNAVAILABLE),
)
_COMPILED = [(re.compile(pattern, re.IGNORECASE), reason) for pattern, reason in WORDS]
STATUSES = {
    401: Reason.VIDEO_PRIVATE,
    403: Reason.SITE_BLOCKED,  # mostly an address that has run out, or a robot that was noticed
    404: Reason.VIDEO_REMOVED,
    410: Reason.VIDEO_REMOVED,
    429: Reason.SITE_THROTTLED,
    451: Reason.VIDEO_GEO_BLOCKED,
}
NO_ANSWER = MAY_PASS - {Reason.VIDEO_NOT_YET, Reason.ADDRESS_PRIVATE}
"""Reasons that say nothing of the video: one after the other, they tell that asking on is of no use."""
HELPED_BY = {
    Reason.VIDEO_PRIVATE: "cookies",
    Reason.VIDEO_AGE_RESTRICTED: "cookies",
    Reason.VIDEO_MEMBERS_ONLY: "cookies",
    Reason.VIDEO_GEO_BLOCKED: "proxy",
}
"""What was gone without these may be had with them."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Answer:
    """Why there is no video."""

    reason: Reason
    detail: str
    again_now: bool = False
    """Whether it may be otherwise in a few seconds: a connection that broke, a server that stumbled."""

    @property
    def may_pass(self) -> bool:
        """Whether a later run should ask again."""
        return self.reason in MAY_PASS


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors behind it; yt-dlp keeps some of them in ``exc_info`` and ``cause``."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        kept = getattr(one, "exc_info", None)
        waiting += [kept[1] if isinstance(kept, tuple) and len(kept) > 1 else None, getattr(one, "cause", None),
                    one.__cause__, one.__context__]  # fmt: skip


def classify(error: BaseException) -> Answer:
    """Return what an error of yt-dlp's means."""
    from yt_dlp.networking.exceptions import HTTPError, TransportError
    from yt_dlp.utils import ContentTooShortError, ExtractorError, GeoRestrictedError, UserNotLive

    errors = list(chain(error))
    detail = words_of(error)
    if any(isinstance(e, GeoRestrictedError) for e in errors):
        return Answer(Reason.VIDEO_GEO_BLOCKED, detail)
    if any(isinstance(e, UserNotLive) for e in errors):
        return Answer(Reason.VIDEO_NOT_YET, detail)
    status = next((e.status for e in errors if isinstance(e, HTTPError)), None)
    if status in STATUSES:
        return Answer(STATUSES[status], detail)
    if status is not None and status >= 500:
        return Answer(Reason.DOWNLOAD_FAILED, detail, again_now=True)
    if any(isinstance(e, TransportError | ContentTooShortError) for e in errors):
        return Answer(Reason.DOWNLOAD_FAILED, detail, again_now=True)
    if any(isinstance(e, ExtractorError) and not e.expected and "No video formats" not in str(e) for e in errors):
        return Answer(Reason.DOWNLOAD_FAILED, detail)  # yt-dlp itself takes it for a bug of its own
    reason = classify_words(detail)
    return Answer(reason, detail, again_now=reason is Reason.DOWNLOAD_FAILED)


def classify_words(words: str) -> Reason:
    """Return the reason for what a site says; ``download_failed`` where the words are not known."""
    return next((reason for pattern, reason in _COMPILED if pattern.search(words)), Reason.DOWNLOAD_FAILED)


def words_of(error: BaseException) -> str:
    """Return an error's message on one line, without colours and without yt-dlp's advice on bug reports."""
    text = _COLOURS.sub("", str(error)).removeprefix("ERROR: ")
    text = text.partition("; please report this issue")[0].partition(". Use --cookies")[0]
    return " ".join(text.split())[:300]
