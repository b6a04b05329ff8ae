"""Train an audio encoder with AAM-softmax from a training list and wav shards.

The list has the layout of train_all.txt or train_clean.txt; classes are the ranks of the speakers present. The same
command after an interruption goes on where --checkpoint left off, and ends with the same weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.scripting import parser, run

KINDS = ["none", "room", "babble", "noise", "filter", "music"]


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
    ap.add_argument("--noise", type=Path, help="folder of noise at 16 kHz; made up without one")
    ap.add_argument("--music", type=Path, help="folder of music at 16 kHz")
    ap.add_argument("--rooms", type=Path, help="folder of impulse responses at 16 kHz; made up without one")
    ap.add_argument("--mask", type=float, default=0.1, help="SpecAugment: largest share of frames and bands hidden")
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
    ap.add_argument("--seed", type=int, default=0, help="decides first weights, order, crops and treatments")
    ap.add_argument("--start-from", help="weights to begin with in place of random ones; 'builtin' for those shipped")


def main() -> None:
    """Train one encoder."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list, 'speaker wav seconds'")
    ap.add_argument("--wav", type=Path, nargs="+", required=True, help="wav shards that hold its utterances")
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

    import torch

    from avsieve.training.audio import AudioRecipe, train_audio
    from avsieve.training.loop import Optimiser
    from avsieve.training.schedule import Schedule

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
            mask=args.mask,
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
        noise=args.noise,
        music=args.music,
        rooms=args.rooms,
        log=args.log,
        provenance=args.provenance,
        checkpoint=args.checkpoint or args.output.with_name(args.output.name + ".resume"),
        log_every=args.log_every,
        checkpoint_every=args.checkpoint_every,
        half=args.half,
    )


if __name__ == "__main__":
    run(main)
