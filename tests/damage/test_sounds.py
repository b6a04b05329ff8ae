from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from avsieve.damage.sounds import as_samples, clipped, damaged_voice
from avsieve.damage.surroundings import Surroundings
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.wav import wav_bytes

from .shards import N, speech_like, wanted_of


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    (tmp_path / "noise").mkdir()
    soundfile.write(tmp_path / "noise" / "hiss.wav", np.random.default_rng(9).normal(0, 0.1, 40_000), 16_000)
    with TarWriter(tmp_path / "000.wav.tar") as writer:
        for i, utterance in enumerate(("a/v/1", "b/v/1", "c/v/1", "d/v/1")):
            writer.add(utterance, f"{utterance}.wav", wav_bytes(speech_like(20_000 + 1000 * i, i)))
    with TarReader(tmp_path / "000.wav.tar") as reader:
        yield Surroundings(reader, noise=[tmp_path / "noise"])


def silent_edges() -> np.ndarray:
    samples = speech_like()
    samples[: N // 3] = samples[-N // 4 :] = 0
    return samples


def snr_db(clean: np.ndarray, noisy: np.ndarray) -> float:
    """Measure the ratio where the noise is what the voice does not explain; the mix may have been scaled."""
    clean, noisy = clean.astype(float), noisy.astype(float)
    scale = clean @ noisy / (clean @ clean)
    rest = noisy - scale * clean
    return float(10 * np.log10(np.square(scale * clean).sum() / np.square(rest).sum()))


@pytest.mark.parametrize("sound", ["white", "pink", "babble", "recording"])
@pytest.mark.parametrize("wanted_db", [20.0, 5.0, 0.0, -5.0])
def test_noise_reaches_its_ratio(around: Surroundings, sound: str, wanted_db: float) -> None:
    for samples in (speech_like(), silent_edges()):
        noisy = damaged_voice(samples, wanted_of("noise", snr_db=wanted_db, sound=sound), around)
        assert noisy.shape == samples.shape
        added = noisy.astype(float) - samples
        # By chance a noise has a little of the voice in it, which the other measure takes for the voice.
        found = 10 * np.log10(np.square(samples.astype(float)).sum() / np.square(added).sum())
        assert found == pytest.approx(wanted_db, abs=0.1)
        assert snr_db(samples, noisy) == pytest.approx(wanted_db, abs=0.5)


def test_a_mix_that_would_not_fit_is_softer_as_a_whole_and_keeps_its_ratio(around: Surroundings) -> None:
    loud = (speech_like().astype(int) * 3).clip(-32768, 32767).astype(np.int16)
    noisy = damaged_voice(loud, wanted_of("noise", snr_db=0.0), around)
    assert np.abs(noisy.astype(int)).max() == 32767
    assert (np.abs(noisy.astype(int)) == 32767).sum() == 1, "nothing is clipped"
    assert snr_db(loud, noisy) == pytest.approx(0, abs=0.2)
    assert as_samples(np.array([0.5, -0.25])).tolist() == [16384, -8192]


def test_silence_stays_silence(around: Surroundings) -> None:
    silence = np.zeros(N, np.int16)
    for kind, parameters in (("noise", {"snr_db": 0.0}), ("reverberation", {}), ("clipping", {}), ("short", {})):
        assert not damaged_voice(silence, wanted_of(kind, **parameters), around).any()


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_the_share_of_the_samples_is_clipped(share: float) -> None:
    samples = np.random.default_rng(0).permutation(np.arange(-16_000, 16_000)).astype(np.int16)
    found = clipped(samples, share)
    limit = np.abs(found).max()
    assert (np.abs(samples) >= limit).mean() == pytest.approx(share, abs=0.001)
    inside = np.abs(samples) < limit
    assert np.array_equal(found[inside], samples[inside])
    assert np.array_equal(np.sign(found[~inside]), np.sign(samples[~inside]))


def test_clipping_nothing_changes_nothing_and_never_silences() -> None:
    assert np.array_equal(clipped(speech_like(), 0.0), speech_like())
    click = np.zeros(1000, np.int16)
    click[5] = -32768
    assert clipped(click, 0.5)[5] == -1


def test_a_piece_of_a_second_lasts_a_second_at_a_seeded_place(around: Surroundings) -> None:
    ramp = np.arange(N, dtype=np.int16)
    starts = set()
    for seed in range(6):
        piece = damaged_voice(ramp, wanted_of("short", seed=seed, seconds=1.0), around)
        assert np.array_equal(piece, piece[0] + np.arange(16_000))
        starts.add(int(piece[0]))
    assert len(starts) > 3
    assert np.array_equal(damaged_voice(ramp, wanted_of("short", seconds=3.0), around), ramp)


def test_a_room_keeps_the_direct_sound_and_adds_its_tail(around: Surroundings) -> None:
    click = np.zeros(N, np.int16)
    click[1000] = 20_000
    heard = damaged_voice(click, wanted_of("reverberation", t60_s=0.4), around)
    assert len(heard) == N
    assert not heard[:1000].any()
    assert heard[1000] == 20_000
    assert np.square(heard[1001:].astype(float)).sum() == pytest.approx(20_000**2, rel=0.02)
