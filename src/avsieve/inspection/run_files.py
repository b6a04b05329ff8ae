"""Where the files of a run lie, whichever command made it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.storage import paths as P


@dataclass(frozen=True)
class RunFiles:
    """The files of a finished cleansing.

    Attributes
    ----------
    folder
        The results of the workflow, or the folder that ``avsieve cleanse --out`` filled.
    of_workflow
        Whether the workflow made it: it then may have a plan, shards, faces and an evaluation.
    decisions, summary, scores, train_list, audit
        Its tables. They need not exist, except ``decisions`` and ``summary``.
    """

    folder: Path
    of_workflow: bool
    decisions: Path
    summary: Path
    scores: Path
    train_list: Path
    audit: Path

    def below(self, path: str, **wildcards: object) -> Path:
        """Return where a path of `avsieve.storage.paths` lies in this run."""
        return P.below(self.folder, path, **wildcards)

    @property
    def has_faces(self) -> bool:
        """Whether aligned faces were kept."""
        return self.of_workflow and any(self.below(P.align.folder).glob("*.faces.tar"))


def results_folder(path: str | Path) -> Path:
    """Return the folder of the results, be ``path`` that folder or the one that Snakemake ran in."""
    path = Path(path)
    inner = path / P.RESULTS
    return inner if inner.is_dir() and not P.below(path, P.lists.folder).is_dir() else path


def find_run(path: str | Path) -> RunFiles:
    """Find the files of a run.

    Parameters
    ----------
    path
        The results of the workflow, the folder that Snakemake ran in, or the folder of ``avsieve cleanse --out``.

    Raises
    ------
    AvsieveError
        If it is no folder, or has no decisions: then with what to do.
    """
    path = Path(path)
    if not path.exists():
        raise AvsieveError(f"{path}: no such folder; name the results of a run, or the folder of avsieve cleanse --out")
    if not path.is_dir():
        raise AvsieveError(f"{path}: a file; expected the folder of a run's results")
    folder = results_folder(path)
    lists = P.below(folder, P.lists.decisions), P.below(folder, P.lists.summary)
    flat = folder / lists[0].name, folder / lists[1].name
    if all(file.is_file() for file in lists):
        scores, train = P.below(folder, P.scores.scores), P.below(folder, P.lists.all)
        return RunFiles(folder, True, *lists, scores, train, P.below(folder, P.audit.audit))
    if all(file.is_file() for file in flat):
        scores, train = folder / Path(P.scores.scores).name, folder / Path(P.lists.all).name
        return RunFiles(folder, False, *flat, scores, train, folder / Path(P.audit.audit).name)
    if P.below(folder, P.plan.folder).is_dir() or P.below(folder, P.LOGS).is_dir():
        raise AvsieveError(
            f"{folder}: the run has no decisions yet ({lists[0]} is not there); avsieve status {folder} tells how far "
            "it is"
        )
    raise AvsieveError(
        f"{folder}: neither {lists[0].relative_to(folder)} nor {flat[0].name} is there; name the results of a run "
        "(results/), or the folder of avsieve cleanse --out"
    )
