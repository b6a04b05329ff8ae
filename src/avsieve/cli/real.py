"""``avsieve real``: run the whole pipeline on real faces and voices that lie in folders of their own."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb
from avsieve.errors import AvsieveError

DESCRIPTION = """Build a small corpus of real faces and voices, train a speaker encoder, and run the whole pipeline on
it.

The folder given by --real holds `make_corpus.py` (which writes the clips, their list and truth.csv), `faces`, `voices`,
`speech_train` (one or more recordings of other people, named SPEAKER-CHAPTER-NUMBER.EXT), `models/scrfd_500m_kps.onnx`,
`models/mobilefacenet.onnx` and, optionally, `video` (clips that only go through extraction and alignment).
Everything is written below --work, which must lie outside the checkout.
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.add_argument("--real", type=Path, required=True, help="the folder described above")
    ap.add_argument("--faces", type=Path, help="folders of photographs, one per person (default: REAL/faces)")
    ap.add_argument("--voices", type=Path, help="folders of recordings, one per person (default: REAL/voices)")
    ap.add_argument("--work", type=Path, required=True, help="working folder; kept, and resumed from")
    ap.add_argument("--noise", type=float, default=0.15, help="share of the clips to mislabel (default: 0.15)")
    ap.add_argument("--seed", type=int, default=0, help="seed of the corpus (default: 0)")
    ap.add_argument("--cores", type=int, default=2, help="cores to use (default: 2)")


def run(args: argparse.Namespace) -> int:
    """Run it."""
    from avsieve.wiring.trial_run import checkout, run_real

    root = checkout()
    if root in [args.work.resolve(), *args.work.resolve().parents]:
        raise AvsieveError(
            f"--work {args.work} is inside the checkout; real data must stay outside: name another folder"
        )
    folders = {"faces": args.faces or args.real / "faces", "voices": args.voices or args.real / "voices"}
    run_real(root, args.real, args.work, folders, noise=args.noise, seed=args.seed, cores=args.cores)
    return 0


VERB = Verb("run the whole pipeline on real faces and voices", DESCRIPTION, add_arguments, run)
