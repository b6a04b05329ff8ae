from __future__ import annotations

import pytest

from avsieve.sources.voxceleb.site_errors import NO_ANSWER, chain, classify, classify_words, words_of
from avsieve.storage.reasons import Reason

pytest.importorskip("yt_dlp")
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError


def wrapped(error: Exception) -> DownloadError:
    """Return an error as yt-dlp hands it on."""
    return DownloadError(f"\x1b[0;31mERROR:\x1b[0m {error}", (type(error), error, None))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Private video. Sign in if you've been granted access to this video", "video_private"),
        ("Video unavailable. This video is private", "video_private"),
        ("Video unavailable. This video has been removed by the uploader", "video_removed"),
        ("This video has been removed for violating YouTube's Terms of Service", "video_removed"),
        ("This video is no longer available because the account associated with it has been terminated.",
         "video_removed"),
        ("Video unavailable. The uploader has closed their YouTube account; this video is no longer available",
         "video_removed"),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", "video_age_restricted"),
        ("Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies", "site_blocked"),
        ("All player responses are invalid. Your IP is likely being blocked by Youtube", "site_blocked"),
        ("Video unavailable. The uploader has not made this video available in your country", "video_geo_blocked"),
        ("Video unavailable. This video contains content from SME, who has blocked it on copyright grounds",
         "video_copyright"),
        ("Join this channel to get access to members-only content like this video", "video_members_only"),
        ("This live event will begin in 3 days.", "video_not_yet"),
        ("Premieres in 5 hours", "video_not_yet"),
        ("Video unavailable. This content isn't available, try again later. The session has been rate-limited",
         "site_throttled"),
        ("HTTP Error 429: Too Many Requests", "site_throttled"),
        ("Requested format is not available. Use --list-formats for a list", "video_no_format"),
        ("Video unavailable", "video_unavailable"),
        ("Unsupported URL: http://127.0.0.1/x", "video_unavailable"),
        ("Something that nobody has ever read", "download_failed"),
    ],
)  # fmt: skip
def test_the_sites_words_are_understood(words: str, reason: str) -> None:
    assert classify_words(words) == reason
    assert classify(wrapped(ExtractorError(words, expected=True))).reason == reason


def test_the_kind_of_error_counts_before_its_words() -> None:
    assert classify(wrapped(GeoRestrictedError("nothing for you"))).reason == Reason.VIDEO_GEO_BLOCKED
    assert classify(wrapped(UnsupportedError("http://x"))).reason == Reason.VIDEO_UNAVAILABLE
    broken = classify(wrapped(ExtractorError("Unable to extract the removed title", expected=False)))
    assert broken.reason == Reason.DOWNLOAD_FAILED
    assert broken.may_pass


def test_what_says_nothing_of_the_video_may_pass() -> None:
    assert Reason.SITE_BLOCKED in NO_ANSWER
    assert not NO_ANSWER & {Reason.VIDEO_REMOVED, Reason.VIDEO_PRIVATE, Reason.VIDEO_UNAVAILABLE, Reason.VIDEO_NOT_YET}


def test_details_are_one_plain_line() -> None:
    error = wrapped(ExtractorError("Video unavailable.\n  It was\tremoved", expected=True))
    assert words_of(error) == "Video unavailable. It was removed"
    assert len(list(chain(error))) == 2
