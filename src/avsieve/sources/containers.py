"""Which of the files of an utterance is its clip, and which its sound."""

from __future__ import annotations

import os
from collections.abc import Iterable

from avsieve.errors import AvsieveError
from avsieve.reasons import Reason

VIDEO = (".mp4", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mov")
SOUND = (".wav", ".flac", ".m4a", ".aac", ".opus", ".ogg", ".mp3")
"""Sound, in the order in which it is taken where an utterance has several: what lost nothing comes first."""
EXTENSIONS = (*VIDEO, *SOUND)
_KNOWN = frozenset(EXTENSIONS)
_VIDEO = frozenset(VIDEO)


def stem_of(name: str) -> str | None:
    """Return a file's name without its extension, or None if it is hidden or no clip by its extension."""
    stem, extension = os.path.splitext(name)  # noqa: PTH122 - a Path for each of a million names is slow
    return stem if extension.lower() in _KNOWN and not name.startswith(".") else None


def is_video(name: str) -> bool:
    """Tell by the extension whether a file is one of a picture."""
    return os.path.splitext(name)[1].lower() in _VIDEO  # noqa: PTH122


def choose(names: Iterable[str], *, sound_alone: bool = False) -> str | None:
    """Return the one of an utterance's files that is used, None where there is none.

    A video comes before sound beside it, which is most often made from it; of several files of the sound the first in
    the order of ``SOUND`` is taken.

    Parameters
    ----------
    names
        Names of an utterance's files, with or without folders.
    sound_alone
        The sound lies apart, and ``names`` are of its folder: a video there is taken only where there is no sound.

    Raises
    ------
    AvsieveError
        If there are two videos, or two files of one kind of sound: nobody can tell which is meant.
    """
    names = sorted(names)
    if len(names) < 2:
        return names[0] if names else None
    videos = [n for n in names if is_video(n)]
    sounds = sorted((n for n in names if not is_video(n)), key=_rank)
    takes_sound = bool(sounds) and (sound_alone or not videos)
    taken = [n for n in sounds if _rank(n) == _rank(sounds[0])] if takes_sound else videos
    if len(taken) > 1:
        raise AvsieveError(f"{taken[0]} and {taken[1]} are one utterance twice; keep one of them")
    return taken[0]


def _rank(name: str) -> int:
    return SOUND.index(os.path.splitext(name)[1].lower())  # noqa: PTH122


def missing_part(has_clip: bool, has_sound: bool, apart: bool) -> Reason:
    """Return what is missing of an utterance; ``apart`` where its sound should lie apart."""
    if has_clip:
        return Reason.OK if has_sound or not apart else Reason.SOUND_FILE_MISSING
    return Reason.VIDEO_FILE_MISSING if has_sound else Reason.MEDIA_MISSING
