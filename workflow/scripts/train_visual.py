"""Train a visual encoder with AAM-softmax from a training list and shards of aligned faces.

The list has the layout of train_all.txt or train_clean.txt; classes are the ranks of the speakers present. The same
command after an interruption goes on where --checkpoint left off, and ends with the same weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.runtime.scripting import parser, run
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
from avsieve.training.encoder.presets import VISUAL


def add_recipe_options(ap: argparse.ArgumentParser) -> None:
    """Add the options that decide the result."""
    ap.add_argument("--arch", default="mobileface_small", help="architecture")
    ap.add_argument("--steps", type=int, default=1000, help="batches to train on")
    ap.add_argument("--batch", type=int, default=64, help="faces in a batch")
    ap.add_argument("--augment", action=argparse.BooleanOptionalAction, default=True, help="spoil the faces")
    ap.add_argument("--flip", type=float, default=0.5, help="chance of a mirrored face")
    ap.add_argument("--grey", type=float, default=0.3, help="chance of a face without colour")
    ap.add_argument("--blur", type=float, default=0.3, help="chance of a blurred face")
    ap.add_argument("--smooth", type=float, default=0.0, help="chance of a blur of 5 x 9 pixels")
    ap.add_argument("--noise", type=float, default=0.3, help="chance of a noisy face")
    ap.add_argument("--erase", type=float, default=0.2, help="chance of a rectangle over the face")
    ap.add_argument("--jitter", type=float, default=1.0, help="strength of changes of light and colour")
    ap.add_argument("--shift", type=float, default=1.0, help="strength of small turns and shifts")
    ap.add_argument(
        "--channels", choices=["auto", "rgb", "bgr"], default="auto",
        help="order of the colours that the network is fed with; auto for that of --start-from, else rgb",
    )  # fmt: skip
    add_fit_options(ap)
    add_validation_options(ap)
    ap.add_argument("--seed", type=int, default=0, help="decides first weights, order, faces and treatments")
    ap.add_argument(
        "--start-from", help="weights to begin with in place of random ones; 'builtin' for the shipped ones"
    )


def main() -> None:
    """Train one encoder."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list, 'speaker wav seconds'")
    ap.add_argument("--faces", type=Path, nargs="+", required=True, help="shards of aligned faces of its utterances")
    add_output_options(ap)
    add_recipe_options(ap)
    add_run_options(ap)
    args = parse_with_preset(ap, VISUAL)

    import cv2
    import torch

    from avsieve.training.encoder.face_augment import FaceAugmentation
    from avsieve.training.encoder.visual import VisualRecipe, train_visual

    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    treat = FaceAugmentation(
        args.flip, args.grey, args.blur, args.noise, args.erase, args.jitter, args.shift, args.smooth
    )
    train_visual(
        args.list,
        args.faces,
        args.output,
        recipe=VisualRecipe(
            arch=args.arch,
            batch=args.batch,
            augment=args.augment,
            augmentation=treat,
            channels=args.channels,
            scale=args.scale,
            subcenters=args.subcenters,
            top_k=args.top_k,
            top_penalty=args.top_penalty,
            seed=args.seed,
        ),
        schedule=schedule_of(args),
        watch=watch_of(args),
        **run_of(args),
    )


if __name__ == "__main__":
    run(main)
