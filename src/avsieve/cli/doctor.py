"""`avsieve doctor`: check a configuration: what is missing, and what a run will cost, before hours are spent."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.cli.verb import Verb

if TYPE_CHECKING:
    from avsieve.doctor.examination import Examination

DESCRIPTION = """Check a configuration before running it: software, device, models, source, lists, disk and time.

Nothing is downloaded, and nothing is written but the profile that --profile asks for. The exit status is 1 if something
would stop the run. Later files override earlier ones, as with Snakemake's --configfile; paths in them are relative to
the folder that Snakemake runs in.
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.add_argument(
        "config", nargs="*", type=Path, metavar="CONFIG", help="configuration files (default: config/config.yaml)"
    )
    ap.add_argument("--cores", type=int, help="cores available to the run (default: all cores of this machine)")
    ap.add_argument(
        "--measure", nargs="?", type=int, const=6, metavar="CLIPS",
        help="time the stages on this many clips of the source (6 if no number is given); takes a minute or two",
    )  # fmt: skip
    ap.add_argument("--use-conda", action="store_true", help="the run will use conda environments")
    ap.add_argument(
        "--profile", type=Path, metavar="DIR",
        help="write a profile for a Slurm cluster there, with the memory and time that the jobs of this run need",
    )  # fmt: skip
    ap.add_argument("--directory", type=Path, default=Path(), help="folder that Snakemake runs in (default: this one)")
    ap.add_argument("--json", action="store_true", help="print one JSON object instead of the checklist")


def run(args: argparse.Namespace) -> int:
    """Examine and tell; return the exit status."""
    import contextlib
    import json
    import logging
    import sys

    from avsieve.doctor.examination import examine
    from avsieve.doctor.output import shown
    from avsieve.errors import ConfigError

    cores = args.cores if args.cores is not None else _cores()
    measure = args.measure or 0
    if cores < 1 or measure < 0:
        raise ConfigError(f"--cores {cores}, --measure {measure}; expected 1 core or more, and no negative count")
    if not args.directory.is_dir():
        raise ConfigError(f"--directory {args.directory} is not a folder; name the one that Snakemake runs in")
    profile = None if args.profile is None else args.profile.absolute()
    paths = [path.absolute() if args.directory != Path() else path for path in args.config]
    logger = logging.getLogger("avsieve")
    level = logger.level
    logger.setLevel(logging.WARNING)  # what the stages tell while they are measured is not the doctor's answer
    try:
        with contextlib.chdir(args.directory):
            done = examine(paths, cores=cores, measure=measure, conda=args.use_conda)
            written = None if profile is None else _write_profile(profile, paths, done)
    finally:
        logger.setLevel(level)
    if args.json:
        print(json.dumps(done.as_json(), indent=2))  # in ASCII: exact on every terminal
    else:
        print(shown(done, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
        if written is not None:
            print(f"profile: {written}; snakemake --workflow-profile {written.parent}")
    return int(done.stops)


def _write_profile(folder: Path, paths: list[Path], done: Examination) -> Path:
    from avsieve.doctor.profile import write_profile
    from avsieve.doctor.settings import read_settings
    from avsieve.storage.paths import RESULTS
    from avsieve.wiring.trial_run import checkout

    config, _ = read_settings(paths)
    base = checkout() / "workflow" / "profiles" / "slurm" / "config.yaml"
    return write_profile(
        folder, config, done.costs, done.utterances, rates=done.rates, base=base, results=Path(RESULTS)
    )


def _cores() -> int:
    # Only Linux tells which cores a process may use; a job of a cluster often has fewer than the machine.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


VERB = Verb("check a configuration: what is missing, and what a run will cost", DESCRIPTION, add_arguments, run)
