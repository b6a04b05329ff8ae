from __future__ import annotations

import numpy as np
import pytest

from avsieve.errors import TarError
from avsieve.storage.wav import SAMPLE_RATE, as_float, samples_of, wav_bytes


@pytest.mark.parametrize("samples", [np.arange(-5, 6, dtype=np.int16), np.zeros(0, np.int16)])
def test_samples_are_read_whatever_stands_in_the_header(samples: np.ndarray) -> None:
    usual = wav_bytes(samples)
    size = len(usual) + 8 + 4 - 8
    listed = usual[:4] + size.to_bytes(4, "little") + usual[8:36] + b"LIST\x04\0\0\0abcd" + usual[36:]
    assert np.array_equal(samples_of(usual), samples)
    assert np.array_equal(samples_of(listed), samples)
    if len(samples):
        with pytest.raises(TarError, match="x: not a WAV file"):
            samples_of(b"RIFF" + usual[8:], "x")


def test_a_wav_of_another_rate_is_refused() -> None:
    content = bytearray(wav_bytes(np.zeros(10, np.int16)))
    content[24:28] = (8000).to_bytes(4, "little")
    with pytest.raises(TarError, match="x: 8000 Hz, 1 channels, 2 bytes a sample; expected 16000 Hz"):
        samples_of(bytes(content), "x")


def test_files_that_are_cut_off_are_refused_by_name() -> None:
    usual = wav_bytes(np.arange(100, dtype=np.int16))
    with pytest.raises(TarError, match="id1/v/u: not a WAV file"):
        samples_of(usual[:20], "id1/v/u")


def test_the_header_says_16_khz_and_samples_become_floats_below_one() -> None:
    usual = wav_bytes(np.zeros(3, np.int16))
    assert int.from_bytes(usual[24:28], "little") == SAMPLE_RATE == 16_000
    floats = as_float(np.array([-32768, 0, 32767], np.int16))
    assert floats.dtype == np.float32
    assert floats.tolist() == [-1.0, 0.0, 32767 / 32768]
