from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from avsieve.storage.wav import SAMPLE_RATE
from avsieve.synthetic.voices.channel import record
from avsieve.synthetic.voices.person import FPS, Channel, VoiceIdentity, sample_channel, sample_voice, synthesise
from avsieve.synthetic.voices.phones import babble
from avsieve.synthetic.voices.rooms import room_response
from avsieve.synthetic.voices.tract import speak


def person(seed: int, sex: str = "f") -> VoiceIdentity:
    return sample_voice(np.random.default_rng([7, seed]), sex)


def quiet_channel(seed: int = 0) -> Channel:
    return replace(sample_channel(np.random.default_rng(seed)), snr_db=60.0, direct_db=40.0, pitch=0.0, effort=0.0)


def spectrum(wave: np.ndarray) -> np.ndarray:
    """Return the mean log spectrum in 40 bands, without its level."""
    blocks = wave[: len(wave) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    power = np.square(np.abs(np.fft.rfft(blocks, axis=1))).mean(axis=0)[1:241].reshape(40, 6).sum(axis=1)
    found = np.log(power + 1e-12)
    return found - found.mean()


@pytest.mark.parametrize("seconds", [0.5, 2.0, 3.96])
def test_a_wave_and_a_mouth_track_have_the_length_that_was_asked(seconds: float) -> None:
    wave, mouth = synthesise(person(1), quiet_channel(), seconds, np.random.default_rng(3))
    assert wave.shape == (round(seconds * SAMPLE_RATE),)
    assert mouth.shape == (round(seconds * FPS),)
    assert wave.dtype == mouth.dtype == np.float32
    assert np.isfinite(wave).all()
    assert np.abs(wave).max() <= 1
    assert mouth.min() >= 0
    assert mouth.max() <= 1


def test_the_same_generator_says_the_same_and_another_says_something_else() -> None:
    once, again, other = (
        synthesise(person(1), quiet_channel(), 1.0, np.random.default_rng(seed))[0] for seed in (3, 3, 4)
    )
    assert np.array_equal(once, again)
    assert np.corrcoef(once, other)[0, 1] < 0.5


def test_the_mouth_is_open_where_the_voice_is_loud() -> None:
    wave, mouth = synthesise(person(2, "m"), quiet_channel(), 8.0, np.random.default_rng(5))
    loud = np.sqrt(np.square(wave[: len(mouth) * 640].reshape(-1, 640)).mean(axis=1))
    assert np.corrcoef(loud, mouth)[0, 1] > 0.4
    assert mouth[loud < 0.05 * loud.max()].mean() < 0.5 * mouth.mean()


def test_voices_of_women_and_men_differ_in_pitch_and_overlap() -> None:
    pitch = {sex: np.array([person(i, sex).tract.f0_hz for i in range(200)]) for sex in "fm"}
    assert np.median(pitch["f"]) > 1.4 * np.median(pitch["m"])
    assert pitch["f"].min() < pitch["m"].max()


def test_the_pitch_is_where_the_tract_puts_it() -> None:
    voice = replace(person(4, "m"), f0_range=0.1, final=0.0)
    tract = replace(voice.tract, f0_hz=125.0, jitter=0.0, creak=0.0, breath=0.0)
    tracks = babble(4.0, np.random.default_rng(1), f0_range=0.1, final=0.0)
    tracks.f0[:] = 0
    wave = speak(tract, tracks, 4 * SAMPLE_RATE, np.random.default_rng(2))
    power = np.square(np.abs(np.fft.rfft(wave)))[:2500].reshape(5, 500)  # a row of 500 quarter hertz is 125 Hz
    harmonics, between = power[1:, :40].sum() + power[:, -40:].sum(), power[:, 210:290].sum()
    assert harmonics > 5 * between


def test_a_person_is_told_by_more_than_pitch() -> None:
    """Two utterances of a person are alike in their long-term spectrum; another tract at the same pitch is not."""
    people = [replace(p, tract=replace(p.tract, f0_hz=150.0)) for p in (person(i) for i in range(8))]
    profiles = np.array(
        [
            [spectrum(synthesise(p, quiet_channel(), 10.0, np.random.default_rng([i, j]))[0]) for j in range(2)]
            for i, p in enumerate(people)
        ]
    )
    distance = np.abs(profiles[:, None, 0] - profiles[None, :, 1]).mean(axis=2)
    assert (distance.argmin(axis=1) == np.arange(8)).sum() >= 6


def test_a_channel_leaves_its_mark_and_keeps_the_length() -> None:
    speech = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    channel = replace(quiet_channel(), high_cut_hz=4000.0, level_db=-20.0)
    heard = record(speech, channel, np.random.default_rng(1))
    power = np.square(np.abs(np.fft.rfft(heard)))
    assert len(heard) == len(speech)
    assert power[6000:].sum() < 0.01 * power.sum()
    assert 20 * np.log10(np.sqrt(np.mean(heard**2))) == pytest.approx(-20, abs=1.0)


@pytest.mark.parametrize("kind", ["white", "pink", "traffic", "babble", "hum"])
def test_noise_has_the_ratio_that_was_asked(kind: str) -> None:
    speech = np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    channel = replace(quiet_channel(), noise=kind, snr_db=10.0, direct_db=60.0, level_db=-30.0)
    heard, clean = (record(speech, c, np.random.default_rng(1)) for c in (channel, replace(channel, snr_db=90.0)))
    gain = float(heard @ clean / (clean @ clean))
    noise = heard - gain * clean
    assert 10 * np.log10(np.mean((gain * clean) ** 2) / np.mean(noise**2)) == pytest.approx(10, abs=1.5)


def test_silence_stays_finite() -> None:
    assert np.isfinite(record(np.zeros(SAMPLE_RATE), quiet_channel(), np.random.default_rng(0))).all()


def test_a_room_decays_in_its_time_and_keeps_its_direct_sound() -> None:
    response = room_response(np.random.default_rng(0), t60_s=0.4, direct_db=5.0)
    assert response[0] == 1
    assert 10 * np.log10(1 / np.square(response[1:]).sum()) == pytest.approx(5, abs=0.01)
    early, late = np.square(response[800:1600]).sum(), np.square(response[4000:4800]).sum()
    assert 10 * np.log10(early / late) == pytest.approx(60 * 0.2 / 0.4, abs=8)


def test_a_second_of_voice_costs_little() -> None:
    voice, channel, rng = person(1), quiet_channel(), np.random.default_rng(0)
    synthesise(voice, channel, 1.0, rng)
    begin = time.process_time()
    synthesise(voice, channel, 8.0, rng)
    assert (time.process_time() - begin) / 8 < 0.06
