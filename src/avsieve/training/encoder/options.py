"""The command line that trains an encoder of any modality; torch is loaded once it is read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.options import add_settings
from avsieve.training.encoder.settings import EncoderTraining

if TYPE_CHECKING:
    from avsieve.training.encoder.encoder_run import Run


def add_training_options(ap: argparse.ArgumentParser, settings: type[EncoderTraining]) -> None:
    """Add what is trained and what is written, the settings, and where it runs.

    What a job of the workflow is always given is required. What only people give has the library's default.
    """
    ap.add_argument("--list", type=Path, required=True, help="training list, 'speaker wav seconds'")
    ap.add_argument("--output", type=Path, required=True, help="weights to write (safetensors)")
    ap.add_argument("--log", type=Path, required=True, help="CSV of loss and accuracy to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")
    ap.add_argument(
        "--devices", type=int, required=True, help="processes on each node, each with a GPU; they share a batch"
    )
    ap.add_argument("--precision", required=True, help="of the network's arithmetic: fp32, bf16 or fp16")
    ap.add_argument("--workers", type=int, required=True, help="processes that prepare batches")
    ap.add_argument("--threads", type=int, required=True, help="threads of torch")
    add_settings(ap, settings, required=True)

    def by_hand(flag: str, **options: Any) -> None:
        ap.add_argument(flag, default=argparse.SUPPRESS, **options)

    by_hand("--nodes", type=int, help="machines, one unless given; `srun` starts this on each of them")
    by_hand("--strategy", help="how processes work together: auto or ddp")
    by_hand("--checkpoint", type=Path, help="state of an unfinished training; OUTPUT.resume unless named")
    by_hand("--checkpoint-every", type=int, help="steps between two states left behind")
    by_hand("--log-every", type=int, help="steps between two rows of the log")
    by_hand("--tensorboard", type=Path, dest="board", metavar="DIR", help="folder to write TensorBoard's files to")
    ap.add_argument("--half", action="store_true", help="store the weights as float16")


def run_of(args: argparse.Namespace) -> Run:
    """Return where a training runs, as the options ask for it; this loads torch, takes GPUs, and sets threads."""
    args.device = own_gpus(args.device, args.devices)
    import torch

    from avsieve.training.devices import Machine
    from avsieve.training.encoder.encoder_run import Run
    from avsieve.training.loop import Keeping

    def given(*names: str) -> dict[str, Any]:
        return {name: getattr(args, name) for name in names if hasattr(args, name)}

    torch.set_num_threads(args.threads)
    checkpoint = {"checkpoint": args.output.with_name(args.output.name + ".resume")}
    return Run(
        Machine(**given("device", "devices", "nodes", "strategy", "precision")),
        Keeping(**checkpoint | given("log", "log_every", "checkpoint", "checkpoint_every", "board")),
        workers=args.workers,
        provenance=args.provenance,
        half=args.half,
    )
