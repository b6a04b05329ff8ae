"""The options that both trainings of an encoder share, without loading torch before they are read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.training.encoder.presets import with_preset
from avsieve.training.encoder.schedule import Schedule

Presets = dict[str, dict[str, Any]]

if TYPE_CHECKING:
    from avsieve.training.encoder.job import Run
    from avsieve.training.encoder.validation import Watch


def add_output_options(ap: argparse.ArgumentParser) -> None:
    """Add what a training writes."""
    ap.add_argument("--output", type=Path, required=True, help="weights to write (safetensors)")
    ap.add_argument("--log", type=Path, required=True, help="CSV of loss and accuracy to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    ap.add_argument("--checkpoint", type=Path, help="state of an unfinished training; OUTPUT.resume unless named")


def add_fit_options(ap: argparse.ArgumentParser) -> None:
    """Add loss, optimiser and schedule; ``--steps`` is the script's."""
    ap.add_argument("--epochs", type=int, default=0, help="passes over the list, in place of --steps; 0 for --steps")
    ap.add_argument("--margin", type=float, default=0.2, help="margin of the AAM-softmax, radians")
    ap.add_argument("--margin-from", type=float, default=0.1, help="share of the steps before it rises")
    ap.add_argument("--margin-until", type=float, default=0.4, help="share after which it is whole")
    ap.add_argument("--scale", type=float, default=30.0, help="scale of the AAM-softmax")
    ap.add_argument("--subcenters", type=int, default=1, help="centres per class")
    ap.add_argument("--top-k", type=int, default=0, help="inter-top-k: nearest other classes that are penalised")
    ap.add_argument(
        "--top-penalty", type=float, default=0.06, help="inter-top-k: penalty, radians; rises as the margin"
    )
    ap.add_argument("--optimiser", choices=["adam", "adamw", "sgd"], default="adam", help="optimiser")
    ap.add_argument("--weight-decay", type=float, default=2e-5, help="decay of the weights")
    ap.add_argument("--clip", type=float, default=5.0, help="largest norm of the gradient; 0 for none")
    ap.add_argument("--schedule", choices=["cosine", "exponential"], default="cosine", help="of the learning rate")
    ap.add_argument("--lr", type=float, default=1e-3, help="highest learning rate")
    ap.add_argument("--lr-end", type=float, default=1e-5, help="last learning rate of the cosine")
    ap.add_argument("--lr-decay", type=float, default=0.97, help="exponential: factor per epoch")
    ap.add_argument("--epoch-steps", type=int, default=1000, help="exponential: steps of an epoch; 0 for a pass")
    ap.add_argument("--warmup", type=float, default=0.05, help="share of the steps in which the rate rises")


def add_run_options(ap: argparse.ArgumentParser) -> None:
    """Add where and how a training runs."""
    ap.add_argument("--log-every", type=int, default=50, help="steps between two rows of the log")
    ap.add_argument("--checkpoint-every", type=int, default=500, help="steps between two states left behind")
    ap.add_argument("--tensorboard", type=Path, metavar="DIR", help="folder to write TensorBoard's files to")
    ap.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    ap.add_argument(
        "--devices", type=int, default=1, help="processes on each node, each with a GPU; they share a batch"
    )
    ap.add_argument("--nodes", type=int, default=1, help="machines; start this on each of them, as srun does")
    ap.add_argument("--strategy", choices=["auto", "ddp"], default="auto", help="how processes work together")
    ap.add_argument(
        "--precision", choices=["fp32", "bf16", "fp16"], default="fp32",
        help="of the network's arithmetic; bf16 and fp16 are mixed, fp16 with scaled gradients",
    )  # fmt: skip
    ap.add_argument("--threads", type=int, default=1, help="threads of torch")
    ap.add_argument("--workers", type=int, default=0, help="processes that prepare batches")
    ap.add_argument("--half", action="store_true", help="store the weights as float16")


def add_validation_options(ap: argparse.ArgumentParser) -> None:
    """Add what is kept out of a training to watch it."""
    ap.add_argument(
        "--validation", type=float, default=0.0, help="share of the speakers kept out to measure the EER on"
    )
    ap.add_argument("--validate-every", type=int, default=500, help="steps between two measurements")
    ap.add_argument("--keep", choices=["last", "best"], default="last", help="whose weights are written")


def watch_of(args: argparse.Namespace) -> Watch:
    """Return the validation that the options ask for; this loads torch."""
    from avsieve.training.encoder.validation import Watch

    return Watch(args.validation, args.validate_every, args.keep)


def parse_with_preset(ap: argparse.ArgumentParser, presets: Presets) -> argparse.Namespace:
    """Add ``--preset`` and parse the command line; the preset named stands for the options that are not given."""
    ap.add_argument(
        "--preset", choices=sorted(presets), default="none", help="recipe for the options that are not given"
    )
    named = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    named.add_argument("--preset", default="none")
    named.add_argument("--steps", default=argparse.SUPPRESS)
    given, _ = named.parse_known_args()
    chosen = with_preset(presets, vars(given))
    ap.set_defaults(**{name: value for name, value in chosen.items() if name not in vars(given)})
    return ap.parse_args()


def schedule_of(args: argparse.Namespace) -> Schedule:
    """Return the schedule that the options ask for."""
    return Schedule(
        args.steps,
        epochs=args.epochs,
        kind=args.schedule,
        lr=args.lr,
        lr_end=args.lr_end,
        warmup=args.warmup,
        decay=args.lr_decay,
        epoch_steps=args.epoch_steps,
        margin=args.margin,
        margin_from=args.margin_from,
        margin_until=args.margin_until,
    )


def run_of(args: argparse.Namespace) -> Run:
    """Return optimiser, machine and files as the options ask for them; this loads torch."""
    from avsieve.training.encoder.optimiser import Optimiser

    return {
        "optimiser": Optimiser(args.optimiser, args.weight_decay, args.clip),
        "device": args.device,
        "devices": args.devices,
        "nodes": args.nodes,
        "strategy": args.strategy,
        "precision": args.precision,
        "workers": args.workers,
        "start_from": args.start_from,
        "log": args.log,
        "provenance": args.provenance,
        "checkpoint": args.checkpoint or args.output.with_name(args.output.name + ".resume"),
        "log_every": args.log_every,
        "checkpoint_every": args.checkpoint_every,
        "half": args.half,
        "board": args.tensorboard,
    }
