"""What a source says about itself before a run: each source's ``check`` module returns these facts to the doctor.

``check(settings, modalities)`` takes the source's block of the configuration and ``both`` or ``audio``. It opens
nothing that is large and asks no other machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; an ``error`` would stop the run."""

    level: Level
    subject: str
    """What it is about: a key of the configuration, a file, a program."""
    text: str
    """What was found and, where it matters, what was expected."""
    remedy: str = ""


@dataclass
class SourceFacts:
    """What a source knows of its size; None where it cannot tell."""

    findings: list[Finding] = field(default_factory=list)
    utterances: int | None = None
    """Training and test utterances together."""
    seconds: float | None = None
    """Length of the media."""
    clip_bytes: int | None = None
    """Bytes of the clips that are there."""
    fetch_bytes: int | None = None
    """Bytes that are still to be downloaded and will be kept."""
    failing: int = 0
    """How many of the utterances will get a reason when they are looked for, as far as can be seen."""
    is_there: Callable[[str], bool] | None = None
    """Tells whether an utterance of the training or test part is there, where that is cheap."""
    speakers: int | None = None
    """Speakers of both parts."""
