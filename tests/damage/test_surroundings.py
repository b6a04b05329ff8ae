from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from avsieve.damage.surroundings import Surroundings, decaying_room, fitted
from avsieve.errors import ConfigError
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.wav import wav_bytes

N = 16_000


def tone(hz: float, n: int = N) -> np.ndarray:
    return np.round(8000 * np.sin(2 * np.pi * hz * np.arange(n) / 16_000)).astype(np.int16)


@pytest.fixture
def wavs(tmp_path: Path) -> Iterator[TarReader]:
    """A tone per utterance: two of speaker a, one each of nine others, a silent voice and what is no wav."""
    with TarWriter(tmp_path / "000.wav.tar") as writer:
        for i, utterance in enumerate(["a/v/1", "a/w/1", *(f"b{k}/v/1" for k in range(9))]):
            writer.add(utterance, f"{utterance}.wav", wav_bytes(tone(500 * (i + 1))))
        writer.add("c/v/1", "c/v/1.wav", wav_bytes(np.zeros(N, np.int16)))
        writer.add("d/v/1", "d/v/1.wav", b"no wav")
    with TarReader(tmp_path / "000.wav.tar") as reader:
        yield reader


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("sound", "db_per_octave"), [("white", 0.0), ("pink", -3.01)])
def test_generated_noise_has_the_slope_of_its_colour(wavs: TarReader, sound: str, db_per_octave: float) -> None:
    noise = Surroundings(wavs).noise(sound, 2**18, "a/v/1", rng())
    power = np.abs(np.fft.rfft(noise)) ** 2
    hz = np.fft.rfftfreq(2**18, 1 / 16_000)
    octaves = np.arange(6, 13)  # 62.5 to 8000 Hz
    means = [power[(hz >= 2.0**k * 0.9765625) & (hz < 2.0 ** (k + 1) * 0.9765625)].mean() for k in octaves]
    slope = np.polyfit(octaves, 10 * np.log10(means), 1)[0]
    assert slope == pytest.approx(db_per_octave, abs=0.1)


def test_a_babble_is_three_to_eight_equally_loud_voices_of_other_speakers(wavs: TarReader) -> None:
    around, counts = Surroundings(wavs), set()
    for seed in range(40):
        crowd = around.noise("babble", N, "a/v/1", rng(seed))
        loud = np.abs(np.fft.rfft(crowd))[[500 * (i + 1) for i in range(11)]] / (N / 2)
        assert (loud[:2] < 0.05).all(), "nobody of speaker a, neither the utterance nor the other video"
        heard = loud[2:] > 0.5
        assert np.allclose(loud[2:][heard], np.sqrt(2), atol=0.01)
        counts.add(int(heard.sum()))
    assert counts == set(range(3, 9))


def test_a_babble_has_as_many_voices_as_there_are_and_is_refused_where_there_is_none(tmp_path: Path) -> None:
    with TarWriter(tmp_path / "one.wav.tar") as writer:
        for utterance in ("a/v/1", "a/v/2"):
            writer.add(utterance, f"{utterance}.wav", wav_bytes(tone(500)))
    with TarReader(tmp_path / "one.wav.tar") as reader:
        expected = r"one\.wav\.tar holds no voice of another speaker than that of a/v/1; run with fewer shards, or"
        with pytest.raises(ConfigError, match=expected):
            Surroundings(reader).noise("babble", N, "a/v/1", rng())
        assert Surroundings(reader).noise("babble", N, "b/v/1", rng()).any()


def test_recordings_are_cut_or_repeated_from_a_seeded_place(wavs: TarReader, tmp_path: Path) -> None:
    (tmp_path / "noise").mkdir()
    ramp = np.arange(1, 101, dtype=np.int16)
    soundfile.write(tmp_path / "noise" / "ramp.wav", ramp, 16_000)
    around = Surroundings(wavs, noise=[tmp_path / "noise"])
    starts = set()
    for seed in range(5):
        for n in (30, 250):
            found = np.round(around.noise("recording", n, "a/v/1", rng(seed)) * 32768).astype(int)
            assert len(found) == n
            assert np.array_equal(found, (found[0] - 1 + np.arange(n)) % 100 + 1)
            starts.add(found[0])
    assert len(starts) > 3
    assert fitted(ramp, 3, rng(1)).tolist() == fitted(ramp, 3, rng(1)).tolist()


def test_recordings_are_wanted_only_where_there_are_some_that_can_be_heard(wavs: TarReader, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no folder of recordings; name one or several in evaluation\.damage\.noise"):
        Surroundings(wavs).noise("recording", N, "a/v/1", rng())
    (tmp_path / "quiet").mkdir()
    soundfile.write(tmp_path / "quiet" / "a.wav", np.zeros(100, np.int16), 16_000)
    with pytest.raises(ConfigError, match=r"quiet: 50 pieces drawn, all silent; take silent recordings out"):
        Surroundings(wavs, noise=[tmp_path / "quiet"]).noise("recording", N, "a/v/1", rng())


def schroeder_t60_s(response: np.ndarray) -> float:
    """Measure as ISO 3382 does: the line through -5 to -35 dB of the energy that is still to come."""
    left = 10 * np.log10(np.cumsum(np.square(response)[::-1])[::-1] / np.square(response).sum())
    inside = (left <= -5) & (left >= -35)
    slope = np.polyfit(np.flatnonzero(inside) / 16_000, left[inside], 1)[0]
    return float(-60 / slope)


@pytest.mark.parametrize("t60_s", [0.3, 0.8, 1.5])
def test_a_generated_room_decays_as_it_was_asked_to_and_its_direct_sound_comes_first(t60_s: float) -> None:
    for seed in range(3):
        response = decaying_room(t60_s, rng(seed))
        assert schroeder_t60_s(response) == pytest.approx(t60_s, rel=0.05)
        assert response[0] == 1
        assert np.square(response[1:]).sum() == pytest.approx(1)
    assert not np.array_equal(decaying_room(t60_s, rng(0)), decaying_room(t60_s, rng(1)))


def test_recorded_rooms_replace_generated_ones_and_begin_with_their_direct_sound(
    wavs: TarReader, tmp_path: Path
) -> None:
    (tmp_path / "rooms").mkdir()
    soundfile.write(tmp_path / "rooms" / "hall.wav", np.array([0, 0, -0.5, 0.25, 0.1]), 16_000, subtype="FLOAT")
    around = Surroundings(wavs, rooms=[tmp_path / "rooms"])
    assert around.response(0.8, rng()) == pytest.approx([1, -0.5, -0.2])
    assert around.facts == {"noise_recordings": 0, "room_recordings": 1}
