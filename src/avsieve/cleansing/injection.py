"""Break labels of a list on purpose: other people's voices and faces take the places of what the list holds.

Donors leave the list, so no embedding is in it twice. They come from speakers who stay (their right speaker is inside
the set) or from speakers held out altogether (nobody's label), and a share of them are lookalikes. Where the list's own
errors are known by their probabilities, the injected ones take their places: then the list is neither noisier nor
cleaner than before, and the errors lie where errors lie (whole videos, single utterances, and speakers of whom much is
wrong, for whom errors are harder to find). Voices in which two people are heard are injected besides, to know what they
would look like: the embedding of such a clip lies about at the normalised sum of both people's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.settings import Audit
from avsieve.errors import AvsieveError

LOOKALIKES = 5  # so many of the most similar speakers are lookalikes
OUTSIDERS = 12  # so many speakers are held out, if there are enough
OWN_VOICE = (0.3, 0.7)  # between these lies the share of the own voice where two are mixed
CHANGED: dict[str, tuple[str, ...]] = {
    "video": MODALITIES,
    "audio": ("audio",),
    "visual": ("visual",),
    "mixed": ("audio",),
}


@dataclass
class Native:
    """What the list is thought to hold already.

    Attributes
    ----------
    wrong
        Per modality and for ``both``, probabilities (n,) that it is wrong; 0 where nothing is known.
    centres
        (speakers, D) unit vectors whose products are the likeness of speakers, in the order of ``speakers``.
    """

    wrong: dict[str, np.ndarray]
    speakers: list[str]
    centres: np.ndarray

    @property
    def either(self) -> np.ndarray:
        """Probability that anything is wrong, (n,)."""
        return self.wrong["audio"] + self.wrong["visual"] - self.wrong["both"]


@dataclass
class Injection:
    """A list with known errors.

    ``frame`` has ``utterance``, ``speaker``, ``kind`` (``''`` or what was broken), ``outside`` and ``similar`` (bool:
    the person is nobody's label, is a lookalike), ``part`` (bool: the rest of the video was left as it was) and
    ``own_voice`` (what is left of the own voice: a share where two were mixed, else 0); ``sources[m]`` names the
    utterance whose embedding each row takes.
    """

    frame: pd.DataFrame
    sources: dict[str, list[str]]


def inject(frame: pd.DataFrame, settings: Audit, native: Native | None = None) -> Injection:
    """Break labels of ``frame`` (``utterance``, ``speaker``).

    The share ``rate`` of the remaining utterances is broken: videos (both modalities) and single utterances (one
    modality) by the shares of ``kinds``. A share ``outside`` of the broken gets somebody who is nobody's label, a share
    ``similar`` somebody of the `LOOKALIKES` most similar speakers, where these have something to spare.

    Voices of the kind ``mixed`` come on top of these, by the share ``mixed`` of those broken: with a voice that is not
    suspected there is another one. Where the list has such errors nobody knows, so their places are drawn blindly.

    Raises
    ------
    AvsieveError
        If the list is too small to spare donors.
    """
    rng = np.random.default_rng(settings.seed)
    state = _State(frame, native, rng)
    want = round(settings.rate * len(frame) / (1 + settings.rate))
    state.hold_out(settings.outside * want)
    kinds: dict[str, float] = dict(settings.kinds.items())
    total = sum(kinds.values())
    for name in ("video", *MODALITIES):
        state.corrupt(name, round(want * kinds.get(name, 0) / total), settings)
    state.corrupt("mixed", round(settings.mixed * want * kinds.get("audio", 0) / total), settings)
    if not state.given or len(frame) - len(state.gone) < 20:
        raise AvsieveError(
            f"{len(frame)} utterances are too few to audit at a rate of {settings.rate}; audit a larger list"
        )
    return state.result()


@dataclass
class _State:
    """Who gives, who gets, and what is left."""

    frame: pd.DataFrame
    native: Native | None
    rng: np.random.Generator
    given: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    held_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = self.frame["utterance"].to_numpy(dtype=object)
        self.label = self.frame["speaker"].to_numpy(dtype=object)
        n = len(self.names)
        video = [f"{s}/{u.rsplit('/', 1)[0]}" for s, u in zip(self.label, self.names, strict=True)]
        self.rows: dict[str, list[int]] = {}
        self.videos: dict[str, list[str]] = {}
        for i, v in enumerate(video):
            if v not in self.rows:
                self.rows[v] = []
                self.videos.setdefault(self.label[i], []).append(v)
            self.rows[v].append(i)
        self.video = np.array(video, dtype=object)
        self.suspect = self.native.either > 0.5 if self.native else np.zeros(n, bool)
        self.kind = np.full(n, "", dtype=object)
        self.outside, self.similar, self.part = (np.zeros(n, bool) for _ in range(3))
        self.own_voice = np.zeros(n)
        self.source = {m: np.arange(n) for m in MODALITIES}
        self.speakers = sorted(self.videos)
        for s, videos in self.videos.items():
            self.videos[s] = self.rng.permutation(np.array(videos, dtype=object)).tolist()
        # A third of a speaker's videos may go, and two must stay.
        self.spare = {s: min(len(v) // 3, len(v) - 2) for s, v in self.videos.items()}
        self.opened: dict[str, list[int]] = {s: [] for s in self.speakers}
        self.used: set[str] = set()
        self.near: dict[tuple[str, bool], list[str]] = {}

    def hold_out(self, utterances: float) -> None:
        """Take whole speakers out of the list, of whom about so many utterances can be given.

        They are `OUTSIDERS` at least, lest one unusual person stand for all of them, or a sixth of the speakers where
        these are fewer; and a quarter at most.
        """
        few = min(OUTSIDERS, len(self.speakers) // 6) if utterances > 0 else 0
        count = 0
        for s in self.rng.permutation(np.array(self.speakers, dtype=object)):
            if (count >= utterances and len(self.held_out) >= few) or len(self.held_out) >= len(self.speakers) // 4:
                break
            self.held_out.append(s)
            mine = [i for v in self.videos[s] for i in self.rows[v]]
            count += sum(not self.suspect[i] for i in mine)
            self.gone.update(mine)
            self.spare[s] = len(self.videos[s])

    def corrupt(self, name: str, quota: int, settings: Audit) -> None:
        """Break about ``quota`` utterances by a kind of error."""
        done = 0
        for rows in self._places(name):
            if done >= quota:
                return
            if any(i in self.gone or self.kind[i] for i in rows):
                continue
            donors = self._donors(rows, settings)
            if not donors:
                continue
            self.used.add(self.video[rows[0]])  # who gets gives nothing of the same video
            self.given.update(donors)
            self.gone.update(donors)
            self.part[rows] = len(rows) < len(self.rows[self.video[rows[0]]])
            for i, d in zip(rows, donors, strict=True):
                self.kind[i] = name
                if name == "mixed":
                    self.own_voice[i] = self.rng.uniform(*OWN_VOICE)
                for m in CHANGED[name]:
                    self.source[m][i] = d
            done += len(rows)

    def _places(self, name: str) -> list[list[int]]:
        """Return groups of rows that may be broken, in the order in which they are.

        First places of the list's own errors, drawn by their probability, then such where nothing is suspected.
        """
        n = len(self.names)
        if self.native is None or name == "mixed":
            wrong = np.zeros(n)
        elif name == "video":
            wrong = self.native.wrong["both"]
        else:
            wrong = self.native.wrong[name] - self.native.wrong["both"]
        drawn = self.rng.random(n) < wrong
        quiet = ~self.suspect & ~drawn
        if name == "video":
            order = self.rng.permutation(np.array(sorted(self.rows), dtype=object))
            first = [[i for i in self.rows[v] if drawn[i]] for v in order]
            whole = [self.rows[v] for v in order if quiet[self.rows[v]].all()]
            return [rows for rows in first if rows] + whole
        order = self.rng.permutation(n)
        return [[i] for i in order[drawn[order]].tolist()] + [[i] for i in order[quiet[order]].tolist()]

    def _donors(self, rows: list[int], settings: Audit) -> list[int]:
        """Find somebody's utterances for these rows: of one video, and of the wished kind of person if possible."""
        label = self.label[rows[0]]
        outside = bool(self.rng.random() < settings.outside)
        similar = bool(self.rng.random() < settings.similar) and self.native is not None
        pools = [(outside, similar), (not outside, similar), (outside, False), (not outside, False)]
        for out, alike in pools:
            people = self._lookalikes(label, out) if alike else self.held_out if out else self.speakers
            for s in self.rng.permutation(np.array(people, dtype=object)):
                if s == label or (s in self.held_out) != out:
                    continue
                if donors := self._take(s, len(rows)):
                    self.outside[rows], self.similar[rows] = out, alike
                    return donors
        return []

    def _lookalikes(self, label: str, outside: bool) -> list[str]:
        assert self.native is not None
        if (label, outside) not in self.near:
            at = {s: k for k, s in enumerate(self.native.speakers)}
            held = set(self.held_out)
            people = [s for s in self.native.speakers if s != label and (s in held) == outside]
            like = self.native.centres[[at[s] for s in people]] @ self.native.centres[at[label]]
            self.near[label, outside] = [people[k] for k in np.argsort(-like, kind="stable")[:LOOKALIKES]]
        return self.near[label, outside]

    def _take(self, speaker: str, count: int) -> list[int]:
        """Return ``count`` utterances of one video of a speaker that have not been given; [] if there are none."""
        left = self.opened[speaker]
        if count == 1 and left:
            return [left.pop()]
        if not self.spare[speaker]:
            return []
        for v in self.videos[speaker]:
            good = [i for i in self.rows[v] if not self.suspect[i]]
            if v in self.used or len(good) < count or any(self.kind[i] for i in self.rows[v]):
                continue
            self.used.add(v)
            self.spare[speaker] -= 1
            self.gone.update(self.rows[v])
            if count == 1:
                self.opened[speaker] = good[1:]
            return good[:count]
        return []

    def result(self) -> Injection:
        """Return the list without donors."""
        kept = np.array([i for i in range(len(self.names)) if i not in self.gone], dtype=np.int64)
        table = self.frame.iloc[kept].reset_index(drop=True)
        table = table.assign(
            kind=self.kind[kept],
            outside=self.outside[kept],
            similar=self.similar[kept],
            part=self.part[kept],
            own_voice=self.own_voice[kept],
        )
        return Injection(table, {m: self.names[self.source[m][kept]].tolist() for m in MODALITIES})
