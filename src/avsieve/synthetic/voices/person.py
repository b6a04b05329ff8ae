"""Voices of synthetic people.

A `VoiceIdentity` is larynx, vocal tract and habits of a person, a `Channel` one video's recording conditions, and
`synthesise` lets the person babble for some seconds. The pitch wanders by a few semitones between videos and
utterances, and women's and men's voices overlap, so a person is recognised by tract, source and habits together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from avsieve.storage.wav import SAMPLE_RATE
from avsieve.synthetic.voices.channel import Channel, record, sample_channel
from avsieve.synthetic.voices.phones import FRAME_S, babble
from avsieve.synthetic.voices.tract import Tract, speak

__all__ = ["FPS", "Channel", "VoiceIdentity", "sample_channel", "sample_voice", "synthesise"]

FPS = 25
# Mean pitch in Hz with its spread as a ratio, and formants relative to a tract of 17.5 cm with their spread.
_SEXES = {"f": (198.0, 0.15, 1.15, 0.045), "m": (120.0, 0.17, 1.00, 0.045)}


@dataclass(frozen=True)
class VoiceIdentity:
    """All that stays with a person from one recording to the next."""

    sex: str  # 'f' or 'm'
    tract: Tract
    rate: float  # syllables a second
    pause_share: float
    f0_range: float  # semitones
    final: float  # where phrases end, semitones
    accent_s: float  # how fast the pitch moves, seconds


def sample_voice(rng: np.random.Generator, sex: str) -> VoiceIdentity:
    """Draw a person of ``sex``, ``'f'`` or ``'m'``."""
    f0, f0_spread, scale, scale_spread = _SEXES[sex]

    def ratios(spread: float, count: int) -> tuple[float, ...]:
        return tuple(float(x) for x in np.exp(rng.normal(0, spread, count)))

    tract = Tract(
        f0_hz=float(f0 * np.exp(rng.normal(0, f0_spread))),
        open_quotient=float(rng.uniform(0.45, 0.85)),
        tilt_db=float(rng.uniform(0.5, 11)),
        breath=float(np.exp(rng.uniform(np.log(0.02), np.log(0.5)))),
        jitter=float(np.exp(rng.normal(np.log(0.008), 0.5))),
        shimmer=float(np.exp(rng.normal(np.log(0.05), 0.5))),
        creak=float(max(0.0, rng.normal(-0.03, 0.08))),
        scale=float(scale * np.exp(rng.normal(0, scale_spread))),
        low=(ratios(0.05, 1)[0], ratios(0.05, 1)[0], ratios(0.05, 1)[0]),
        spread=(float(rng.uniform(0.75, 1.2)), float(rng.uniform(0.75, 1.15))),
        high_hz=tuple(float(h * r) for h, r in zip((3500, 4450, 5500, 6500, 7500, 8500), ratios(0.05, 6), strict=True)),
        bandwidths=ratios(0.25, 9),
        notch_hz=float(rng.uniform(4000, 5200)),
        notch_depth=float(rng.uniform(0, 1)),
        nasal_hz=float(rng.uniform(240, 330)),
        nasality=float(max(0.0, rng.normal(0.1, 0.15))),
        sibilant_hz=float(rng.uniform(4600, 7600)),
        sibilant_level=float(np.exp(rng.normal(0, 0.35))),
    )
    return VoiceIdentity(
        sex=sex,
        tract=tract,
        rate=float(rng.uniform(3.6, 5.8)),
        pause_share=float(rng.uniform(0.03, 0.18)),
        f0_range=float(rng.uniform(1.2, 4.5)),
        final=float(rng.normal(-2.0, 1.5)),
        accent_s=float(rng.uniform(0.08, 0.25)),
    )


def synthesise(
    voice: VoiceIdentity, channel: Channel, seconds: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Let ``voice`` say something new for ``seconds``, recorded through ``channel``.

    Parameters
    ----------
    voice
        Who speaks.
    channel
        In which video.
    seconds
        Length of the utterance.
    rng
        Determines what is said and how; a generator in the same state gives the same samples.

    Returns
    -------
    wave
        (n,) float32 in [-1, 1] at 16 kHz.
    mouth
        (n_frames,) float32, 0 closed to 1 wide open, at 25 frames a second: it follows vowels and loudness.
    """
    n = round(seconds * SAMPLE_RATE)
    effort = float(np.clip(channel.effort + rng.normal(0, 0.2), -1, 1))
    pitch = channel.pitch + rng.normal(0, 0.6) + 1.5 * effort
    tract = replace(
        voice.tract,
        f0_hz=voice.tract.f0_hz * 2 ** (pitch / 12),
        # A raised voice closes the glottis sooner and more sharply.
        open_quotient=float(np.clip(voice.tract.open_quotient - 0.08 * effort, 0.35, 0.92)),
        tilt_db=max(0.5, voice.tract.tilt_db - 3.0 * effort),
        breath=voice.tract.breath * float(np.exp(-0.4 * effort)),
    )
    tracks = babble(
        seconds,
        rng,
        rate=voice.rate * channel.rate,
        pause_share=voice.pause_share,
        f0_range=voice.f0_range,
        final=voice.final,
        accent_s=voice.accent_s,
    )
    wave = record(speak(tract, tracks, n, rng), channel, rng)
    times = np.arange(round(seconds * FPS)) / FPS
    loud = np.clip(tracks.voice + 2 * tracks.breath + tracks.hiss, 0, 1) ** 0.5
    mouth = np.interp(times, np.arange(len(loud)) * FRAME_S, tracks.mouth * (0.4 + 0.6 * loud))
    return wave, np.clip(mouth, 0, 1).astype(np.float32)
