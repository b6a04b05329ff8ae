"""Fetch the videos of a shard, and cut and crop the utterances out of them along their tracks.

Clips and what is known of each video lie in the store, so a run that is taken up asks for nothing twice.
"""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

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

logger = logging.getLogger(__name__)


def add_options(ap: argparse.ArgumentParser) -> None:
    """Add the options of this source."""
    ap.add_argument("--tracks", type=Path, required=True, help="folder of the track files")
    ap.add_argument("--test-tracks", type=Path, help="folder of the track files of other people")
    ap.add_argument("--store", type=Path, required=True, help="folder that the clips are kept in")
    ap.add_argument("--url", required=True, help="address of a video; {video} is its reference")
    ap.add_argument("--format", default="bv*[height<=480]+ba/b", help="what yt-dlp takes of a video")
    ap.add_argument("--cookies", type=Path, help="file of cookies, Netscape's format")
    ap.add_argument("--proxy", help="proxy for yt-dlp")
    ap.add_argument("--bytes-per-s", type=float, default=0.0, help="most bytes a second; 0 for any")
    ap.add_argument("--sleep-s", type=float, default=1.0, help="pause before each video")
    ap.add_argument("--retries", type=int, default=3, help="attempts after a failure that may pass")
    ap.add_argument("--timeout-s", type=float, default=30.0, help="a silent connection is broken off after so long")
    ap.add_argument("--give-up-after", type=int, default=5, help="stop after so many refusals in a row; 0 for never")
    ap.add_argument("--ask-again-days", type=float, default=0.0, help="ask again for what was gone so long ago")
    ap.add_argument("--size", type=int, default=224, help="side of the clips, in pixels")
    ap.add_argument("--margin", type=float, default=0.0, help="added to a box on each side, as a share of it")
    ap.add_argument("--boxes-height", type=int, default=0, help="height of the picture that pixel boxes belong to")
    ap.add_argument("--keep-videos", action=argparse.BooleanOptionalAction, default=False, help="keep whole videos")


def fetch(rows: pd.DataFrame, args: argparse.Namespace) -> tuple[pd.DataFrame, StatusTable]:
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
    store = Store(args.store)
    found: dict[str, Found] = {}
    for one in progress(_found(rows, args, store), "utterances", total=len(rows)):
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


def also_watched(rows: pd.DataFrame, index: pd.DataFrame, args: argparse.Namespace) -> Iterator[Watched]:
    """Yield the track files: another track makes another clip."""
    for row in rows.itertuples():
        path = _track_file(row, args)
        yield Watched(".", str(path), stamp_of(path.stat()) if path.is_file() else ABSENT)


def _track_file(row: Any, args: argparse.Namespace) -> Path:
    root: Path = args.tracks if row.subset == "train" else args.test_tracks
    return root / f"{row.path}.txt"


def _found(rows: pd.DataFrame, args: argparse.Namespace, store: Store) -> Iterator[Found]:
    site: list[Site] = []

    def ask() -> Site:
        if not site:  # only now: a run in which nothing is left to ask for needs no yt-dlp
            site.append(Site(SiteOptions(**{field.name: getattr(args, field.name) for field in fields(SiteOptions)})))
        return site[0]

    options = ClipOptions(args.size, args.margin, args.boxes_height, args.keep_videos, args.ask_again_days)
    given = {name for name in ("cookies", "proxy") if getattr(args, name) is not None}
    speakers = rows["utterance"].str.partition("/")[0]
    for speaker, group in rows.groupby(speakers, sort=False):
        tracks = {
            row.utterance: track_file(args.tracks if row.subset == "train" else args.test_tracks, row.path)
            for row in group.itertuples()
        }
        with locked(store.partial_dir(f"{speaker}.lock")):
            yield from SpeakerWork(store, Ledger(store, str(speaker)), ask, options, given).run(tracks)


def _tell(status: StatusTable) -> None:
    """Log the coverage, and who has lost everything."""
    logger.info("coverage: %s", coverage(status))
    if any(Reason(row["code"]) in MAY_PASS for row in status.rows):
        logger.warning("some of it may pass: `snakemake --forcerun fetch_media` asks again for that, and for no more")
    there: dict[str, bool] = {}
    for row in status.rows:
        speaker = row["utterance"].partition("/")[0]
        there[speaker] = there.get(speaker, False) or row["code"] == Reason.OK
    lost = [speaker for speaker, some in there.items() if not some]
    if lost:
        logger.warning("nothing is left of %d of %d speakers: %s", len(lost), len(there), " ".join(lost))
