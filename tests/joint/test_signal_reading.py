from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from avsieve.errors import ConfigError, ModelError
from avsieve.joint.reading import SignalReading
from avsieve.joint.signal_reading import example_of

from .conftest import TIMES, Tiny

UTTERANCE = "id0/v0/00001"


def begin_of(wave: np.ndarray) -> float:
    """The time at which a piece of the ramp of speaker 0 begins, in seconds, to a 128th."""
    return float(np.round(wave[0] * 32768) - 1000) / 128


def shades_of(faces: np.ndarray) -> list[int]:
    """The times that faces tell by their red, in 25ths."""
    return np.round(faces[:, 56, 56, 2].astype(float)).astype(int).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_faces_of_a_crop_are_those_of_its_time(tiny: Tiny, seed: int) -> None:
    reading = SignalReading(crop_s=1.0, faces=4, choice="crop")
    with tiny.signals() as signals:
        found = example_of(
            signals.wave(UTTERANCE), signals.faces(UTTERANCE), reading, (112, 112), np.random.default_rng(seed)
        )
    assert found.wave is not None
    assert len(found.wave) == 16_000
    first = int(np.abs(np.array(TIMES) - shades_of(found.faces)[0]).argmin())
    begin = TIMES[first] / 25 - found.times_s[0]
    assert 0 <= begin - begin_of(found.wave) < 1 / 128
    inside = [t for t in TIMES if begin <= t / 25 < begin + 1]
    assert np.allclose(found.times_s + begin, np.array(inside) / 25)
    assert np.abs(np.array(shades_of(found.faces)) - inside).max() <= 3


def test_a_crop_is_drawn_among_all_places_that_hold_a_face() -> None:
    reading = SignalReading(crop_s=10 / 16_000, choice="crop")
    rng = np.random.default_rng(0)
    times = np.array([3, 7, 50, 90]) / 16_000
    starts = Counter(reading.drawn_start(100, times, rng) for _ in range(6000))
    expected = {s for s in range(91) if any(s <= t < s + 10 for t in (3, 7, 50, 90))}
    assert set(starts) == expected
    # Each is as likely as any other: 6000 / 28 are 214, of a standard deviation of 15.
    assert all(140 < count < 290 for count in starts.values())


def test_without_a_face_in_any_place_the_nearest_is_taken(tiny: Tiny) -> None:
    reading = SignalReading(crop_s=0.25, faces=4, choice="crop")
    with tiny.signals() as signals:
        wave, faces = signals.wave(UTTERANCE), signals.faces(UTTERANCE)
        assert wave is not None
        found = example_of(wave[:2400], faces, reading, (112, 112), np.random.default_rng(0))  # ends before 0.16 s
    assert found.times_s.tolist() == [4 / 25]


def test_random_faces_are_different_ones_in_the_order_of_time(tiny: Tiny) -> None:
    reading = SignalReading(crop_s=1.0, faces=3, choice="random")
    with tiny.signals() as signals:
        faces = signals.faces(UTTERANCE)
        drawn = [tuple(reading.chosen(faces, 0, 1, np.random.default_rng(seed)).tolist()) for seed in range(60)]
    assert all(a < b < c for a, b, c in drawn)
    assert len(set(drawn)) > 20
    assert {i for each in drawn for i in each} == set(range(8))


@pytest.mark.parametrize(("count", "expected"), [(1, [4]), (2, [2, 6]), (4, [1, 3, 5, 7]), (8, list(range(8)))])
def test_even_faces_are_the_middles_of_equal_parts(tiny: Tiny, count: int, expected: list[int]) -> None:
    with tiny.signals() as signals:
        chosen = SignalReading(faces=count, choice="even").chosen(signals.faces(UTTERANCE), 0, 1)
    assert chosen.tolist() == expected


@pytest.mark.parametrize("choice", ["random", "even"])
def test_random_and_even_faces_can_be_those_of_the_crop(tiny: Tiny, choice: str) -> None:
    reading = SignalReading(crop_s=1.0, faces=2, choice=choice, within="crop")  # type: ignore[arg-type]
    with tiny.signals() as signals:
        for seed in range(10):
            chosen = reading.chosen(signals.faces(UTTERANCE), 1.0, 1.0, np.random.default_rng(seed))
            assert set(chosen.tolist()) <= {3, 4}


@pytest.mark.parametrize(("short", "samples"), [("repeat", 96_000), ("pad", 64_000)])
def test_a_short_voice_is_repeated_or_left_as_long_as_it_is(tiny: Tiny, short: str, samples: int) -> None:
    reading = SignalReading(crop_s=6.0, short=short)  # type: ignore[arg-type]
    with tiny.signals() as signals:
        wave = signals.wave(UTTERANCE)
        found = example_of(wave, signals.faces(UTTERANCE), reading, (112, 112), np.random.default_rng(0)).wave
    assert found is not None
    assert wave is not None
    assert len(found) == samples
    assert np.array_equal(found * 32768, np.resize(wave, samples))


def test_without_draws_the_middle_is_read(tiny: Tiny) -> None:
    with tiny.signals() as signals:
        found = example_of(
            signals.wave(UTTERANCE), signals.faces(UTTERANCE), SignalReading(crop_s=1.0, faces=9), (112, 112)
        )
    assert found.wave is not None
    assert begin_of(found.wave) == 1.5
    assert np.allclose(found.times_s, np.array(TIMES) / 25 - 1.5)


def test_without_a_voice_the_crop_lies_among_the_faces(tiny: Tiny) -> None:
    reading = SignalReading(crop_s=1.0, faces=8, choice="crop", need="either")
    with tiny.signals() as signals:
        found = example_of(None, signals.faces(UTTERANCE), reading, (112, 112))
    assert found.wave is None
    assert np.abs(np.array(shades_of(found.faces)) - [t for t in TIMES if 1.3 <= t / 25 < 2.3]).max() <= 3


def test_faces_of_unknown_time_are_not_taken_for_those_of_a_crop(tiny: Tiny) -> None:
    with tiny.signals() as signals:
        faces = signals.faces(UTTERANCE)
        faces.times_s[:] = np.nan
        with pytest.raises(ModelError, match=r"0004\.jpg: .* names like this tell no time .*over the whole utterance"):
            SignalReading(choice="crop").chosen(faces, 0, 1)
        assert len(SignalReading(choice="even").chosen(faces, 0, 1)) == 1


def test_faces_of_two_sizes_are_refused(tiny: Tiny) -> None:
    with tiny.signals() as signals, pytest.raises(ModelError, match="a face of 112 x 112 pixels; expected 100 x 160"):
        example_of(None, signals.faces(UTTERANCE), SignalReading(), (160, 100))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"choice": "first"}, "choice is 'first'; expected random or even or crop"),
        ({"short": "cut"}, "short is 'cut'"),
        ({"faces": 0}, "0 faces"),
        ({"crop_s": 0.0}, "a piece of 0.0 s"),
    ],
)
def test_what_cannot_be_read_is_refused(values: dict, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SignalReading(**values)
