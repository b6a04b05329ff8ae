"""Which utterances a table of URLs has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.sources.plan import TEST, TRAIN
from avsieve.sources.urls.table import UrlRequest, read_table

if TYPE_CHECKING:
    from avsieve.sources.urls.contract import Urls

SHARED = "shared"


def to_path(request: UrlRequest, *, shared: bool) -> str:
    """Return what the plan holds of an utterance; ``shared`` where utterances of other speakers have the same URL."""
    return f"{request.to_text()}\n{SHARED if shared else ''}"


def from_path(path: str) -> tuple[UrlRequest, bool]:
    """Read what `to_path` wrote."""
    text, shared = path.split("\n")
    return UrlRequest.from_text(text), shared == SHARED


def plan(settings: Urls) -> pd.DataFrame:
    """Return the utterances of the tables in their order.

    Raises
    ------
    ListError
        If a line of a table cannot be read.
    AvsieveError
        If one URL has two checksums.
    """
    tables = {TRAIN: read_table(Path(str(settings.table)))}
    if settings.test_table is not None:
        tables[TEST] = read_table(Path(settings.test_table))
    checksums: dict[str, str] = {}
    speakers: dict[str, set[str]] = {}
    for utterance, request in ((u, r) for table in tables.values() for u, r in table.items()):
        other = checksums.setdefault(request.url, request.sha256)
        if other != request.sha256:
            raise AvsieveError(
                f"{request.url} is listed with the sha256 {other or '(none)'} and {request.sha256 or '(none)'}; "
                f"expected the same for all of its utterances, such as {utterance}"
            )
        speakers.setdefault(request.url, set()).add(utterance.split("/")[0])
    rows = [
        (utterance, subset, to_path(request, shared=len(speakers[request.url]) > 1), "")
        for subset, table in tables.items()
        for utterance, request in table.items()
    ]
    return pd.DataFrame(rows, columns=["utterance", "subset", "path", "seconds"])
