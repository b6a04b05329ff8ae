"""The options of scripts that decode clips."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from avsieve.media.settings import Media
from avsieve.runtime.options import add_settings


def add_media_options(ap: argparse.ArgumentParser) -> None:
    """Add where the clips of a shard lie, and how they are decoded."""
    ap.add_argument("--index", type=Path, required=True, help="the shard's media index")
    ap.add_argument("--train-root", type=Path, required=True, help="folder that the training clips' paths start from")
    ap.add_argument("--test-root", type=Path, help="folder that the test clips' paths start from")
    ap.add_argument("--train-audio-root", type=Path, help="folder of the training sound, where it lies apart")
    ap.add_argument("--test-audio-root", type=Path, help="folder of the test sound, where it lies apart")
    ap.add_argument("--max-failed", type=float, required=True, help="largest share of failed utterances")
    ap.add_argument("--modalities", choices=["both", "audio"], required=True, help="audio: there is no picture")
    ap.add_argument("--threads", type=int, required=True, help="clips worked on at a time")
    add_settings(ap, Media, only=["interval_s", "min_audio_s", "limits"], required=True)


def roots_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the folders that the options name, a folder per subset: of the clips, and of sound that lies apart."""
    apart = {"train": args.train_audio_root, "test": args.test_audio_root}
    return {
        "roots": {"train": args.train_root, "test": args.test_root or args.train_root},
        "audio_roots": {subset: root for subset, root in apart.items() if root},
    }
