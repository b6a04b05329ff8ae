"""One speaker's utterances: which are there, which are gone, and which are to be fetched and cut now."""

from __future__ import annotations

import hashlib
import logging
import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.media.crop import CropError, crop_track
from avsieve.media.guard import LostError
from avsieve.media.isolated import isolated
from avsieve.sources.downloads import settled
from avsieve.sources.ledger import Entry, Ledger, Outcome
from avsieve.sources.store import Store
from avsieve.sources.voxceleb.site import NoVideoError, Site, find_whole
from avsieve.sources.voxceleb.site_errors import HELPED_BY
from avsieve.sources.voxceleb.tracks import Track, TrackError, read_track
from avsieve.storage.reasons import Reason

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClipOptions:
    """How clips are made, and what is kept."""

    size: int
    margin: float
    boxes_height: int
    keep_videos: bool
    ask_again_days: float


@dataclass(frozen=True)
class Found:
    """What became of an utterance."""

    utterance: str
    reason: Reason = Reason.OK
    detail: str = ""
    size: int = 0
    duration_s: float = math.nan


class SpeakerWork:
    """Brings the clips of one speaker into the store.

    Parameters
    ----------
    ask
        Returns the site; called only when it has to be asked.
    given
        Of ``cookies`` and ``proxy``, what this run has: videos that were gone without them are asked for again.
    """

    def __init__(
        self, store: Store, ledger: Ledger, ask: Callable[[], Site], options: ClipOptions, given: set[str]
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._ask = ask
        self._options = options
        self._given = given

    def run(self, tracks: Mapping[str, Path]) -> Iterator[Found]:
        """Yield the status of each utterance.

        Parameters
        ----------
        tracks
            Track file of each utterance ``speaker/video/utterance``.
        """
        wanted: dict[str, list[tuple[str, Track]]] = {}
        for utterance, path in tracks.items():
            try:
                track = read_track(path)
            except TrackError as error:
                yield Found(utterance, Reason.TRACK_DAMAGED, str(error))
                continue
            entry = settled(self._store, self._ledger, utterance, self._request(track), self._options.ask_again_days)
            if entry is not None:
                yield _as_found(entry)
            else:
                self._refuse_another_kind(utterance)
                speaker, video, _ = utterance.split("/")
                wanted.setdefault(f"{speaker}/{track.reference or video}", []).append((utterance, track))
        for video, pending in wanted.items():
            yield from self._video(video, pending)

    def _request(self, track: Track) -> str:
        """Return what a clip is made of: another track or another size makes another clip."""
        options = self._options
        what = f"{track.reference} {track.first} {options.size} {options.margin} {options.boxes_height}".encode()
        return hashlib.sha256(what + track.boxes.tobytes()).hexdigest()[:16]

    def _refuse_another_kind(self, utterance: str) -> None:
        """Raise when the store holds the clip in another size: nobody wants to fetch a corpus again unawares."""
        entry = self._ledger.outcome(utterance)
        if entry is None or entry.outcome != "done" or self._options.keep_videos:
            return
        ours = {"side": self._options.size, "margin": self._options.margin, "boxes_height": self._options.boxes_height}
        theirs = {name: entry.facts.get(name) for name in ours}
        if theirs != ours and self._store.clip_path(utterance).is_file():
            raise AvsieveError(
                f"{self._store.root}: its clips were made with {theirs}, the configuration asks for {ours}, and the "
                f"whole videos were not kept; restore size, margin and boxes_height, or name another `store`"
            )

    def _video(self, video: str, pending: list[tuple[str, Track]]) -> Iterator[Found]:
        folder, reference = self._store.partial_dir(video), video.partition("/")[2]
        whole = find_whole(folder) or find_whole(self._store.videos, reference)
        if whole is None:
            if (gone := self._gone(video)) is not None:
                yield from (Found(u, gone.reason, gone.facts.get("detail", "")) for u, _ in pending)
                return
            try:
                whole = self._ask().fetch(reference, folder)
            except NoVideoError as error:
                answer = error.answer
                self._ledger.record(
                    video, "later" if answer.may_pass else "gone", answer.reason, detail=answer.detail,
                    asked_with=sorted(self._given),
                )  # fmt: skip
                if not answer.may_pass:
                    shutil.rmtree(folder, ignore_errors=True)
                yield from (Found(u, answer.reason, answer.detail) for u, _ in pending)
                return
        for utterance, track in pending:
            yield self._cut(whole, utterance, track)
        self._ledger.record(video, "done", size=whole.stat().st_size)
        if self._options.keep_videos and whole.parent == folder:
            self._store.videos.mkdir(parents=True, exist_ok=True)
            whole.replace(self._store.videos / f"{reference}{whole.suffix}")
        shutil.rmtree(folder, ignore_errors=True)

    def _gone(self, video: str) -> Entry | None:
        """Return what is known of a video that need not be asked for again."""
        entry = self._ledger.outcome(video)
        if entry is None or entry.outcome != "gone":
            return None
        if self._options.ask_again_days and entry.age_days() > self._options.ask_again_days:
            return None
        help_ = HELPED_BY.get(entry.reason)
        return None if help_ in self._given and help_ not in entry.facts.get("asked_with", []) else entry

    def _cut(self, whole: Path, utterance: str, track: Track) -> Found:
        options, request = self._options, self._request(track)
        target = self._store.clip_path(utterance)
        try:
            isolated(
                partial(
                    crop_track, whole, target, track.boxes, track.start_s, in_pixels=track.in_pixels,
                    of_height=options.boxes_height, margin=options.margin, size=options.size,
                ),
                writes=True,
            )  # fmt: skip
        except OSError as error:
            raise AvsieveError(
                f"{target}: cannot be written ({error.strerror}); free some space or name another `store`"
            ) from error
        except (CropError, LostError) as error:
            # A file that cannot be opened may have been cut off on its way: it is fetched once more before it is gone.
            before = self._ledger.outcome(utterance)
            first = error.reason is Reason.CONTAINER_BROKEN and (before is None or before.reason is not error.reason)
            outcome: Outcome = "later" if first else "gone"
            return _as_found(self._ledger.record(utterance, outcome, error.reason, request=request, detail=str(error)))
        return _as_found(
            self._ledger.record(
                utterance, "done", request=request, file=self._store.clip_name(utterance), size=target.stat().st_size,
                duration_s=track.duration_s, side=options.size, margin=options.margin,
                boxes_height=options.boxes_height,
            )
        )  # fmt: skip


def _as_found(entry: Entry) -> Found:
    facts = entry.facts
    if entry.outcome != "done":
        return Found(entry.key, entry.reason, facts.get("detail", ""))
    return Found(entry.key, Reason.OK, "", facts["size"], facts["duration_s"])
