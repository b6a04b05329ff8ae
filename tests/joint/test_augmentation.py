from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from avsieve.errors import ConfigError
from avsieve.joint.augmentation import AUGMENTATIONS, AVN_SHARE, augmentation_of
from avsieve.joint.reading import SignalReading
from avsieve.joint.signal_batches import ListedSignals, SignalBatches
from avsieve.joint.signal_reading import Augmentation, Example
from avsieve.storage.wav import as_float

from .conftest import Tiny

N = 16_000
RNG = np.random.default_rng(0)
# On the grid of 16 bits, and soft enough for no mixture to be made softer.
VOICE = as_float(np.round(RNG.standard_normal(N) * 1500).astype(np.int16))
FACE = cv2.resize(RNG.integers(0, 256, (14, 14, 3)).astype(np.uint8), (112, 112))
NO_FACE = np.zeros((0, 112, 112, 3), np.uint8)


def example(faces: int = 5) -> Example:
    return Example(VOICE, np.stack([np.roll(FACE, 7 * k, axis=1) for k in range(faces)]), np.arange(faces) * 0.4)


def others(n: int) -> np.ndarray:
    return np.resize(VOICE[::-1], n)


def drawn(augmentation: Augmentation | None, seed: int, row: Example | None = None) -> Example:
    assert augmentation is not None
    return augmentation(row or example(), np.random.default_rng(seed), others)


def heard(found: Example) -> bool:
    return found.wave is not None and not np.array_equal(found.wave, VOICE)


def seen(found: Example, row: Example) -> list[int]:
    """Which faces were changed."""
    return [k for k in range(len(row.faces)) if not np.array_equal(found.faces[k], row.faces[k])]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder of music: a tone that lies in the middle of 3 s."""
    wave = np.zeros(3 * N, np.float32)
    wave[N : 2 * N] = 0.3 * np.sin(np.arange(N) * 2 * np.pi * 1000 / N)
    (tmp_path / "music").mkdir()
    soundfile.write(tmp_path / "music" / "tone.wav", wave, N, subtype="FLOAT")
    return tmp_path / "music"


@pytest.mark.parametrize("name", ["avcleanse", "vut", "avn"])
def test_the_generator_of_a_row_decides_everything(name: str) -> None:
    one, two = augmentation_of(name, seed=3), augmentation_of(name, seed=3)
    differing = 0
    for seed in range(12):
        a, b = drawn(one, seed), drawn(two, seed)
        assert a.wave is not None
        assert np.array_equal(a.wave, b.wave)
        assert np.array_equal(a.faces, b.faces)
        assert (a.wave.dtype, a.faces.dtype, a.faces.shape) == (np.float32, np.uint8, (5, 112, 112, 3))
        differing += heard(a) or bool(seen(a, example()))
    assert differing > 3
    assert not seen(example(), example())  # what was given is as it was


def test_without_a_name_that_is_known_there_is_none() -> None:
    assert augmentation_of("none") is None
    with pytest.raises(ConfigError, match="augmentation 'loud'; expected one of none, avcleanse, vut, avn"):
        augmentation_of("loud")
    assert set(AUGMENTATIONS) == {"none", "avcleanse", "vut", "avn"}


def test_vut_damages_one_modality_of_four_rows_in_five_half_of_them_in_either() -> None:
    augmentation, counts, row = augmentation_of("vut"), Counter[str](), example()
    for seed in range(1500):
        found = drawn(augmentation, seed, row)
        voice, faces = heard(found), bool(seen(found, row))
        assert not (voice and faces)
        counts["voice" if voice else "faces" if faces else "none"] += 1
    # 4 standard deviations of 1500 rows: 0.041 at a share of 0.2, 0.051 at 0.4.
    assert counts["none"] / 1500 == pytest.approx(0.2, abs=0.042)
    assert counts["voice"] / 1500 == pytest.approx(0.4, abs=0.052)
    assert counts["faces"] / 1500 == pytest.approx(0.4, abs=0.052)


def test_vut_mixes_noise_at_1_db(recordings: Path) -> None:
    augmentation, tones, row = augmentation_of("vut", music=recordings), [], example()._replace(faces=NO_FACE)
    for seed in range(60):
        found = drawn(augmentation, seed, row)
        if not heard(found):
            continue
        assert found.wave is not None
        noise = found.wave - VOICE
        ratio = 10 * np.log10(np.square(VOICE).mean() / np.square(noise).mean())
        assert ratio == pytest.approx(1.0, abs=0.02)
        spectrum = np.abs(np.fft.rfft(noise)) ** 2
        tones.append(spectrum[1000] / spectrum.sum() > 0.9)
        if not tones[-1]:
            # White noise that is evenly distributed: its largest sample is the square root of 3 times its strength.
            assert np.abs(noise).max() / noise.std() == pytest.approx(np.sqrt(3), abs=0.02)
            assert spectrum[:4000].sum() == pytest.approx(spectrum[4000:].sum(), rel=0.1)
    assert 5 < sum(tones) < len(tones) - 5  # half are the middle of the recording, half are white


def test_vut_crops_or_blurs_a_run_of_faces() -> None:
    augmentation, row = augmentation_of("vut"), Example(None, np.stack([FACE] * 5), np.arange(5.0))
    crops = {
        cv2.resize(FACE[y : y + 70, x : x + 70], (112, 112), interpolation=cv2.INTER_LINEAR)[40:42].tobytes()
        for y in range(43)
        for x in range(43)
    }
    blurs = np.stack([cv2.GaussianBlur(FACE, (7, 7), s)[40:60] for s in np.arange(0.1, 3.01, 0.02)]).astype(int)
    runs, kinds = set(), Counter[str]()
    for seed in range(80):
        found = drawn(augmentation, seed, row)
        changed = seen(found, row)
        if not changed:
            continue
        assert changed == list(range(changed[0], changed[-1] + 1))
        runs.add((changed[0], len(changed)))
        face = found.faces[changed[0]]
        kinds["crop" if face[40:42].tobytes() in crops else "blur"] += 1
        if face[40:42].tobytes() not in crops:
            assert np.abs(blurs - face[40:60]).max(axis=(1, 2, 3)).min() <= 3
    assert len(runs) > 8
    assert min(kinds.values()) > 0.3 * sum(kinds.values())


def test_one_face_is_damaged_as_a_whole() -> None:
    augmentation, row = augmentation_of("vut"), example(1)
    assert any(seen(drawn(augmentation, seed, row), row) == [0] for seed in range(20))


def test_avn_damages_never_both_and_all_faces_alike() -> None:
    augmentation, row, counts = augmentation_of("avn"), example(), Counter[str]()
    for seed in range(400):
        found = drawn(augmentation, seed, row)
        assert found.wave is not None
        assert not (heard(found) and seen(found, row))
        assert seen(found, row) in ([], [0, 1, 2, 3, 4])
        counts["voice" if heard(found) else "faces" if seen(found, row) else "none"] += 1
    # 4 standard deviations of 400 rows: 0.1 at a half, 0.087 at a quarter.
    assert counts["none"] / 400 == pytest.approx(1 - AVN_SHARE, abs=0.1)
    assert counts["voice"] / 400 == pytest.approx(AVN_SHARE / 2, abs=0.09)


@pytest.mark.parametrize("name", ["avcleanse", "vut", "avn"])
def test_a_missing_modality_stays_missing(name: str) -> None:
    augmentation = augmentation_of(name)
    for seed in range(12):
        nobody = Example(None, NO_FACE, np.zeros(0))
        found = drawn(augmentation, seed, nobody)
        assert found.wave is None
        assert found.faces.shape == (0, 112, 112, 3)


def test_avcleanse_always_blurs_and_sometimes_mirrors_and_greys() -> None:
    augmentation, row = augmentation_of("avcleanse"), example(1)
    found = [drawn(augmentation, seed, row).faces[0].astype(int) for seed in range(80)]
    grey = [np.ptp(face, axis=2).max() == 0 for face in found]
    assert 0.05 < np.mean(grey) < 0.4
    mirrored = [np.abs(f - row.faces[0][:, ::-1]).mean() < np.abs(f - row.faces[0]).mean() for f in found]
    assert 0.25 < np.mean(mirrored) < 0.75
    coloured = [f for f, g, m in zip(found, grey, mirrored, strict=True) if not (g or m)]
    assert np.mean([not np.array_equal(f, row.faces[0]) for f in coloured]) > 0.9  # but for the weakest blurs


def test_avcleanse_without_a_folder_of_music_says_that_it_does_without(
    caplog: pytest.LogCaptureFixture, recordings: Path
) -> None:
    with caplog.at_level(logging.WARNING):
        augmentation_of("avcleanse")
    assert "no folder of music is named; it does without music" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        augmentation_of("avcleanse", music=recordings)
    assert not caplog.text


def test_a_face_of_another_size_is_cropped_at_the_same_place() -> None:
    large = np.stack([cv2.resize(FACE, (160, 160))] * 3)
    augmentation = augmentation_of("vut")
    for seed in range(30):
        found = drawn(augmentation, seed, Example(None, large, np.zeros(3))).faces
        usual = drawn(augmentation, seed, Example(None, np.stack([FACE] * 3), np.zeros(3))).faces
        assert found.shape == large.shape
        for a, b in zip(found, usual, strict=True):
            assert np.abs(cv2.resize(a, (112, 112)).astype(int) - b).mean() < 12


def test_a_piece_of_the_voice_that_damage_leaves_is_as_long_as_the_crop_again(tiny: Tiny) -> None:
    listed = ListedSignals(tiny.train_list, tiny.signals())
    for short, lengths in (("repeat", {32_000}), ("pad", {32_000, 100})):

        def piece(row: Example, rng: np.random.Generator, _: object) -> Example:
            assert row.wave is not None
            return row._replace(wave=row.wave[:100]) if rng.random() < 0.5 else row

        batches = SignalBatches(
            listed,
            steps=1,
            batch=12,
            reading=SignalReading(crop_s=2.0, short=short),  # type: ignore[arg-type]
            augmentation=piece,
            seed=0,
        )
        assert set(batches[0][0][0].samples.tolist()) == lengths
