from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from avsieve.media.lookahead import Lookahead, Timing
from avsieve.media.reader import Pass, Wanted

from .conftest import awkward

ENCODES = [
    "25.mp4", "vfr.mp4", "vfr.mkv", "trimmed.mp4", "latevideo.mp4", "fragmented.mp4", "h264.ts", "nobframes.mp4",
    "pyramid.mp4", "nopyramid.mp4", "opengop.mp4", "refresh.mp4", "interlaced.mp4", "tenbit.mp4", "hevc.mp4",
    "layers.hevc.mp4",
]  # fmt: skip


def read(path: Path, interval_s: float, *, skip: bool) -> tuple[Pass, bool]:
    with av.open(str(path)) as container:
        reading = Pass(container, Wanted(interval_s, None, audio=False), skip=skip)
        return reading, reading.run()


@pytest.mark.parametrize("name", ENCODES)
def test_frames_are_the_same_to_the_bit_as_with_everything_decoded(inputs: Path, name: str) -> None:
    recipe = next(r for r in awkward.RECIPES if r.name == name)
    path = inputs / name if (inputs / name).exists() else awkward.make(inputs, recipe)
    for interval_s in (0.4, 0.13, 1.1):
        quick, kept_its_word = read(path, interval_s, skip=True)
        slow, _ = read(path, interval_s, skip=False)
        assert kept_its_word
        assert list(quick.out.images) == list(slow.out.images) != []
        assert all(np.array_equal(quick.out.images[n], slow.out.images[n]) for n in slow.out.images)
        assert quick.out.video_s == slow.out.video_s


def test_frames_that_nothing_depends_on_are_not_decoded(inputs: Path) -> None:
    path = awkward.make(inputs, next(r for r in awkward.RECIPES if r.name == "pyramid.mp4"))
    quick, _ = read(path, 0.4, skip=True)
    slow, _ = read(path, 0.4, skip=False)
    assert slow.frames_decoded > 70
    assert quick.frames_decoded < 0.7 * slow.frames_decoded


class Packet:
    def __init__(self, pts: int | None, duration: int = 4, is_discard: bool = False) -> None:
        self.pts, self.duration, self.is_discard = pts, duration, is_discard


def wanted_of(stamps: list[int | None], interval_s: float = 0.4) -> tuple[Lookahead, list[int | None]]:
    ahead = Lookahead(Timing(0.0, 0.01, interval_s, 0.04))
    out = [due for p in map(Packet, stamps) for due in ahead.push(p)]
    out += list(ahead.finish())
    return ahead, [packet.pts for packet, wanted in out if wanted]


def test_the_frame_shown_at_a_time_is_found_whatever_the_order_of_the_packets() -> None:
    shown = list(range(0, 1000, 4))
    shuffled = [s for i in range(0, 250, 5) for s in (shown[i], *shown[i + 4 : i : -1])]
    ahead, wanted = wanted_of(shuffled)
    assert sorted(wanted) == list(range(40, 1000, 40))
    assert ahead.expected == {k: 40 * k for k in range(1, 25)}
    assert ahead.end_s == pytest.approx(10.0)


def test_a_frame_may_be_wanted_several_times() -> None:
    ahead, wanted = wanted_of([0, 4, 200, 204], interval_s=0.5)
    assert ahead.expected == {1: 4, 2: 4, 3: 4, 4: 200}
    assert wanted == [4, 200]


def test_packets_without_times_are_all_wanted() -> None:
    ahead, wanted = wanted_of([0, None, 8, None])
    assert not ahead.complete
    assert wanted.count(None) == 2
