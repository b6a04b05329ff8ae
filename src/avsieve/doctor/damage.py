"""The recordings that voices are damaged with: `evaluation.damage`'s and those of `fusion.twins`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.doctor.formatting import in_words
from avsieve.sources.findings import Finding, Level

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.evaluation.conditions.settings import Damage

# With fewer, one recording decides more than a thirtieth of the damaged voices, and their error rate is its own.
LEAST = 30
# Headers of more recordings take longer than all other checks: beyond it an even choice of as many is opened.
MOST_OPENED = 2000
KEYS = {"noise": "noise", "rooms": "reverberation"}
"""Key of the folders -> the kind of damage that draws from them."""


@dataclass
class Recordings:
    """What the headers of a folder's recordings say."""

    files: int
    opened: int = 0
    seconds: float = 0.0
    """Of those that were opened."""
    rates: Counter[int] = field(default_factory=Counter)
    """Sampling rate in Hz -> recordings."""
    first: dict[int, Path] = field(default_factory=dict)
    """Sampling rate -> the first recording that has it."""
    unreadable: list[str] = field(default_factory=list)
    """Recordings that cannot be opened, with the reason."""

    @property
    def length(self) -> str:
        """How long all of them are, in words; guessed where not all were opened."""
        readable = self.opened - len(self.unreadable)
        hours = self.seconds / 3600 * self.files / max(1, self.opened)
        return ("about " if self.opened < self.files else "") + in_words(hours) if readable else "unknown"


def check_damage(config: Config, is_there: Callable[[str], bool] | None = None) -> list[Finding]:
    """Look at every folder that is named.

    They are read where signals are damaged; else what is wrong is a warning.

    Parameters
    ----------
    is_there
        Tells whether an utterance is in the source, where that is cheap.
    """
    found = _check(config, config.evaluation.damage, "evaluation.damage", is_there)
    return found + _check(config, config.fusion.twins, "fusion.twins", is_there)


def _check(config: Config, damage: Damage, block: str, is_there: Callable[[str], bool] | None) -> list[Finding]:
    """Look at the folders of one block."""
    from avsieve.wiring.damage import folders_of, level_of

    signals = damage.damaged_signals() if level_of(config, damage) == "signal" else set()
    findings = []
    for name, kind in KEYS.items():
        folders = folders_of(getattr(damage, name))
        if not folders:
            continue
        key = f"{block}.{name}"
        drawn = "audio" in signals and _draws(damage, kind)
        findings += _folders(key, folders, "error" if signals else "warning", _corpus(config), is_there, wanted=drawn)
        if not drawn:
            text = f"no damaged voice of this run draws from it: no condition of signals has the kind {kind}"
            if kind == "noise":
                text += " with the sound recording"
            findings.append(Finding("note", key, text, "leave it out, or add such a condition"))
    return findings


def _draws(damage: Damage, kind: str) -> bool:
    """Tell whether some condition draws from recordings."""
    for condition in damage.chosen:
        for part in condition.parts:
            sounds = part.parameters.get("sound")
            if part.kind == kind and (
                kind != "noise" or "recording" in (sounds if isinstance(sounds, list) else [sounds])
            ):
                return True
    return False


def _folders(
    key: str, folders: Sequence[str], level: Level, corpus: Sequence[Path], is_there: Callable[[str], bool] | None,
    *, wanted: bool,
) -> list[Finding]:  # fmt: skip
    from avsieve.sound.recordings import AUDIO_SUFFIXES

    findings, count = [], 0
    endings = ", ".join(sorted(AUDIO_SUFFIXES))
    for folder in folders:
        path = Path(folder)
        if not path.is_dir():
            what = "a file; expected a folder" if path.exists() else "no such folder"
            findings.append(Finding(level, key, f"{folder}: {what}", f"fix {key}"))
            continue
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in AUDIO_SUFFIXES)
        if not files:
            text = f"{folder}: no recording there; expected files that end with {endings}"
            findings.append(Finding(level, key, text, f"name a folder that holds recordings, or leave {key} out"))
            continue
        count += len(files)
        # Only what is drawn from is ever opened.
        findings += _looked(key, folder, files, level if wanted else "warning")
        findings += _of_corpus(key, folder, files, corpus, is_there)
    if wanted and 0 < count < LEAST:
        text = (
            f"{count} recording{'s' * (count != 1)} in all; expected {LEAST} or more: error rates of these conditions "
            f"tell of so few {'rooms' if key.endswith('rooms') else 'sounds'}, not of such damage in general"
        )
        findings.append(Finding("warning", key, text, "add recordings"))
    return findings


def _looked(key: str, folder: str, files: Sequence[Path], level: Level) -> Iterator[Finding]:
    """Open the headers of a folder's recordings."""
    from avsieve.storage.wav import SAMPLE_RATE

    if find_spec("soundfile") is None:
        yield Finding("note", key, f"{folder}: {len(files):,} recordings; not opened: soundfile is not installed")
        return
    found = opened(files)
    if found.unreadable:
        count = f"{len(found.unreadable):,} of {found.opened:,} recordings"
        yield Finding(
            level,
            key,
            f"{folder}: {count} cannot be read, as {found.unreadable[0]}",
            "take what is no sound out of the folder",
        )
    others = {rate: n for rate, n in sorted(found.rates.items()) if rate != SAMPLE_RATE}
    if others:
        listed = ", ".join(f"{n:,} at {rate} Hz" for rate, n in others.items())
        text = f"{folder}: {listed}, as {found.first[min(others)]}; expected {SAMPLE_RATE} Hz"
        yield Finding(level, key, text, "convert the folder first")
    if not found.unreadable and not others:
        some = f" ({found.opened:,} opened)" if found.opened < found.files else ""
        text = f"{folder}: {found.files:,} recording{'s' * (found.files != 1)}{some}, {found.length}, {SAMPLE_RATE} Hz"
        yield Finding("ok", key, text)


def opened(files: Sequence[Path]) -> Recordings:
    """Open the headers of all recordings, or of `MOST_OPENED`, evenly chosen."""
    import soundfile

    found = Recordings(len(files))
    for path in files[:: -(-len(files) // MOST_OPENED)]:
        found.opened += 1
        try:
            facts = soundfile.info(path)
        except (RuntimeError, OSError) as error:
            found.unreadable.append(f"{path} ({str(error).splitlines()[0]})")
            continue
        found.seconds += facts.frames / facts.samplerate
        found.rates[facts.samplerate] += 1
        found.first.setdefault(facts.samplerate, path)
    return found


def _corpus(config: Config) -> list[Path]:
    """Return the folders of the corpus that are there."""
    source = config.source.contract
    roots = [*source.roots("").values(), source.speaker_folders, source.store]
    return sorted({Path(root).resolve() for root in roots if root and Path(root).is_dir()})


def _of_corpus(
    key: str, folder: str, files: Sequence[Path], corpus: Sequence[Path], is_there: Callable[[str], bool] | None
) -> Iterator[Finding]:
    """Find recordings of the corpus: they lie in its folders, or have the name of one of its utterances."""
    own = [file for file in files if _lies_in(file.resolve(), corpus) or (is_there is not None and is_there(_id(file)))]
    if own:
        text = (
            f"{folder}: {len(own):,} of {len(files):,} recordings are of the corpus, as {own[0]}: voices would be "
            "damaged by people of the list or of the trials"
        )
        yield Finding("warning", key, text, "name a folder without them")


def _lies_in(file: Path, folders: Sequence[Path]) -> bool:
    return any(folder in file.parents for folder in folders)


def _id(file: Path) -> str:
    """Return the utterance that a file would be of: ``speaker/video/utterance``."""
    return "/".join(file.with_suffix("").parts[-3:])
