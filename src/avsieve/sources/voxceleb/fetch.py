"""Fetch the videos of a shard, and cut and crop the utterances out of them along their tracks.

Clips and what is known of each video lie in the store, so a run that is taken up asks for nothing twice.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from avsieve.media.file_identity import stamp_of
from avsieve.media.index import IndexedClip, Place, file_place, media_table
from avsieve.runtime.progress import progress
from avsieve.sources.downloads import MAY_PASS, coverage, locked
from avsieve.sources.ledger import Ledger
from avsieve.sources.store import Store
from avsieve.sources.voxceleb.site import Site, SiteOptions
from avsieve.sources.voxceleb.speaker import ClipOptions, Found, SpeakerWork
from avsieve.sources.voxceleb.tracks import track_file
from avsieve.sources.watch_list import ABSENT, Watched
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable

if TYPE_CHECKING:
    from avsieve.sources.voxceleb.contract import Voxceleb

logger = logging.getLogger(__name__)


def fetch(rows: pd.DataFrame, settings: Voxceleb) -> tuple[pd.DataFrame, StatusTable]:
    """Bring the clips of a shard into the store.

    Parameters
    ----------
    rows
        The shard's part of the plan.

    Returns
    -------
    tuple
        The media index, one row per row of the plan, and the status.

    Raises
    ------
    AvsieveError
        If yt-dlp is missing, the store cannot be written, or the site refuses to answer again and again.
    """
    store = Store(settings.store)
    found: dict[str, Found] = {}
    for one in progress(_found(rows, settings, store), "utterances", total=len(rows)):
        found[one.utterance] = one
    status = StatusTable("fetch_media")
    clips = []
    for row in rows.itertuples():
        one = found[row.utterance]
        status.add(one.utterance, one.reason, one.detail)
        name = store.clip_name(one.utterance)
        place = file_place(store.root, name) if one.size else Place(name)
        clips.append(IndexedClip(one.utterance, row.subset, place, duration_s=one.duration_s or math.nan))
    _tell(status)
    return media_table(clips), status


def also_watched(rows: pd.DataFrame, index: pd.DataFrame, settings: Voxceleb) -> Iterator[Watched]:
    """Yield the track files: another track makes another clip."""
    for row in rows.itertuples():
        path = _track_file(row, settings)
        yield Watched(".", str(path), stamp_of(path.stat()) if path.is_file() else ABSENT)


def _track_file(row: Any, settings: Voxceleb) -> Path:
    return _tracks(row, settings) / f"{row.path}.txt"


def _tracks(row: Any, settings: Voxceleb) -> Path:
    return Path(str(settings.tracks if row.subset == "train" else settings.test_tracks))


def _found(rows: pd.DataFrame, settings: Voxceleb, store: Store) -> Iterator[Found]:
    site: list[Site] = []

    def ask() -> Site:
        if not site:  # only now: a run in which nothing is left to ask for needs no yt-dlp
            site.append(Site(_site_options(settings)))
        return site[0]

    options = ClipOptions(
        settings.size, settings.margin, settings.boxes_height, settings.keep_videos, settings.ask_again_days
    )
    given = {name for name in ("cookies", "proxy") if getattr(settings, name) is not None}
    speakers = rows["utterance"].str.partition("/")[0]
    for speaker, group in rows.groupby(speakers, sort=False):
        tracks = {row.utterance: track_file(_tracks(row, settings), row.path) for row in group.itertuples()}
        with locked(store.partial_dir(f"{speaker}.lock")):
            yield from SpeakerWork(store, Ledger(store, str(speaker)), ask, options, given).run(tracks)


def _site_options(settings: Voxceleb) -> SiteOptions:
    cookies = None if settings.cookies is None else Path(settings.cookies)
    asked = settings.model_dump(include={field.name for field in fields(SiteOptions)} - {"cookies"})
    return SiteOptions(cookies=cookies, **asked)


def _tell(status: StatusTable) -> None:
    """Log the coverage, and who has lost everything."""
    logger.info("coverage: %s", coverage(status))
    if any(Reason(row["code"]) in MAY_PASS for row in status.rows):
        logger.warning("some failures may be temporary: `snakemake --forcerun fetch_media` retries these only")
    there: dict[str, bool] = {}
    for row in status.rows:
        speaker = row["utterance"].partition("/")[0]
        there[speaker] = there.get(speaker, False) or row["code"] == Reason.OK
    lost = [speaker for speaker, some in there.items() if not some]
    if lost:
        logger.warning("%d of %d speakers have no clip left: %s", len(lost), len(there), " ".join(lost))
