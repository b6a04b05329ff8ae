"""Synthetic rooms: impulse responses from decaying noise."""

from __future__ import annotations

import numpy as np

from avsieve.storage.wav import SAMPLE_RATE


def room_response(rng: np.random.Generator, *, t60_s: float, direct_db: float, early: int = 8) -> np.ndarray:
    """Return a room's impulse response at 16 kHz, float64, the direct sound at sample 0 with amplitude 1.

    A few single reflections come first, then noise with exponential decay whose high frequencies decay
    faster, because walls and air absorb them more (Polack's model of the diffuse tail).

    Parameters
    ----------
    rng
        Decides reflections and tail.
    t60_s
        Time until the tail has lost 60 dB.
    direct_db
        Level of the direct sound over all that follows; 20 is close to the microphone, 0 across the room.
    early
        Number of single reflections.
    """
    n = max(64, int(min(t60_s, 0.8) * SAMPLE_RATE))
    t = np.arange(n) / SAMPLE_RATE
    tail = np.zeros(n)
    for share, faster in ((0.6, 1.0), (0.4, 2.5)):
        noise = rng.standard_normal(n)
        if faster == 1.0:
            noise = np.convolve(noise, [0.25, 0.5, 0.25], mode="same")
        tail += share * noise * np.exp(-6.9 * faster * t / t60_s)
    tail[: int(0.004 * SAMPLE_RATE)] = 0
    times = (rng.uniform(0.002, 0.04, early) * SAMPLE_RATE).astype(int)
    inside = times < n
    np.add.at(tail, times[inside], (rng.choice([-1, 1], early) * rng.uniform(1, 4, early))[inside] * 0.5)
    power = float(np.square(tail).sum())
    response = tail * np.sqrt(10 ** (-direct_db / 10) / max(power, 1e-12))
    response[0] = 1.0
    return response
