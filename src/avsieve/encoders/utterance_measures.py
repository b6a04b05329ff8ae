"""What tells how much an utterance's embedding can be worth: noise and clipping of its sound, agreement of its parts.

Calibration takes them as quality measures (`avsieve.fusion.measures`), as the entries that won VoxSRC do (Thienpondt et
al., "The IDLAB VoxSRC-20 submission", 2020; ID R&D, 2023).
"""

from __future__ import annotations

import numpy as np

_FRAME, _HOP = 400, 160  # samples: 25 and 10 ms at 16 kHz
_QUIET, _LOUD = 10, 90  # percentiles
_FLOOR = 1.0  # mean square of a step of 16 bit, which silence is taken for at least
_FULL = 32_767  # of 16 bit
_RUN = 3  # so many samples at the limit beside each other are cut off; one may be a peak


def snr_db(samples: np.ndarray) -> float:
    """Return the level of the loud frames above that of the quiet ones, dB.

    The ratio of the 90th to the 10th percentile of the energies of frames of 25 ms: pauses hold the noise alone. Speech
    without pauses looks noisy. NaN for less than ten frames.

    Parameters
    ----------
    samples
        (N,) int16 at 16 kHz.
    """
    if len(samples) < _FRAME + 9 * _HOP:
        return float("nan")
    total = np.r_[0.0, np.cumsum(np.square(samples, dtype=np.float64))]
    begins = np.arange(0, len(samples) - _FRAME + 1, _HOP)
    energy = np.maximum((total[begins + _FRAME] - total[begins]) / _FRAME, _FLOOR)
    quiet, loud = np.percentile(energy, [_QUIET, _LOUD])
    return float(10 * np.log10(loud / quiet))


def clipped(samples: np.ndarray) -> float:
    """Return the share of the samples that are cut off at the sound's own peak, 0 to 1.

    Clipping is often followed by a change of level, so the limit is the largest value there is.

    Parameters
    ----------
    samples
        (N,) int16.
    """
    level = np.abs(samples.astype(np.int32))
    peak = int(level.max(initial=0))
    if peak < _FULL // 100:  # nearly silent: steps of 16 bit repeat by themselves
        return 0.0
    at = level >= 0.995 * peak
    edges = np.flatnonzero(np.diff(np.r_[False, at, False].astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= _RUN].sum() / len(samples))


def consistency(vectors: np.ndarray) -> float:
    """Return the mean cosine of embeddings (T, D) to each other, of an utterance's segments or faces.

    The mean over the pairs of different ones follows from the length of their mean: with n unit vectors whose mean is
    m it is (n |m|^2 - 1) / (n - 1). NaN for fewer than two.
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    unit = vectors[lengths[:, 0] > 0] / lengths[lengths[:, 0] > 0]
    n = len(unit)
    if n < 2:
        return float("nan")
    mean = unit.mean(axis=0)
    return float((n * (mean @ mean) - 1) / (n - 1))
