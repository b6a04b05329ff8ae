"""Clips with flipped bits, cuts and splices: whatever the decoder makes of them, each is a row."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from avsieve.media.decode import decode_clip
from avsieve.media.decoded import Decoded
from avsieve.media.settings import Limits
from avsieve.media.workers import Workers, decoded_by
from avsieve.storage.reasons import Reason
from tests.fuzz.clips import KINDS, clip
from tests.fuzz.conftest import FUZZ, cases, try_each
from tests.fuzz.mutations import file_of

LIMITS = Limits(time_s=10, memory_mb=512, clip_s=60)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Workers]:
    with Workers(1, LIMITS) as workers:
        yield workers


@pytest.mark.parametrize("container", KINDS)
def test_the_clips_that_are_changed_are_decoded_at_first(container: str, tmp_path: Path, decoder: Workers) -> None:
    path = tmp_path / f"clip.{KINDS[container][0]}"
    path.write_bytes(clip(container))
    found = decoded_by(decoder, decode_clip, path, min_audio_s=0.1)
    assert found.code is Reason.OK, found.detail
    assert found.frames
    assert found.wave is not None


@pytest.mark.parametrize("container", KINDS)
def test_a_changed_clip_is_a_row_and_the_decoder_lives_or_is_replaced(
    container: str, tmp_path: Path, decoder: Workers
) -> None:
    path = tmp_path / f"clip.{KINDS[container][0]}"
    codes: Counter[str] = Counter()

    def case(dice: random.Random) -> None:
        path.write_bytes(file_of([clip(container)], dice))
        found = decoded_by(decoder, decode_clip, path, min_audio_s=0.1, limits=LIMITS)
        assert isinstance(found, Decoded)
        assert len(found.frames) <= LIMITS.clip_s / 0.4 + 1
        codes[found.code.value] += 1
        if found.code in (Reason.DECODER_CRASHED, Reason.DECODING_TIMEOUT, Reason.MEDIA_UNREADABLE):
            print(container, found.code, found.detail[:300])  # noqa: T201

    @FUZZ
    @given(cases)
    def run(numbers: range) -> None:
        try_each(numbers, case)

    run()
    print(container, dict(codes.most_common()))  # noqa: T201 - `pytest -s` tells what a long run has met
