"""How clips lie below a folder or in an archive: which folder bears the speaker's name, which the video's.

A layout is written as a path of words; ``speaker/video/utterance`` is VoxCeleb's. ``*`` stands for a folder whose
name does not matter; a word that comes several times takes several folders. Without ``video``, each clip is a video of
its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from avsieve.errors import ConfigError
from avsieve.storage.ids import id_part, real_name

DEFAULT = "speaker/video/utterance"
WORDS = ("speaker", "video", "utterance")
DEEPEST = 12
"""Most levels of a layout."""


class Layout:
    """A layout of clips.

    Raises
    ------
    ConfigError
        If ``text`` has another word than ``speaker``, ``video``, ``utterance`` and ``*``, no ``speaker`` or no
        ``utterance``, or too many levels.

    Examples
    --------
    >>> Layout("speaker/utterance").id_of(["Anna", "take 1"])
    'Anna/take=201/take=201'
    >>> Layout("speaker/video/*/utterance").id_of(["id1", "vA", "front", "00001"])
    'id1/vA/00001'
    """

    def __init__(self, text: str = DEFAULT) -> None:
        self.text = text
        self.words = text.strip("/").split("/")
        wrong = [word for word in self.words if word not in (*WORDS, "*")]
        if wrong or not {"speaker", "utterance"} <= set(self.words) or not 2 <= len(self.words) <= DEEPEST:
            raise ConfigError(
                f"layout {text!r}: expected folders of the words speaker, video, utterance and *, with speaker and "
                f"utterance among them, such as {DEFAULT}, speaker/utterance or speaker/*/video/utterance"
            )

    @property
    def depth(self) -> int:
        """How many names a clip's path has, its own among them."""
        return len(self.words)

    @property
    def is_default(self) -> bool:
        """Whether it is VoxCeleb's."""
        return self.words == DEFAULT.split("/")

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        return {word: [i for i, w in enumerate(self.words) if w == word] for word in WORDS}

    def id_of(self, names: Sequence[str]) -> str:
        """Return the id of a clip by the names of its path below the root, the last without its ending."""
        named = {word: "/".join(names[i] for i in places) for word, places in self._places.items() if places}
        return "/".join(id_part(named.get(word) or named["utterance"]) for word in WORDS)

    def changes(self, names: Sequence[str]) -> bool:
        """Tell whether an id cannot have one of the names that stand for something as it is."""
        return any(word != "*" and id_part(name) != name for word, name in zip(self.words, names, strict=True))

    def path_of(self, utterance: str) -> str | None:
        """Return the path below the root, without an ending, of the clip with an id; None where it cannot be told.

        It cannot be told where the layout has a folder whose name does not matter, or a name was cut for the id.
        """
        if "*" in self.words:
            return None
        found = [real_name(part) for part in utterance.split("/")]
        if len(found) != 3 or None in found:
            return None
        names: list[str] = [""] * self.depth
        for word, name in zip(WORDS, found, strict=True):
            places = self._places[word]
            if not places:
                if name != found[2]:
                    return None  # a clip that is its own video has no other
                continue
            pieces = str(name).split("/")
            if len(pieces) != len(places):
                return None
            for place, piece in zip(places, pieces, strict=True):
                names[place] = piece
        return "/".join(names)


def layouts_of_depth(depth: int) -> list[str]:
    """Return layouts that take clips ``depth`` names deep, the likeliest first; none where a table is better."""
    if depth < 2:
        return []
    if depth == 2:
        return ["speaker/utterance"]
    if depth == 3:
        return [DEFAULT]
    between = "/".join("*" * (depth - 3))
    return [f"speaker/{between}/video/utterance", f"{between}/{DEFAULT}"]
