"""``avsieve evaluate``: error rates of audio, visual and fused scores on a trial list, from embeddings."""

from __future__ import annotations

import argparse
import json

DESCRIPTION = """Score a trial list from embeddings and print the error rates.

Embeddings come as .npz with arrays `utterance` and `embedding`, or as Parquet with columns of these names. The score of
a modality is the cosine of the two sides; the fused score is the mean of both cosines, or the one there is. Trials
that nothing can score are left out, counted and shown.
"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "evaluate",
        help="error rates of audio, visual and fused scores on a trial list",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--trials", required=True, metavar="TXT", help="lines of `label enrol.wav test.wav`, 1 = target"
    )
    parser.add_argument("--audio", metavar="FILE", help="audio embeddings, .npz or .parquet")
    parser.add_argument("--visual", metavar="FILE", help="visual embeddings, .npz or .parquet")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument(
        "--eer",
        default="interpolated",
        choices=["interpolated", "nearest", "nearest_mean"],
        help="definition of the EER (default: interpolated); nearest is max(FPR, FNR) where the two are closest",
    )
    parser.add_argument(
        "--bootstrap",
        type=int,
        default=200,
        metavar="N",
        help="draws of the speaker-clustered bootstrap behind the 95%% intervals, 0 for none (default: 200)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap (default: 0)")


def main(args: argparse.Namespace) -> int:
    """Evaluate and print; return the exit status."""
    from avsieve.embeddings import load_embeddings
    from avsieve.errors import AvsieveError
    from avsieve.evaluation.results import evaluate
    from avsieve.evaluation.scoring import Part, align, mean_of_cosines
    from avsieve.evaluation.trials import read_trials
    from avsieve.provenance import sha256_of

    files = {name: path for name, path in (("audio", args.audio), ("visual", args.visual)) if path}
    if not files:
        raise AvsieveError("no embeddings; give --audio, --visual, or both")
    trials = read_trials(args.trials)
    parts: dict[str, Part] = {}
    for name, path in files.items():
        vectors, present = align(trials.utterances, *load_embeddings(path))
        parts[name] = Part.of(vectors, present)
    systems = {name: [part] for name, part in parts.items()}
    if len(parts) == 2:
        systems["fused"] = list(parts.values())
    rows = {}
    for name, used in systems.items():
        scores = mean_of_cosines(used, trials.enrol, trials.test)
        rows[name] = evaluate(trials, scores, definition=args.eer, replicates=args.bootstrap, seed=args.seed).row()
    known = trials.recognise()
    facts = {
        "list": known.name,
        "version": known.version,
        "sha256": sha256_of(args.trials),
        "trials": len(trials),
        "targets": trials.n_targets,
        "nontargets": len(trials) - trials.n_targets,
        "utterances": len(trials.utterances),
        "without_embedding": {name: int((~part.present).sum()) for name, part in parts.items()},
    }
    if args.json:
        percent = {name: row | {"eer_percent": 100 * row["eer"]} for name, row in rows.items()}
        print(json.dumps({"trials": facts, "eer_definition": args.eer, "results": percent}, indent=2))
    else:
        print(_table(facts, rows, args.eer))
    return 0


def _table(facts: dict, rows: dict[str, dict[str, float | int]], definition: str) -> str:
    """Lay the figures out for a terminal."""
    name = facts["list"] if facts["version"] == "-" else f"{facts['list']} {facts['version']}"
    lines = [
        f"{name}: {facts['trials']:,} trials ({facts['targets']:,} target), {facts['utterances']:,} utterances",
        "",
        f"{'':8}{'EER %':>9}  {'95 % interval':>16}{'minDCF 0.01':>13}{'minDCF 0.05':>13}{'unscored':>10}",
    ]
    for system, row in rows.items():
        bounds = f"{100 * row['eer_low']:.3f} – {100 * row['eer_high']:.3f}" if "eer_low" in row else "-"
        lines.append(
            f"{system:8}{100 * row['eer']:9.3f}  {bounds:>16}{row['min_dcf_0.01']:13.4f}{row['min_dcf_0.05']:13.4f}"
            f"{row['n_missing']:10,}"
        )
    lines += ["", f"EER: {definition}. Intervals: speakers resampled. minDCF: costs 1 and 1, normalised."]
    for modality, n in facts["without_embedding"].items():
        if n:
            lines.append(f"{n:,} of {facts['utterances']:,} utterances have no {modality} embedding.")
    return "\n".join(lines)
