"""What the trainings of encoders need: folders of sounds, and the weights that they begin with."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from avsieve.errors import AvsieveError
from avsieve.sources.findings import Finding, Level

if TYPE_CHECKING:
    from avsieve.config.model import Config

FOLDERS = ("noise", "music", "speech", "rooms")


def check_training(config: Config) -> list[Finding]:
    """Look at what the trainings read.

    They are part of the run only where the report tells of the comparison, or the list is cleansed in rounds; else what
    is wrong is a warning.
    """
    if not config.source.contract.has_media:
        return []
    training = config.training
    part_of_run = set(config.comparison.modalities) if config.comparison.in_report else set[str]()
    part_of_run |= set(config.cleansing.rounds_modalities) if config.cleansing.rounds > 1 else set[str]()
    findings = [
        found
        for name in FOLDERS
        if (folder := getattr(training.audio, name)) is not None
        and (found := _folder(f"training.audio.{name}", folder, "audio" in part_of_run)) is not None
    ]
    for modality in config.source.contract.modalities:
        wanted = getattr(training, modality)
        if wanted.start_from is not None:
            key = f"training.{modality}.start_from"
            findings.append(_begun(key, modality, wanted.arch, wanted.start_from, modality in part_of_run))
    return findings


def _level(part_of_run: bool) -> Level:
    return "error" if part_of_run else "warning"


def _folder(key: str, folder: str, part_of_run: bool) -> Finding | None:
    if find_spec("soundfile") is None:
        return None
    import soundfile

    from avsieve.sound.recordings import SoundFolder
    from avsieve.storage.wav import SAMPLE_RATE

    try:
        files = SoundFolder(folder).files
        rate = soundfile.info(files[0]).samplerate
    except AvsieveError as error:
        return Finding(_level(part_of_run), key, str(error), "fix the path")
    except (RuntimeError, OSError) as error:
        return Finding(_level(part_of_run), key, str(error).splitlines()[0], "take what is no sound out of the folder")
    if rate != SAMPLE_RATE:
        text = f"{files[0]}: {rate} Hz; expected {SAMPLE_RATE} Hz"
        return Finding(_level(part_of_run), key, text, "convert the folder first")
    return Finding("ok", key, f"{folder}: {len(files):,} recordings")


def _begun(key: str, modality: str, arch: str, start_from: str, part_of_run: bool) -> Finding:
    if find_spec("torch") is None:
        return Finding("note", key, "not checked: torch is not installed")
    from avsieve.encoders import load_audio_encoder, load_visual_encoder

    load = load_audio_encoder if modality == "audio" else load_visual_encoder
    try:
        load(arch, start_from)
    except AvsieveError as error:
        return Finding(_level(part_of_run), key, str(error), f"name weights of {arch}, or leave it out")
    return Finding("ok", key, f"{start_from}, fits {arch}")
