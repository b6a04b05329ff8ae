"""Train an audio encoder with AAM-softmax from a training list and wav shards.

The list has the layout of train_all.txt or train_clean.txt; classes are the ranks of the speakers present. The same
command after an interruption goes on where --checkpoint left off, and ends with the same weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.runtime.scripting import parser, run
from avsieve.training.encoder.large_margin import NONE, large_margin
from avsieve.training.encoder.options import (
    add_fit_options,
    add_output_options,
    add_run_options,
    add_validation_options,
    parse_with_preset,
    run_of,
    schedule_of,
    watch_of,
)
from avsieve.training.encoder.presets import AUDIO

KINDS = ["none", "room", "babble", "noise", "filter", "music"]
MIXINGS = ["level", "voxceleb_trainer"]


def add_recipe_options(ap: argparse.ArgumentParser) -> None:
    """Add the options that decide the result."""
    ap.add_argument("--arch", default="ecapa_small", help="architecture")
    ap.add_argument("--steps", type=int, default=1000, help="batches to train on")
    ap.add_argument("--batch", type=int, default=64, help="crops in a batch")
    ap.add_argument("--crop-s", type=float, default=2.0, help="length of a crop, seconds")
    ap.add_argument("--speeds", type=float, nargs="+", default=[1.0], help="speed factors, each with its own classes")
    ap.add_argument(
        "--augment", nargs="*", choices=KINDS, default=KINDS[:4], metavar="KIND",
        help=f"treatments, one of which each crop gets ({', '.join(KINDS)}); one named twice is twice as likely",
    )  # fmt: skip
    ap.add_argument("--stack", type=float, default=0.0, help="chance of a second treatment")
    ap.add_argument("--gain-db", type=float, default=6.0, help="largest change of a crop's level, dB; 0 for none")
    ap.add_argument(
        "--mixing", choices=MIXINGS, default="level",
        help="how noise and rooms are mixed in: by plain ratios, or as the loader of voxceleb_trainer does",
    )  # fmt: skip
    ap.add_argument("--noise", type=Path, help="folder of noise at 16 kHz; made up without one")
    ap.add_argument("--music", type=Path, help="folder of music at 16 kHz")
    ap.add_argument("--speech", type=Path, help="folder of speech at 16 kHz for babble; other speakers without one")
    ap.add_argument("--rooms", type=Path, help="folder of impulse responses at 16 kHz; made up without one")
    ap.add_argument("--mask", type=float, default=0.1, help="SpecAugment: largest share of frames and bands hidden")
    add_fit_options(ap)
    add_validation_options(ap)
    ap.add_argument("--seed", type=int, default=0, help="decides first weights, order, crops and treatments")
    ap.add_argument("--start-from", help="weights to begin with in place of random ones; 'builtin' for those shipped")


def main() -> None:
    """Train one encoder."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list, 'speaker wav seconds'")
    ap.add_argument("--wav", type=Path, nargs="+", required=True, help="wav shards that hold its utterances")
    add_output_options(ap)
    add_recipe_options(ap)
    add_run_options(ap)
    ap.add_argument(
        "--large-margin", type=large_margin, default=NONE, metavar="JSON",
        help="a second phase on long crops, such as '{\"steps\": 1000, \"crop_s\": 6, \"margin\": 0.5, \"lr\": 1e-5}'",
    )  # fmt: skip
    args = parse_with_preset(ap, AUDIO)

    import torch

    from avsieve.training.encoder.audio import AudioRecipe, train_audio

    torch.set_num_threads(args.threads)
    train_audio(
        args.list,
        args.wav,
        args.output,
        recipe=AudioRecipe(
            arch=args.arch,
            batch=args.batch,
            crop_s=args.crop_s,
            speeds=tuple(args.speeds),
            augment=tuple(args.augment),
            stack=args.stack,
            gain_db=args.gain_db,
            mixing=args.mixing,
            mask=args.mask,
            scale=args.scale,
            subcenters=args.subcenters,
            top_k=args.top_k,
            top_penalty=args.top_penalty,
            seed=args.seed,
        ),
        schedule=schedule_of(args),
        watch=watch_of(args),
        noise=args.noise,
        music=args.music,
        rooms=args.rooms,
        speech=args.speech,
        large=args.large_margin,
        **run_of(args),
    )


if __name__ == "__main__":
    run(main)
