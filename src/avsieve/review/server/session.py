"""One reviewer at one run: all that the server knows, put together."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from avsieve.errors import AvsieveError
from avsieve.inspection.run_files import RunFiles, find_run, results_folder
from avsieve.inspection.sides import FLAGGED, read_sides
from avsieve.review.fold import fold_into
from avsieve.review.folder import reviews_folder
from avsieve.review.lines import SUFFIX
from avsieve.review.server.columns import Columns, read_columns
from avsieve.review.server.decisions import Desk
from avsieve.review.server.estimates import Estimates
from avsieve.review.server.items import Items
from avsieve.review.server.media import Media
from avsieve.review.server.opinion import MachineOpinions
from avsieve.review.server.progress import Progress
from avsieve.review.server.queues import Queues
from avsieve.review.server.reviews import Reviews
from avsieve.review.server.table import COLUMNS, Table
from avsieve.runtime.memory import release_memory
from avsieve.storage import paths as P
from avsieve.storage.provenance import sha256_of

logger = logging.getLogger(__name__)
FOLDED = "review.csv"
"""The table that the logs are folded into, in their folder."""


@dataclass(frozen=True)
class Settings:
    """What a review is started with.

    Attributes
    ----------
    results
        The run, as `avsieve.inspection.run_files.find_run` takes it.
    reviewer
        Whose log is written.
    reviews
        Folder of the logs; None for the usual one.
    media_from
        Results whose faces and voices are shown; None for the run's own.
    against
        A list or a run for a second opinion.
    """

    results: Path
    reviewer: str
    reviews: Path | None = None
    media_from: Path | None = None
    against: Path | None = None


@dataclass
class Session:
    """A run, its media, and what was decided; answers are made under ``lock``."""

    settings: Settings
    keys: dict[str, list[str]]
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.run: RunFiles = find_run(self.settings.results)
        self.reviews_folder = self.settings.reviews or reviews_folder(self.run.folder)
        self.list_sha256 = sha256_of(self.run.train_list) if self.run.train_list.is_file() else ""
        self.columns: Columns = read_columns(self.run.decisions)
        media = results_folder(self.settings.media_from) if self.settings.media_from else self.run.folder
        self.media = Media(media)
        if self.settings.media_from and not (self.media.has_faces or self.media.has_voices):
            raise AvsieveError(
                f"--media-from {self.settings.media_from}: no plan with aligned faces or sound ({P.plan.utterances}, "
                f"{P.align.faces}, {P.extract.wav}); expected the results of a run that kept them"
            )
        self.reviews = Reviews(self.reviews_folder, self.settings.reviewer, self.list_sha256, self.columns)
        self.items = Items(self.columns, self.media, self.reviews)
        self.queues = Queues(self.columns, self.reviews, self.items, self.run.decisions)
        other = _second_opinion(self.run, self.columns, self.settings.against)
        self.table = Table(self.columns, other)
        self._unknown_to_other = 0 if other is None else int((other < 0).sum())
        self.estimates = Estimates(self.run, self.reviews_folder)
        self.progress = Progress(self.columns, self.reviews, self.queues, self.estimates.lines)
        self.machine = MachineOpinions(self.run, self.columns, self.items)
        self.desk = Desk(self.columns, self.reviews, self.queues)
        release_memory()

    def warm(self) -> None:
        """Read and sort what the first page and opinion would wait for; requests may be answered meanwhile."""
        try:
            self.table.warm()
            self.machine.warm()
        except AvsieveError as error:  # whoever asks for an opinion is told the same
            logger.warning("%s", error)
        release_memory()

    def facts(self) -> dict[str, Any]:
        """Return what a page asks first."""
        d, folder = self.columns.decided, self.run.folder.resolve()
        return {
            "name": folder.parent.name if folder.name == P.RESULTS else folder.name,
            "folder": str(self.run.folder),
            "utterances": len(d),
            "speakers": len(d.speaker.names),
            "videos": len(d.video.names),
            "flagged": int(d.flagged.sum()),
            "reviewer": self.settings.reviewer,
            "reviews": str(self.reviews_folder),
            "list_sha256": self.list_sha256,
            "newest": max((entry.number for entry in self.reviews.own.log.entries[-1:]), default=0),
            "has_faces": self.media.has_faces,
            "has_voices": self.media.has_voices,
            "has_plan": self.queues.plan is not None,
            "has_second_opinion": self.table.has_second_opinion,
            "modes": ["queue", "sheet", "table"],
            "keys": self.keys,
            "queues": self.queues.listed(),
            "columns": [{"name": name, "label": label, "type": kind} for name, (label, kind) in COLUMNS.items()],
            "warnings": self.warnings(),
            "progress": self.progress.of("flagged"),
        }

    def warnings(self) -> list[str]:
        """Say what does not fit: of the logs, and of the second opinion."""
        told = self.reviews.warnings(self.list_sha256)
        if self._unknown_to_other:
            told.append(
                f"--against {self.settings.against}: says nothing of {self._unknown_to_other:,} of the "
                f"{len(self.columns):,} utterances; they count as no disagreement"
            )
        return told

    def fold(self) -> dict[str, Any] | None:
        """Fold the logs into a table beside them; None where nobody has decided anything.

        Raises
        ------
        ReviewError
            If a log cannot be read or the table not be written.
        """
        if not any(self.reviews_folder.glob(f"*{SUFFIX}")):
            return None
        path = self.reviews_folder / FOLDED
        folded = fold_into(self.reviews_folder, path)
        return {"path": str(path), "utterances": len(folded.rows), "reviewers": folded.reviewers, "told": folded.told}


def _second_opinion(run: RunFiles, columns: Columns, against: Path | None) -> np.ndarray | None:
    """Return what a list or another run says of each row: 1 flagged, 0 not, -1 nothing."""
    if against is None:
        return None
    side = read_sides(run.folder, against)[1]
    flagged = np.logical_or.reduce([side.decision.is_(name) for name in FLAGGED])
    place = pc.index_in(columns.decided.utterance, value_set=side.utterance).fill_null(-1).to_numpy()
    if (place < 0).all():
        first = side.utterance[0].as_py() if len(side.utterance) else "nothing"
        raise AvsieveError(
            f"--against {against}: none of the {len(columns):,} utterances is in it; its ids look like {first}, those "
            f"of the run like {columns.id_of(0)}"
        )
    return np.where(place < 0, -1, flagged[place]).astype(np.int8)
