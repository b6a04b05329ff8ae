"""Babble: a random sequence of speech sounds as control tracks for the vocal tract.

Each utterance draws its own syllables, so the words themselves say nothing about the speaker.
Formant targets are for an adult male tract of 17.5 cm, rounded from the averages of Peterson and Barney ("Control
methods used in a study of the vowels", JASA 1952); consonants follow the locus idea of Delattre, Liberman and Cooper
("Acoustic loci and transitional cues for consonants", JASA 1955): the tract aims at a place of its own for each
consonant, and the smoothed way between the aims gives the transitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

FRAME_S = 0.005


class Phone(NamedTuple):
    """Targets of one speech sound."""

    formants: tuple[float, float, float]  # Hz; F2 of 0 means "as in the vowel that follows"
    seconds: float  # at a rate of 4.5 syllables a second
    voice: float = 0.0  # amplitude of the glottal pulses
    breath: float = 0.0  # amplitude of noise through the whole tract
    hiss: float = 0.0  # amplitude of noise made in front of the tract
    hiss_hz: float = 0.0  # its centre, relative to the speaker's own sibilant
    hiss_octaves: float = 1.0  # its width
    nasal: float = 0.0  # coupling of the nose, 0 to 1
    mouth: float = 0.1  # opening, 0 to 1


VOWELS = {
    "i": Phone((280, 2250, 2950), 0.13, voice=0.8, mouth=0.30),
    "I": Phone((400, 1950, 2550), 0.10, voice=0.9, mouth=0.40),
    "e": Phone((450, 2100, 2600), 0.13, voice=0.9, mouth=0.50),
    "E": Phone((560, 1800, 2500), 0.11, voice=1.0, mouth=0.65),
    "ae": Phone((690, 1680, 2420), 0.15, voice=1.0, mouth=0.85),
    "a": Phone((730, 1150, 2440), 0.15, voice=1.0, mouth=1.00),
    "V": Phone((630, 1220, 2400), 0.10, voice=1.0, mouth=0.75),
    "O": Phone((570, 870, 2420), 0.14, voice=1.0, mouth=0.70),
    "o": Phone((450, 800, 2400), 0.13, voice=0.9, mouth=0.45),
    "U": Phone((440, 1030, 2250), 0.09, voice=0.9, mouth=0.35),
    "u": Phone((310, 880, 2250), 0.12, voice=0.8, mouth=0.22),
    "y": Phone((290, 1720, 2150), 0.12, voice=0.8, mouth=0.22),
    "@": Phone((500, 1450, 2450), 0.07, voice=0.8, mouth=0.45),
    "3": Phone((480, 1340, 1700), 0.12, voice=0.9, mouth=0.45),
}
# A consonant is one phone or several in a row: closure, burst, breath.
CONSONANTS = {
    "m": [Phone((250, 1000, 2200), 0.075, voice=0.45, nasal=1.0, mouth=0.0)],
    "n": [Phone((250, 1700, 2600), 0.065, voice=0.45, nasal=1.0, mouth=0.12)],
    "N": [Phone((250, 2100, 2500), 0.070, voice=0.40, nasal=1.0, mouth=0.25)],
    "l": [Phone((360, 1150, 2700), 0.060, voice=0.6, mouth=0.30)],
    "r": [Phone((420, 1200, 1550), 0.060, voice=0.6, mouth=0.25)],
    "w": [Phone((300, 650, 2200), 0.060, voice=0.55, mouth=0.08)],
    "j": [Phone((270, 2300, 3000), 0.055, voice=0.6, mouth=0.20)],
    "s": [Phone((330, 1700, 2600), 0.105, hiss=0.50, hiss_hz=1.0, hiss_octaves=0.45, mouth=0.10)],
    "S": [Phone((330, 1900, 2500), 0.105, hiss=0.50, hiss_hz=0.58, hiss_octaves=0.50, mouth=0.12)],
    "f": [Phone((330, 1000, 2300), 0.095, hiss=0.12, hiss_hz=1.1, hiss_octaves=1.60, mouth=0.05)],
    "x": [Phone((450, 1500, 2400), 0.090, breath=0.25, hiss=0.20, hiss_hz=0.30, hiss_octaves=0.50, mouth=0.30)],
    "h": [Phone((520, 0, 2450), 0.060, breath=0.35, mouth=0.45)],
    "z": [Phone((280, 1700, 2600), 0.080, voice=0.30, hiss=0.28, hiss_hz=1.0, hiss_octaves=0.45, mouth=0.10)],
    "v": [Phone((280, 1000, 2300), 0.070, voice=0.40, hiss=0.07, hiss_hz=1.0, hiss_octaves=1.60, mouth=0.05)],
    "p": [
        Phone((250, 850, 2200), 0.065, mouth=0.0),
        Phone((300, 850, 2200), 0.010, hiss=0.35, hiss_hz=0.15, hiss_octaves=1.5, mouth=0.05),
        Phone((400, 0, 2300), 0.030, breath=0.25, mouth=0.20),
    ],
    "t": [
        Phone((250, 1750, 2650), 0.060, mouth=0.05),
        Phone((300, 1750, 2650), 0.012, hiss=0.60, hiss_hz=0.75, hiss_octaves=0.9, mouth=0.08),
        Phone((400, 0, 2500), 0.030, breath=0.25, mouth=0.20),
    ],
    "k": [
        Phone((250, 2000, 2300), 0.060, mouth=0.20),
        Phone((300, 2000, 2300), 0.018, hiss=0.50, hiss_hz=0.33, hiss_octaves=0.5, mouth=0.20),
        Phone((400, 0, 2400), 0.035, breath=0.25, mouth=0.25),
    ],
    "b": [
        Phone((220, 850, 2200), 0.060, voice=0.10, mouth=0.0),
        Phone((300, 850, 2200), 0.008, voice=0.3, hiss=0.20, hiss_hz=0.15, hiss_octaves=1.5, mouth=0.05),
    ],
    "d": [
        Phone((220, 1750, 2650), 0.050, voice=0.10, mouth=0.05),
        Phone((300, 1750, 2650), 0.010, voice=0.3, hiss=0.35, hiss_hz=0.75, hiss_octaves=0.9, mouth=0.08),
    ],
    "g": [
        Phone((220, 2000, 2300), 0.055, voice=0.10, mouth=0.20),
        Phone((300, 2000, 2300), 0.014, voice=0.3, hiss=0.30, hiss_hz=0.33, hiss_octaves=0.5, mouth=0.20),
    ],
}
PAUSE = Phone((500, 1450, 2450), 0.30, mouth=0.0)
_VOWELS = list(VOWELS.values())
# A letter that comes twice is said twice as often.
_ONSETS = [CONSONANTS[c] for c in "mnlrwjsSfxhzvptkbdgtsndkm"]
_CODAS = [CONSONANTS[c] for c in "nmNlrsStkfnts"]


@dataclass
class Tracks:
    """Controls of the tract, one value per frame of 5 ms."""

    formants: np.ndarray  # (n, 3) Hz, for the reference tract
    voice: np.ndarray  # (n,)
    breath: np.ndarray  # (n,)
    hiss: np.ndarray  # (n,)
    hiss_hz: np.ndarray  # (n,), relative to the speaker's sibilant
    hiss_octaves: np.ndarray  # (n,)
    nasal: np.ndarray  # (n,) 0..1
    mouth: np.ndarray  # (n,) 0..1
    f0: np.ndarray  # (n,) semitones about the speaker's mean


def _smooth(track: np.ndarray, seconds: float) -> np.ndarray:
    """Smooth along the first axis with a Hann window of ``seconds``, the ends held."""
    half = max(1, round(seconds / FRAME_S / 2))
    window = np.hanning(2 * half + 3)[1:-1]
    window /= window.sum()
    if track.ndim == 1:
        return np.convolve(np.pad(track, half, mode="edge"), window, mode="valid")
    return np.stack([_smooth(column, seconds) for column in track.T], axis=1)


def _spoken(vowel: Phone, rng: np.random.Generator) -> list[Phone]:
    """Return a vowel as it is said this time: near its target, in a third of the cases gliding towards another."""
    near = np.array(vowel.formants) * np.exp(rng.normal(0, 0.04, 3))
    glides = rng.random() < 0.35
    other = np.array(_VOWELS[int(rng.integers(len(_VOWELS)))].formants)
    end = near ** (0.45 if glides else 0.9) * other ** (0.55 if glides else 0.1)
    return [
        vowel._replace(formants=(float(a), float(b), float(c)), seconds=vowel.seconds * (0.6 if glides else 0.5))
        for a, b, c in (near, end)
    ]


def babble(
    seconds: float,
    rng: np.random.Generator,
    *,
    rate: float = 4.5,
    pause_share: float = 0.12,
    f0_range: float = 3.0,
    final: float = -2.0,
    accent_s: float = 0.15,
) -> Tracks:
    """Draw an utterance of ``seconds``.

    Parameters
    ----------
    seconds
        Length.
    rng
        Decides every sound, length and accent.
    rate
        Syllables a second.
    pause_share
        Chance of a pause after a syllable.
    f0_range
        Size of the pitch movements, semitones.
    final
        Where the pitch goes at the end of a phrase, semitones.
    accent_s
        How fast the pitch moves: width of its smoothing, seconds.
    """
    frames = max(4, round(seconds / FRAME_S))
    phones: list[Phone] = []
    lengths: list[int] = []
    pitch: list[float] = []
    until = int(rng.uniform(0, 0.08) / FRAME_S)
    if until:
        phones.append(PAUSE)
        lengths.append(until)
        pitch.append(0.0)
    since_pause, phrase = 0, int(rng.integers(5, 13))
    while until < frames:
        vowel = _VOWELS[int(rng.integers(len(_VOWELS)))]
        syllable = list(_ONSETS[int(rng.integers(len(_ONSETS)))]) if rng.random() < 0.85 else []
        syllable += _spoken(vowel, rng)
        if rng.random() < 0.3:
            syllable += _CODAS[int(rng.integers(len(_CODAS)))]
        since_pause += 1
        ends = since_pause >= phrase or (since_pause > 3 and rng.random() < pause_share)
        accent = rng.normal(0, 0.6) * f0_range - 0.25 * f0_range * since_pause / phrase
        stretch = 4.5 / rate * np.exp(rng.normal(0, 0.2)) * (1.35 if ends else 1.0)
        for phone in syllable:
            if phone.formants[1] == 0:
                phone = phone._replace(formants=(phone.formants[0], vowel.formants[1], phone.formants[2]))
            count = max(1, round(phone.seconds * (stretch if phone.voice > 0.6 else 0.5 + 0.5 * stretch) / FRAME_S))
            phones.append(phone)
            lengths.append(count)
            pitch.append(accent + (final if ends and phone.voice > 0.6 else 0.0))
            until += count
        if ends:
            since_pause, phrase = 0, int(rng.integers(5, 13))
            count = max(8, round(PAUSE.seconds * np.exp(rng.normal(0, 0.5)) / FRAME_S))
            phones.append(PAUSE)
            lengths.append(count)
            pitch.append(0.0)
            until += count
    raw = np.array([[*p.formants, *p[2:]] for p in phones])
    raw = np.repeat(np.column_stack([raw, pitch]), lengths, axis=0)[:frames]
    stress = np.repeat(np.exp(rng.normal(0, 0.15, len(phones))), lengths)[:frames]
    quick = _smooth(raw[:, 3:6] * stress[:, None], 0.02)
    return Tracks(
        formants=np.exp(_smooth(np.log(raw[:, :3]), 0.075)),
        voice=quick[:, 0],
        breath=quick[:, 1],
        hiss=_smooth(raw[:, 5], 0.012),
        hiss_hz=np.where(raw[:, 6] > 0, raw[:, 6], 1.0),
        hiss_octaves=raw[:, 7],
        nasal=_smooth(raw[:, 8], 0.05),
        mouth=np.clip(_smooth(raw[:, 9], 0.09), 0, 1),
        f0=_smooth(raw[:, 10], accent_s) + _smooth(rng.normal(0, 1, frames), 0.1) * 1.5,
    )
