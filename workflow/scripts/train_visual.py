"""Train a visual encoder with AAM-softmax from a training list and shards of aligned faces.

The list has the layout of train_all.txt or train_clean.txt; classes are the ranks of the speakers present. The same
command after an interruption goes on where --checkpoint left off, and ends with the same weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.scripting import parser, run


def add_recipe_options(ap: argparse.ArgumentParser) -> None:
    """Add the options that decide the result."""
    ap.add_argument("--arch", default="mobileface_small", help="architecture")
    ap.add_argument("--steps", type=int, default=1000, help="batches to train on")
    ap.add_argument("--batch", type=int, default=64, help="faces in a batch")
    ap.add_argument("--augment", action=argparse.BooleanOptionalAction, default=True, help="spoil the faces")
    ap.add_argument("--flip", type=float, default=0.5, help="chance of a mirrored face")
    ap.add_argument("--grey", type=float, default=0.3, help="chance of a face without colour")
    ap.add_argument("--blur", type=float, default=0.3, help="chance of a blurred face")
    ap.add_argument("--noise", type=float, default=0.3, help="chance of a noisy face")
    ap.add_argument("--erase", type=float, default=0.2, help="chance of a rectangle over the face")
    ap.add_argument("--jitter", type=float, default=1.0, help="strength of changes of light and colour")
    ap.add_argument("--shift", type=float, default=1.0, help="strength of small turns and shifts")
    ap.add_argument("--margin", type=float, default=0.2, help="margin of the AAM-softmax, radians")
    ap.add_argument("--margin-from", type=float, default=0.1, help="share of the steps before it rises")
    ap.add_argument("--margin-until", type=float, default=0.4, help="share after which it is whole")
    ap.add_argument("--scale", type=float, default=30.0, help="scale of the AAM-softmax")
    ap.add_argument("--subcenters", type=int, default=1, help="centres per class")
    ap.add_argument("--optimiser", choices=["adam", "adamw", "sgd"], default="adam", help="optimiser")
    ap.add_argument("--weight-decay", type=float, default=2e-5, help="decay of the weights")
    ap.add_argument("--clip", type=float, default=5.0, help="largest norm of the gradient; 0 for none")
    ap.add_argument("--schedule", choices=["cosine", "exponential"], default="cosine", help="of the learning rate")
    ap.add_argument("--lr", type=float, default=1e-3, help="highest learning rate")
    ap.add_argument("--lr-end", type=float, default=1e-5, help="last learning rate of the cosine")
    ap.add_argument("--lr-decay", type=float, default=0.97, help="exponential: factor per epoch")
    ap.add_argument("--epoch-steps", type=int, default=1000, help="exponential: steps of an epoch")
    ap.add_argument("--warmup", type=float, default=0.05, help="share of the steps in which the rate rises")
    ap.add_argument("--seed", type=int, default=0, help="decides first weights, order, faces and treatments")
    ap.add_argument(
        "--start-from", help="weights to begin with in place of random ones; 'builtin' for the shipped ones"
    )


def main() -> None:
    """Train one encoder."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list, 'speaker wav seconds'")
    ap.add_argument("--faces", type=Path, nargs="+", required=True, help="shards of aligned faces of its utterances")
    ap.add_argument("--output", type=Path, required=True, help="weights to write (safetensors)")
    ap.add_argument("--log", type=Path, required=True, help="CSV of loss and accuracy to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    ap.add_argument("--checkpoint", type=Path, help="state of an unfinished training; OUTPUT.resume unless named")
    add_recipe_options(ap)
    ap.add_argument("--log-every", type=int, default=50, help="steps between two rows of the log")
    ap.add_argument("--checkpoint-every", type=int, default=500, help="steps between two states left behind")
    ap.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of the network's arithmetic")
    ap.add_argument("--threads", type=int, default=1, help="threads of torch")
    ap.add_argument("--workers", type=int, default=0, help="processes that prepare batches")
    ap.add_argument("--half", action="store_true", help="store the weights as float16")
    args = ap.parse_args()

    import cv2
    import torch

    from avsieve.training.face_augment import FaceAugmentation
    from avsieve.training.loop import Optimiser
    from avsieve.training.schedule import Schedule
    from avsieve.training.visual import VisualRecipe, train_visual

    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    treat = FaceAugmentation(args.flip, args.grey, args.blur, args.noise, args.erase, args.jitter, args.shift)
    train_visual(
        args.list,
        args.faces,
        args.output,
        recipe=VisualRecipe(
            arch=args.arch,
            batch=args.batch,
            augment=args.augment,
            augmentation=treat,
            scale=args.scale,
            subcenters=args.subcenters,
            seed=args.seed,
        ),
        schedule=Schedule(
            args.steps,
            kind=args.schedule,
            lr=args.lr,
            lr_end=args.lr_end,
            warmup=args.warmup,
            decay=args.lr_decay,
            epoch_steps=args.epoch_steps,
            margin=args.margin,
            margin_from=args.margin_from,
            margin_until=args.margin_until,
        ),
        optimiser=Optimiser(args.optimiser, args.weight_decay, args.clip),
        device=args.device,
        precision=args.precision,
        workers=args.workers,
        start_from=args.start_from,
        log=args.log,
        provenance=args.provenance,
        checkpoint=args.checkpoint or args.output.with_name(args.output.name + ".resume"),
        log_every=args.log_every,
        checkpoint_every=args.checkpoint_every,
        half=args.half,
    )


if __name__ == "__main__":
    run(main)
