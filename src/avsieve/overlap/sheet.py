"""Faces of the likeliest pairs, those of A beside those of B."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.inspection.faces import faces_of
from avsieve.inspection.run_files import RunFiles
from avsieve.inspection.sheet import FACES, Row, Shown, check_ending, draw, write_picture
from avsieve.overlap.facts import OverlapFacts
from avsieve.storage import paths as P

_ROWS = 40


def write_pairs(path: Path, folders: tuple[Path | None, Path | None], facts: OverlapFacts) -> Shown:
    """Write the faces of the likeliest pairs as a picture.

    Parameters
    ----------
    path
        With the ending .png or .jpg.
    folders
        The runs that both corpora are.

    Raises
    ------
    AvsieveError
        If the ending is another, a corpus is no run or has no faces, or there is no pair to show.
    """
    check_ending(path)
    runs = [_run(folder, which) for folder, which in zip(folders, "AB", strict=True)]
    pairs = facts.pairs[:_ROWS]
    if not pairs:
        raise AvsieveError("no pair is likely enough to be listed, so there is nothing to show; leave --sheet out")
    rows = [
        Row(
            [p.speaker_a, p.speaker_b, f"one person: p {p.probability:.3f}"],
            _of("A", p.examples_a),
            _of("B", p.examples_b),
        )
        for p in pairs
    ]
    faces: dict[str, list[np.ndarray]] = {}
    # Both corpora may have utterances of one name.
    for which, run, wanted in zip(
        "AB", runs, ([p.examples_a for p in pairs], [p.examples_b for p in pairs]), strict=True
    ):
        names = list(dict.fromkeys(name for some in wanted for name in some))
        faces |= {f"{which}:{name}": images for name, images in faces_of(run, names, FACES).items()}
    picture, count, empty = draw(rows, faces, ("A", "B"))
    write_picture(path, picture)
    notes = [f"{empty} of the {len(rows)} rows have no face of A: none was found there"] if empty else []
    return Shown(count, f"{len(rows)} pair{'s' * (len(rows) != 1)}", notes)


def _of(which: str, names: list[str]) -> list[str]:
    return [f"{which}:{name}" for name in names]


def _run(folder: Path | None, which: str) -> RunFiles:
    if folder is None:
        raise AvsieveError(
            f"--sheet needs faces, and {which} is a list with embeddings; name runs, or leave --sheet out"
        )
    inner = [P.lists.decisions, P.lists.summary, P.scores.scores, P.lists.all, P.audit.audit]
    return RunFiles(folder, True, *(P.below(folder, path) for path in inner))
