"""Download the clips of a shard into the store, several at a time, and point to them."""

from __future__ import annotations

import errno
import logging
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import requests

import avsieve
from avsieve.errors import AvsieveError
from avsieve.media.index import IndexedClip, Place, file_place, media_table
from avsieve.runtime.progress import progress
from avsieve.sources.downloads import coverage, locked, settled
from avsieve.sources.ledger import Ledger
from avsieve.sources.store import PARTIAL, Store
from avsieve.sources.urls.addresses import guard
from avsieve.sources.urls.clips import adopt_clip, extension_of, keep_clip
from avsieve.sources.urls.download import Limits, download, key_of
from avsieve.sources.urls.plan import from_path
from avsieve.sources.urls.rate_limit import Pace
from avsieve.sources.urls.table import UrlRequest
from avsieve.sources.urls.transfer import GoneError, PassingError, disk_full
from avsieve.storage.atomic import commit
from avsieve.storage.ids import parse_id
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable

if TYPE_CHECKING:
    from avsieve.sources.urls.contract import Urls

logger = logging.getLogger(__name__)


class _Fetcher:
    """Brings what one URL has for a shard."""

    def __init__(self, store: Store, ledgers: dict[str, Ledger], pace: Pace, limits: Limits, *, private: bool) -> None:
        self._store = store
        self._ledgers = ledgers
        self._pace = pace
        self._limits = limits
        self._private = private
        self._local = threading.local()

    def _session(self) -> requests.Session:
        """Return this thread's session, which keeps its connections open."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            if not self._private:
                guard(self._local.session)
            self._local.session.headers["User-Agent"] = f"avsieve/{avsieve.__version__}"
        session: requests.Session = self._local.session
        return session

    def stop(self) -> None:
        """End whatever is under way."""
        self._pace.stop()

    @contextmanager
    def _original(self, url: str, sha256: str, *, shared: bool) -> Iterator[tuple[Path, str]]:
        """Yield the whole file and its checksum; it is kept where utterances of other speakers need it too."""
        key = key_of(url)
        part = self._store.root / PARTIAL / f"{key}.part"
        notes = part.with_suffix(".json")
        with locked(part) as handle:
            try:
                kept = next(iter(sorted(self._store.videos.glob(f"{key}.*"))), None) if shared else None
                if kept is not None:
                    yield kept, sha256
                else:
                    found = download(self._session(), url, handle, notes, sha256, self._pace, self._limits)
                    path = part
                    if shared:
                        path = self._store.videos / f"{key}{extension_of(url, part)}"
                        path.parent.mkdir(exist_ok=True)
                        commit(part, path)
                    yield path, found
                part.unlink(missing_ok=True)
            finally:
                if not part.is_file() or not part.stat().st_size:
                    part.unlink(missing_ok=True)
                    notes.unlink(missing_ok=True)

    def bring(self, url: str, wanted: dict[str, UrlRequest], *, shared: bool) -> None:
        """Bring the clips that lie at a URL; the ledgers tell what came of each."""
        try:
            self._bring(url, wanted, shared=shared)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise disk_full(self._store.root) from error
            raise

    def _bring(self, url: str, wanted: dict[str, UrlRequest], *, shared: bool) -> None:
        sha256 = next(iter(wanted.values())).sha256
        try:
            with self._original(url, sha256, shared=shared) as (path, found):
                last = next(reversed(wanted))
                for utterance, request in wanted.items():
                    ledger, move = self._ledgers[parse_id(utterance).speaker], utterance == last and not shared
                    keep_clip(self._store, ledger, utterance, request, path, found, move=move)
        except (GoneError, PassingError) as error:
            gone = isinstance(error, GoneError) and error.reason is not Reason.ADDRESS_PRIVATE  # it may be allowed
            for utterance, request in wanted.items():
                self._ledgers[parse_id(utterance).speaker].record(
                    utterance,
                    "gone" if gone else "later",
                    error.reason if isinstance(error, GoneError) else Reason.DOWNLOAD_FAILED,
                    request=request.to_text(),
                    detail=str(error),
                )


def _bring_all(fetcher: _Fetcher, wanted: dict[str, dict[str, UrlRequest]], shared: set[str], parallel: int) -> None:
    """Bring all URLs; an error that ends the run ends the other downloads too, whose beginnings are kept."""
    with ThreadPoolExecutor(parallel) as pool:
        futures = [pool.submit(fetcher.bring, url, of, shared=url in shared) for url, of in wanted.items()]
        try:
            for future in progress(as_completed(futures), "downloads", total=len(futures)):
                future.result()
        except BaseException:
            fetcher.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def fetch(rows: pd.DataFrame, settings: Urls) -> tuple[pd.DataFrame, StatusTable]:
    """Bring what is not in the store yet, and is not known to be gone.

    Parameters
    ----------
    rows
        The shard's part of the plan.

    Returns
    -------
    tuple
        The media index, one row per row of the plan, with paths below the store, and the status.

    Raises
    ------
    AvsieveError
        If the store cannot be written or the disk is full. What has come is kept.
    """
    store = Store(Path(settings.store))
    try:
        (store.root / PARTIAL).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AvsieveError(
            f"source.urls.store: {store.root} cannot be made ({error.strerror}); name another"
        ) from error
    ledgers = {s: Ledger(store, s) for s in dict.fromkeys(parse_id(u).speaker for u in rows["utterance"])}
    wanted: dict[str, dict[str, UrlRequest]] = {}
    shared: set[str] = set()
    for row in rows.itertuples():
        request, is_shared = from_path(row.path)
        ledger = ledgers[parse_id(row.utterance).speaker]
        known = settled(store, ledger, row.utterance, request.to_text(), settings.ask_again_days) is not None
        if not known and not adopt_clip(store, ledger, row.utterance, request):
            wanted.setdefault(request.url, {})[row.utterance] = request
            if is_shared:
                shared.add(request.url)
    logger.info("%d of %d utterances are known already", len(rows) - sum(map(len, wanted.values())), len(rows))
    limits = Limits(settings.retries, settings.pause_s, settings.timeout_s, settings.max_bytes)
    fetcher = _Fetcher(
        store, ledgers, Pace(settings.requests_per_s, settings.bytes_per_s), limits, private=settings.private_addresses
    )
    _bring_all(fetcher, wanted, shared, settings.parallel)
    status = StatusTable("fetch_media")
    found = []
    for row in rows.itertuples():
        entry = ledgers[parse_id(row.utterance).speaker].outcome(row.utterance)
        if entry is None:
            raise RuntimeError(f"{row.utterance}: nothing is known of it after all was brought")
        status.add(row.utterance, entry.reason, entry.facts.get("detail", ""))
        done = entry.outcome == "done"
        place = file_place(store.root, entry.facts["file"]) if done else Place(store.clip_name(row.utterance))
        duration_s = entry.facts.get("duration_s")
        found.append(
            IndexedClip(row.utterance, row.subset, place, duration_s=math.nan if duration_s is None else duration_s)
        )
    logger.info("%s", coverage(status))
    return media_table(found), status
