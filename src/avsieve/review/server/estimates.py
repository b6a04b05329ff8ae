"""What the reviewed plan tells of the list, computed beside the answers: a decision never waits for it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.inspection.run_files import RunFiles
from avsieve.review.estimate import estimate_run
from avsieve.review.plan import NAME
from avsieve.review.population import Population, read_population

logger = logging.getLogger(__name__)


class Estimates:
    """Lines on precision and recall by the reviews so far.

    Parameters
    ----------
    run, folder
        The run, and the folder of its plan and its logs.
    """

    def __init__(self, run: RunFiles, folder: Path) -> None:
        self._run, self._folder = run, folder
        self._population: Population | None = None
        self._lines: list[str] | None = None
        self._of: tuple[int, int] | None = None
        self._worker: threading.Thread | None = None

    def lines(self, version: int) -> list[str] | None:
        """Return the newest lines there are, and begin with newer ones; None where there is no plan or nothing yet.

        Parameters
        ----------
        version
            Of the reviews: another one asks for new lines.
        """
        plan = self._folder / NAME
        try:
            now = (version, plan.stat().st_mtime_ns)
        except FileNotFoundError:
            return None
        if self._of != now and (self._worker is None or not self._worker.is_alive()):
            self._of = now
            self._worker = threading.Thread(target=self._compute, name="estimate", daemon=True)
            self._worker.start()
        return self._lines

    def wait(self, seconds: float) -> None:
        """Wait until what was begun is there."""
        if self._worker is not None:
            self._worker.join(seconds)

    def _compute(self) -> None:
        try:
            if self._population is None:
                self._population = read_population(self._run)
            self._lines = estimate_run(self._run, self._folder, self._population).lines()
        except AvsieveError as error:  # shown where the lines would stand
            logger.warning("%s", error)
            self._lines = [str(error)]
