"""Compare the loss curve of two processes with that of one, and with what rounding alone does to one.

Each training runs `workflow/scripts/train_audio.py` on synthetic utterances with the same batch, three times: in one
process, in two that share the batch (gloo), and in one whose sums run over two threads, which differ from the first in
rounding only. Printed is the largest relative difference from the first at any step. CPU: about a minute.

    python benchmarks/processes.py [--steps N]
"""

from __future__ import annotations

import argparse
import csv
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from train import make_up

from avsieve.training.encoder.settings import TrainAudio
from avsieve.wiring.flags import flags

SCRIPT = Path(__file__).resolve().parents[1] / "workflow" / "scripts" / "train_audio.py"
WAYS = {
    "one process": ("--devices", "1", "--threads", "1"),
    "two processes": ("--devices", "2", "--threads", "2"),
    "two threads": ("--devices", "1", "--threads", "2"),
}


def curve(work: Path, steps: int, optimiser: str, *options: str) -> list[float]:
    """Return the loss of every step."""
    command = [sys.executable, str(SCRIPT), "--list", str(work / "list.txt"), "--wav", str(work / "wav.tar")]
    settings = TrainAudio(steps=steps, batch=16, crop_s=0.5, lr=1e-3, optimiser=optimiser)
    command += [*shlex.split(flags(settings)), "--device", "cpu", "--precision", "fp32", "--workers", "0"]
    command += ["--log-every", "1"]
    command += ["--output", str(work / "a.safetensors"), "--log", str(work / "a.csv")]
    command += ["--provenance", str(work / "a.json"), *options]
    subprocess.run(command, check=True, capture_output=True)
    with (work / "a.csv").open() as handle:
        return [float(row["loss"]) for row in csv.DictReader(handle)]


def main() -> None:
    """Train six times."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--steps", type=int, default=20, help="steps of each training")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make_up(work)
        for optimiser in ("sgd", "adam"):
            curves = {way: curve(work, args.steps, optimiser, *how) for way, how in WAYS.items()}
            one = curves.pop("one process")
            for way, losses in curves.items():
                apart = max(abs(a - b) / a for a, b in zip(one, losses, strict=True))
                print(f"{optimiser:5} {args.steps} steps: {way} and one process differ by {apart:.1e} at most")


if __name__ == "__main__":
    main()
