"""Status tables: one row per utterance and stage, with a reason code from the closed set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from avsieve.errors import TooManyFailuresError
from avsieve.storage.file_names import harmless
from avsieve.storage.reasons import DESCRIPTIONS, Reason
from avsieve.storage.tables import write_table


class StatusTable:
    """Collect the status of each utterance in a stage; nothing is ever dropped.

    Columns: ``utterance``, ``code`` (a `Reason`), ``detail`` (the decoder's or model's last words, or empty), and the
    stage's own measures as further columns.
    """

    def __init__(self, stage: str, **measures: str) -> None:
        """Begin the table of ``stage``; ``measures`` gives the dtypes of its own columns, for shards without rows."""
        self.stage = stage
        self.measures = measures
        self.rows: list[dict[str, Any]] = []

    def add(self, utterance: str, code: Reason = Reason.OK, detail: str = "", **measures: Any) -> None:
        """Record one utterance; what a file or a server says in ``detail`` is made harmless for terminals."""
        self.rows.append({"utterance": utterance, "code": code.value, "detail": harmless(detail), **measures})

    def __len__(self) -> int:
        return len(self.rows)

    def frame(self) -> pd.DataFrame:
        """Return the table; it has the three fixed columns even when it has no rows."""
        frame = pd.DataFrame(self.rows)
        for column in ("utterance", "code", "detail"):
            if column not in frame:
                frame[column] = pd.Series(dtype=str)
        for column, dtype in self.measures.items():
            if column not in frame:
                frame[column] = pd.Series(dtype=dtype)
        return frame

    def counts(self) -> Counter[str]:
        """Count the codes."""
        return Counter(row["code"] for row in self.rows)

    def write(self, path: str | Path) -> None:
        """Write the table to ``path``."""
        write_table(path, self.frame())

    def check(self, max_failed: float, already_failed: int = 0) -> None:
        """Fail the stage when too large a share of its utterances has a code other than ``ok``.

        Parameters
        ----------
        max_failed
            Largest share of failed utterances that is accepted, 0 to 1.
        already_failed
            Failed rows that an earlier stage has reported and accepted: they do not count again.

        Raises
        ------
        TooManyFailuresError
            Naming the top reasons.
        """
        counts = self.counts()
        failed = len(self.rows) - counts[Reason.OK.value] - already_failed
        usable = len(self.rows) - already_failed
        if usable <= 0 or failed / usable <= max_failed:
            return
        top = [(c, n) for c, n in counts.most_common() if c != Reason.OK][:3]
        reasons = ", ".join(f"{c} x {n} ({DESCRIPTIONS[Reason(c)]})" for c, n in top)
        example = next(r for r in self.rows if r["code"] == top[0][0])
        raise TooManyFailuresError(
            f"{self.stage}: {failed} of {usable} utterances failed ({failed / usable:.1%}), more than max_failed "
            f"({max_failed:.1%}) allows: {reasons}; for example {example['utterance']}: {example['detail'] or '-'}. "
            f"Fix the data, or raise max_failed in the configuration"
        )
