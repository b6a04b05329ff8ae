"""Segmentations of a voice: named ways to cut an utterance into segments, each with its own embedding.

Snakemake reads them with the configuration: numpy is imported where it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from avsieve.errors import ConfigError
from avsieve.settings import Block, Positive, filled, key
from avsieve.storage.sequence_names import FRAMES, HOPS, is_plain


class Cut(Protocol):
    """A kind of segmentation, with its settings."""

    def cut(self, length: int, shortest: int) -> list[tuple[int, int]]:
        """Return start and length, in samples, of the segments of an utterance, in the order of time.

        Parameters
        ----------
        length
            Of the utterance, in samples; ``shortest`` at least.
        shortest
            What the encoder needs; no segment is shorter.
        """


class Hops(Block):
    """Segments of one length at even distances, from the beginning to the end.

    An utterance that is shorter than a segment is one as a whole.
    """

    length_s: Positive = key(2.0, "Length of a segment, in seconds.")
    hop_s: Positive = key(2.0, "Maximum distance between segment starts, in seconds.")

    def cut(self, length: int, shortest: int) -> list[tuple[int, int]]:
        """Return start and length of the segments, see `Cut`."""
        import numpy as np

        from avsieve.storage.wav import SAMPLE_RATE

        size = max(_samples(self.length_s), shortest)
        if length <= size:
            return [(0, length)]
        count = 1 + int(np.ceil((length - size) / (self.hop_s * SAMPLE_RATE)))
        return [(int(start), size) for start in np.linspace(0, length - size, count).round()]


class Parts(Block):
    """A crop from the middle of each of some equal parts; a part that is shorter than the crop is taken whole.

    RJCA (Praveen and Alam, FG 2024) takes a random crop of each of eight parts, in the test too, and puts an utterance
    that is too short for that behind silence. Ours is the middle, so that an utterance has one result; and where a
    part is shorter than what the encoder needs, the crop reaches into the parts beside it.
    """

    count: int = key(8, "Number of parts.", ge=1)
    crop_s: Positive = key(1.015, "Length of the crop of each part, in seconds.")

    def cut(self, length: int, shortest: int) -> list[tuple[int, int]]:
        """Return start and length of the segments, see `Cut`."""
        crop = _samples(self.crop_s)
        segments = []
        for k in range(self.count):
            begin, end = k * length // self.count, (k + 1) * length // self.count
            size = min(max(min(crop, end - begin), shortest), length)
            segments.append((min(max((begin + end - size) // 2, 0), length - size), size))
        return segments


class Centre(Block):
    """The middle of the utterance, as Bahounek's thesis embeds it (FIT VUT Brno, 2024); all of one that is shorter."""

    length_s: Positive = key(3.0, "Length of the segment, in seconds.")

    def cut(self, length: int, shortest: int) -> list[tuple[int, int]]:
        """Return start and length of the segment, see `Cut`."""
        size = min(max(_samples(self.length_s), shortest), length)
        return [((length - size) // 2, size)]


def _samples(seconds: float) -> int:
    from avsieve.storage.wav import SAMPLE_RATE

    return round(seconds * SAMPLE_RATE)


@dataclass(frozen=True)
class Kind:
    """A kind of segmentation, as the reference of the configuration describes it."""

    label: str
    settings: type[Block]


KINDS: dict[str, Kind] = {
    "hops": Kind("segments at even distances", Hops),
    "parts": Kind("the middle of each of some equal parts", Parts),
    "centre": Kind("the middle of the utterance", Centre),
}
PRESETS: dict[str, str] = {HOPS: "hops", "eighths": "parts", "centre": "centre"}
"""Names that need no kind -> theirs, with its defaults."""


@dataclass(frozen=True)
class Segmentation:
    """A way to cut utterances, and what it is called."""

    name: str
    kind: str
    how: Cut

    def facts(self) -> dict[str, Any]:
        """Return name, kind and settings, as a provenance has them."""
        assert isinstance(self.how, Block)  # every kind is one
        return {"name": self.name, "kind": self.kind, **self.how.model_dump()}


def segmentation_of(entry: str | dict[str, Any]) -> Segmentation:
    """Return what an entry of `audio.segments` means: the name of a preset, or keys and values with a name.

    Raises
    ------
    ConfigError
        If there is no such preset or kind, a setting is none of its kind's, or the name cannot be one.
    """
    values = dict(entry) if isinstance(entry, dict) else {"name": entry}
    name = values.pop("name", None)
    if not isinstance(name, str) or not is_plain(name) or name == FRAMES:
        raise ConfigError(
            f"the name {name!r}; expected small letters, digits and _, such as {', '.join(PRESETS)}"
            + (f"; {FRAMES} are those of a face" if name == FRAMES else "")
        )
    kind = values.pop("kind", PRESETS.get(name))
    if kind not in KINDS:
        also = f" (without a kind there are {', '.join(PRESETS)})" if kind is None else ""
        raise ConfigError(f"{name}: the kind {kind!r}; expected one of {', '.join(KINDS)}{also}")
    if PRESETS.get(name, kind) != kind:
        raise ConfigError(f"{name} is of the kind {PRESETS[name]}; give a segmentation of the kind {kind} another name")
    how: Any = filled(KINDS[kind].settings, values, name)
    return Segmentation(name, kind, how)
