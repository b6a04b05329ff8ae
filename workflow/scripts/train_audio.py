"""Train an audio encoder with AAM-softmax from a training list and wav shards.

The list has the layout of train_all.txt or train_clean.txt; classes are the ranks of the speakers present. The same
command after an interruption goes on where --checkpoint left off, and ends with the same weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.encoders.device import DEVICES
from avsieve.scripting import parser, run
from avsieve.training.audio import AudioRecipe, train_audio
from avsieve.training.augment import KINDS
from avsieve.training.loop import Optimiser
from avsieve.training.schedule import Schedule


def add_recipe_options(ap: argparse.ArgumentParser) -> None:
    """Add the options that decide the result."""
    recipe, schedule, optimiser = AudioRecipe(), Schedule(1), Optimiser()
    ap.add_argument("--arch", default=recipe.arch, help="architecture")
    ap.add_argument("--steps", type=int, default=1000, help="batches to train on")
    ap.add_argument("--batch", type=int, default=recipe.batch, help="crops in a batch")
    ap.add_argument("--crop-s", type=float, default=recipe.crop_s, help="length of a crop, seconds")
    ap.add_argument(
        "--speeds", type=float, nargs="+", default=list(recipe.speeds), help="speed factors, each with its own classes"
    )
    ap.add_argument(
        "--augment", nargs="*", choices=KINDS, default=list(recipe.augment), metavar="KIND",
        help=f"treatments, one of which each crop gets ({', '.join(KINDS)}); one named twice is twice as likely",
    )  # fmt: skip
    ap.add_argument("--stack", type=float, default=recipe.stack, help="chance of a second treatment")
    ap.add_argument("--noise", type=Path, help="folder of noise at 16 kHz; made up without one")
    ap.add_argument("--music", type=Path, help="folder of music at 16 kHz")
    ap.add_argument("--rooms", type=Path, help="folder of impulse responses at 16 kHz; made up without one")
    ap.add_argument(
        "--mask", type=float, default=recipe.mask, help="SpecAugment: largest share of frames and bands hidden"
    )
    ap.add_argument("--margin", type=float, default=schedule.margin, help="margin of the AAM-softmax, radians")
    ap.add_argument(
        "--margin-from", type=float, default=schedule.margin_from, help="share of the steps before it rises"
    )
    ap.add_argument("--margin-until", type=float, default=schedule.margin_until, help="share after which it is whole")
    ap.add_argument("--scale", type=float, default=recipe.scale, help="scale of the AAM-softmax")
    ap.add_argument("--subcenters", type=int, default=recipe.subcenters, help="centres per class")
    ap.add_argument("--optimiser", choices=["adam", "adamw", "sgd"], default=optimiser.name, help="optimiser")
    ap.add_argument("--weight-decay", type=float, default=optimiser.weight_decay, help="decay of the weights")
    ap.add_argument("--clip", type=float, default=optimiser.clip, help="largest norm of the gradient; 0 for none")
    ap.add_argument("--schedule", choices=["cosine", "exponential"], default=schedule.kind, help="of the learning rate")
    ap.add_argument("--lr", type=float, default=schedule.lr, help="highest learning rate")
    ap.add_argument("--lr-end", type=float, default=schedule.lr_end, help="last learning rate of the cosine")
    ap.add_argument("--lr-decay", type=float, default=schedule.decay, help="exponential: factor per epoch")
    ap.add_argument("--epoch-steps", type=int, default=schedule.epoch_steps, help="exponential: steps of an epoch")
    ap.add_argument("--warmup", type=float, default=schedule.warmup, help="share of the steps in which the rate rises")
    ap.add_argument("--seed", type=int, default=recipe.seed, help="decides first weights, order, crops and treatments")
    ap.add_argument("--start-from", type=Path, help="weights to begin with in place of random ones")


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
    ap.add_argument("--device", default="auto", help=f"{', '.join(DEVICES)} or cuda:N")
    ap.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of the network's arithmetic")
    ap.add_argument("--threads", type=int, default=1, help="threads of torch")
    ap.add_argument("--workers", type=int, default=0, help="processes that prepare batches")
    ap.add_argument("--half", action="store_true", help="store the weights as float16")
    args = ap.parse_args()

    import torch

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
