"""``avsieve evaluate --draws``: BAFFN's protocol of random pairs, on the terminal."""

from __future__ import annotations

import argparse
import json
from typing import Any

from avsieve.embedding_files.arguments import table_options


def run_draws(args: argparse.Namespace) -> int:
    """Evaluate and print; return the exit status.

    Raises
    ------
    ConfigError
        If an option is given that random pairs do not know, or one of the modalities is not.
    """
    from avsieve.embedding_files.reading import check_places
    from avsieve.errors import ConfigError
    from avsieve.evaluation.random_pairs import TRIALS
    from avsieve.fusion.random_pairs import evaluate_random_pairs

    if not args.audio or not args.visual:
        raise ConfigError("--draws pairs voices with faces; give --audio and --visual")
    unused = {
        "--protocol": args.protocol != "full",
        "--cohort": args.cohort,
        "--audio-segments": args.audio_segments,
        "--visual-frames": args.visual_frames,
    }
    if given := [flag for flag, value in unused.items() if value]:
        raise ConfigError(f"{given[0]} belongs to --trials; leave it, or give --trials in place of --draws")
    for paths in (args.audio, args.visual):  # a wrong path is told before the first table is read
        check_places(paths)
    found = evaluate_random_pairs(
        args.audio,
        args.visual,
        args.fusion,
        table_options(args),
        trained_on=args.trained_on,
        draws=args.draws,
        trials=TRIALS if args.pairs is None else args.pairs,
        definition=args.eer,
        seed=args.seed,
    )
    print(json.dumps(found, indent=2) if args.json else "\n".join(_lines(found)))
    return 0


def _lines(found: dict[str, Any]) -> list[str]:
    """Lay the figures out for a terminal."""
    wide = max(len(row["system"]) for row in found["results"])
    left = found["speakers_left_out"]
    more = f"; {left:,} left out, with fewer than two voices or faces" if left else ""
    drawn = f"random pairs: {found['draws']} draws of {found['trials']:,} trials ({found['targets']:,} target)"
    people = f"{found['speakers']:,} speakers{more}, {found['voices']:,} voices, {found['faces']:,} faces"
    head = f"{'':{wide}}  {'protocol':12}{'mean EER':>10}{'deviation':>11}{'least':>10}{'most':>10}"
    lines = [f"{drawn}, {people}", "", head]
    for row in found["results"]:
        mean, deviation, least, most = (f"{100 * row[f'eer_{name}']:.3f} %" for name in ("mean", "std", "min", "max"))
        lines.append(f"{row['system']:{wide}}  {row['protocol']:12}{mean:>10}{deviation:>11}{least:>10}{most:>10}")
    about = (
        f"EER: {found['eer_definition']}; mean and standard deviation over the draws. These are no figures of a trial "
        "list: faces are mostly of other videos than voices."
    )
    return [*lines, "", about, *found["notes"]]
