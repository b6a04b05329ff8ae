"""The forms of an export and their options, for `avsieve export` and for the rules' scripts alike."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.storage import paths as P

PLACES = {"faces": P.align.faces, "wav": P.extract.wav, "frames": P.extract.frames}
"""What can be exported: the tars that hold it, one a shard."""
STATUS = {"faces": P.align.status, "wav": P.extract.status, "frames": P.extract.status}
"""What says of which utterances they can hold anything."""
KINDS = tuple(PLACES)
SUBSETS = ("all", "clean", "noisy", "test")
FORMS = {
    "tree": "AVCleanse's folders: frame_align/speaker/video/utterance/0010.jpg and wav/speaker/video/utterance.wav",
    "webdataset": "tars in WebDataset's form, a sample an utterance",
    "parquet": "Parquet that the package `datasets` reads, a row an utterance",
}


def add_options(ap: argparse.ArgumentParser, form: str) -> None:
    """Add the options of one form."""
    ap.add_argument("--results", type=Path, default=Path(P.RESULTS), help="folder of a run's results")
    ap.add_argument("--out", type=Path, required=True, help="folder to write to")
    ap.add_argument("--subset", choices=SUBSETS, default="clean", help="which utterances")
    ap.add_argument("--what", nargs="+", choices=KINDS, default=["faces", "wav"], help="which files of them")
    ap.add_argument("--speakers", type=Path, help="only these speakers: a file of one a line")
    ap.add_argument("--utterances", type=Path, help="only these utterances: one a line, or any list of utterances")
    ap.add_argument("--share", type=float, default=1.0, help="share of the utterances, 0 to 1")
    ap.add_argument("--seed", type=int, default=0, help="decides which share, and the order where it is shuffled")
    ap.add_argument("--summary", type=Path, help="counts to write (JSON)")
    if form == "tree":
        ap.add_argument("--threads", type=int, default=4, help="utterances written at a time")
        return
    ap.add_argument("--part-mb", type=float, default=1000.0, help="most megabytes of a file")
    ap.add_argument(
        "--shuffle", action=argparse.BooleanOptionalAction, default=True,
        help="mix the speakers; otherwise in the order of the list",
    )  # fmt: skip
