from __future__ import annotations

from avsieve.media.decoder_log import last_words


def test_the_last_three_messages_are_told_with_their_number() -> None:
    words = [(16, "h264", "first"), *[(16, "h264", "bad\n  slice")] * 4, (16, "aac", "x" * 300), (16, "mov", "end")]
    assert last_words(words) == f"h264: bad slice (4 times), aac: {'x' * 200}, mov: end"


def test_nothing_said_is_an_empty_text() -> None:
    assert last_words([]) == ""
