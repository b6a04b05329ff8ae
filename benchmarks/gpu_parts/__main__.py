"""Measure everything that wants a GPU, in parts with a budget of time each, and write the figures as JSON.

tests       the tests marked `gpu`, in the modules that can be imported here;
embedding   from shards to Parquet, over the rate of forward passes alone: three networks in three precisions;
training    steps a second, peak memory, how busy the GPU is: four networks in three precisions;
joint       the same of joint models, encoders and fusion together: VUT's frame-wise head, AVCleanse's pair, AVN;
nccl        one process through NCCL (DistributedDataParallel) against one without;
fusion      steps a second of every fusion network;
vox1e       Vox1-E's 145,160 utterances at a measured rate, and its 579,818 trials scored.

A part that fails leaves its error in the JSON and the others alone. Exit status: 0, 1 where something failed, 2 where
there is no GPU.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gpu_parts.part import Facts, failures, not_run
from gpu_parts.runner import run_part

ROOT = Path(__file__).resolve().parents[2]
BUDGETS_S = {"tests": 45, "embedding": 105, "training": 90, "joint": 60, "nccl": 30, "fusion": 60, "vox1e": 60}
DRY_S = 20.0  # of each part
LIMIT_S = 465.0
MACHINE_S = 60.0


def main(given: Sequence[str] | None = None) -> int:
    """Run what is asked for; return the exit status."""
    ap = argparse.ArgumentParser(
        "benchmarks/gpu.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("--out", type=Path, help="JSON to write; docs/benchmarks-gpu.json, or build/ in a dry run")
    ap.add_argument("--dry-run", action="store_true", help="tiny sizes, on the CPU: does everything run?")
    ap.add_argument("--parts", nargs="+", choices=BUDGETS_S, default=list(BUDGETS_S), help="these alone")
    ap.add_argument("--skip", nargs="+", choices=BUDGETS_S, default=[], help="all but these")
    ap.add_argument("--networks", nargs="+", default=[], help="encoders to embed with and to train; all unless given")
    ap.add_argument("--budget", nargs="+", type=_budget, default=[], metavar="NAME=SECONDS", help="of a part")
    ap.add_argument("--limit", type=float, default=LIMIT_S, help="seconds of all parts together")
    ap.add_argument("--work", type=Path, help="folder for files, about 2 GB; the system's unless given")
    ap.add_argument("--commit", help="what is measured, where git cannot say")
    args = ap.parse_args(given)
    out = args.out or ROOT / ("build/benchmarks-gpu-dry.json" if args.dry_run else "docs/benchmarks-gpu.json")
    began = time.monotonic()
    device = "cpu" if args.dry_run else "cuda"
    # Asked in another process: one that has spoken to CUDA cannot be forked from.
    machine = run_part("machine", device=device, dry=args.dry_run, budget_s=MACHINE_S, work=args.work)
    if machine["status"] != "ok":
        print(f"no benchmark: {machine['error']}", file=sys.stderr)
        return 2
    report: Facts = {
        "command": shlex.join(["benchmarks/gpu.sh", *(sys.argv[1:] if given is None else given)]),
        "commit": args.commit or _commit(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "dry_run": args.dry_run,
        "machine": machine["results"],
        "parts": {},
    }
    budgets = (dict.fromkeys(BUDGETS_S, DRY_S) if args.dry_run else BUDGETS_S) | dict(args.budget)
    for name in BUDGETS_S:
        left = args.limit - (time.monotonic() - began)
        if name not in args.parts or name in args.skip:
            report["parts"][name] = {"status": "skipped"}
        elif left < 1:
            report["parts"][name] = {"status": "not run", "error": f"the {args.limit:.0f} s of --limit were spent"}
        else:
            print(f"{name}: at most {min(left, budgets[name]):.0f} s", flush=True)
            report["parts"][name] = run_part(
                name, device=device, dry=args.dry_run, budget_s=min(left, budgets[name]), work=args.work,
                networks=tuple(args.networks),
            )  # fmt: skip
        report["seconds"] = round(time.monotonic() - began, 1)
        # After each part: what is found is kept, whatever happens to this process.
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=1) + "\n")
    for name, part in report["parts"].items():
        told = failures(part) + [f"no time left for {case}" for case in not_run(part.get("results"))]
        print(f"{name:10} {part['status']:8} {part.get('seconds', 0):6.1f} s  {'; '.join(told)[:200]}")
    print(f"{out}: {report['seconds']:.0f} s in all")
    return int(any(part["status"] not in ("ok", "skipped") for part in report["parts"].values()))


def _budget(text: str) -> tuple[str, float]:
    name, _, seconds = text.partition("=")
    if name not in BUDGETS_S:
        raise argparse.ArgumentTypeError(f"{name!r} is no part; expected one of {', '.join(BUDGETS_S)}")
    try:
        return name, float(seconds)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of seconds, as in {name}=60") from None


def _commit() -> str | None:
    found = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


if __name__ == "__main__":
    sys.exit(main())
