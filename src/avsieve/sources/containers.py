"""The list of containers: which files are clips and sound, and which of an utterance's files is its clip."""

from __future__ import annotations

import os
from collections.abc import Iterable

from avsieve.errors import AvsieveError
from avsieve.storage.reasons import Reason

VIDEO = (
    ".mp4", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mov",
    ".m4v", ".qt", ".f4v", ".3gp", ".3gpp", ".3g2", ".ismv",  # of the family of mp4
    ".flv", ".wmv", ".asf", ".ogv", ".ogm", ".ogx", ".mk3d", ".divx", ".amv", ".nut", ".rm", ".swf", ".wtv",
    ".ts", ".mts", ".m2ts", ".m2t", ".trp", ".vob", ".mpe", ".m2p",  # streams of broadcasts, cameras and discs
    ".mxf", ".dv",
)  # fmt: skip
"""Endings of clips. The decoder reads each of them; `tests/sources/test_containers.py` makes a file of each."""
SOUND = (
    ".wav", ".flac", ".m4a", ".aac", ".opus", ".ogg", ".mp3",
    ".wave", ".w64", ".rf64", ".aiff", ".aif", ".aifc", ".caf", ".au", ".snd", ".sph", ".nist", ".ircam", ".voc", ".wv",
    ".tta", ".m4b", ".mp4a", ".3ga", ".mka", ".weba", ".oga", ".spx", ".wma", ".ac3", ".eac3", ".ec3", ".dts", ".adts",
    ".mp2", ".mpga", ".amr", ".gsm",
)  # fmt: skip
"""Endings of sound, in the order in which it is taken where an utterance has several."""
EXTENSIONS = (*VIDEO, *SOUND)
USUAL = (*VIDEO[:7], *SOUND[:7])
"""The endings that messages name as examples."""
_KNOWN = frozenset(EXTENSIONS)
_VIDEO = frozenset(VIDEO)
# What systems and file servers leave in people's folders, in lower case: nobody's clips.
_SYSTEM = frozenset(
    {
        "$recycle.bin", "recycler", "recycled", "system volume information", "found.000", "thumbs.db", "ehthumbs.db",
        "desktop.ini", "lost+found", "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "__macosx",
        "icon\r",
    }
)  # fmt: skip


class TwiceError(AvsieveError):
    """An utterance is there as two files, and nobody can tell which is meant; ``names`` are both."""

    def __init__(self, names: tuple[str, str]) -> None:
        super().__init__(f"{names[0]} and {names[1]} are one utterance twice; keep one of them")
        self.names = names


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder is hidden; file managers write ``._x.mp4`` beside ``x.mp4``."""
    return name.startswith(".")


def is_system(name: str) -> bool:
    """Tell whether a file or folder is one of a system's, such as a waste bin."""
    return name.lower() in _SYSTEM


def ending_of(name: str) -> str:
    """Return a file's ending in lower case, with its dot; empty where it has none."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - a Path for each of a million names is slow


def stem_of(name: str) -> str | None:
    """Return a file's name without its ending, or None if it is hidden or no clip by its ending."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122
    return stem if ending.lower() in _KNOWN and name[0] != "." else None


def is_video(name: str) -> bool:
    """Tell by the ending whether a file is one of a picture."""
    return ending_of(name) in _VIDEO


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
    TwiceError
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
        raise TwiceError((taken[0], taken[1]))
    return taken[0]


def _rank(name: str) -> int:
    return SOUND.index(ending_of(name))


def missing_part(has_clip: bool, has_sound: bool, apart: bool) -> Reason:
    """Return what is missing of an utterance; ``apart`` where its sound should lie apart."""
    if has_clip:
        return Reason.OK if has_sound or not apart else Reason.SOUND_FILE_MISSING
    return Reason.VIDEO_FILE_MISSING if has_sound else Reason.MEDIA_MISSING
