"""``avsieve evaluate``: error rates of audio, visual and fused scores on a trial list, from embeddings."""

from __future__ import annotations

import argparse
import json
import textwrap
from typing import Any, get_args

from avsieve.cli.verb import Verb
from avsieve.config.evaluation import AsNorm, Evaluation
from avsieve.embedding_files.arguments import FORMATS_HELP, add_table_options, table_options
from avsieve.runtime.options import add_settings

DESCRIPTION = f"""Score a trial list from embeddings and print the error rates.

The score of a modality is the cosine of the two embeddings; the fused score is the mean of both cosines, or the only
one available. Trials that cannot be scored are left out and counted.

With --protocol segments or both, the score is the mean cosine over all pairs of segments, or of five evenly spaced
faces per utterance. With --cohort, scores normalised by AS-norm against the nearest speakers of that list are reported
as well as raw ones; the embeddings of its utterances are looked up in the same files.

With --draws there is no trial list: trials are random pairs of a voice and a face of one speaker, drawn anew so many
times, as BAFFN was evaluated. The figures are means over the draws, of the protocol random_pairs: they cannot be
compared with those of a trial list.

{textwrap.fill(FORMATS_HELP, 110)}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    usual = Evaluation()
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--trials", metavar="TXT", help="`label enrol.wav test.wav`, 1 = target, or `enrol test target`")
    which.add_argument(
        "--draws",
        type=int,
        metavar="N",
        help="draw trials of random pairs N times instead; BAFFN's page has 20 draws. The first part of a name is the "
        "speaker",
    )
    parser.add_argument("--audio", nargs="+", metavar="FILE", help="voice embeddings; formats above")
    parser.add_argument("--visual", nargs="+", metavar="FILE", help="face embeddings; formats above")
    add_table_options(parser)
    parser.add_argument(
        "--pairs", type=int, metavar="N", help="trials of each draw, half of them targets (default: 20000)"
    )
    parser.add_argument(
        "--fusion", nargs="+", default=[], metavar="MODEL",
        help="with --draws: fusion models too, by the file of one that a run trained, or NAME:FILE for published "
        "weights, such as baffn_gated:best_model.pkl",
    )  # fmt: skip
    parser.add_argument(
        "--protocol", choices=["full", "segments", "both"], default="full", help="what is scored (default: full)"
    )
    parser.add_argument(
        "--audio-segments", nargs="+", metavar="FILE", help="embeddings of segments: several rows per utterance"
    )
    parser.add_argument("--visual-frames", nargs="+", metavar="FILE", help="embeddings of single faces, in time order")
    add_settings(parser, Evaluation, only=["frames"])
    parser.add_argument("--cohort", metavar="TXT", help="cohort of the AS-norm: a training list, `speaker wav seconds`")
    add_settings(parser, AsNorm, only=["top"])
    parser.add_argument(
        "--trained-on", nargs="+", default=[], metavar="TXT",
        help="training lists of the encoders: trials of their speakers are refused",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument(
        "--eer-definition",
        "--eer",
        dest="eer",
        default=usual.eer,
        choices=get_args(Evaluation.model_fields["eer"].annotation),
        help="EER definition: the ROC interpolated linearly (default), max(FPR, FNR) at the point where the two are "
        "closest, or their mean there",
    )
    add_settings(parser, Evaluation, only=["bootstrap"])
    parser.add_argument(
        "--seed",
        type=int,
        default=usual.bootstrap_seed,
        help=f"seed of the bootstrap, or of the draws (default: {usual.bootstrap_seed})",
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate and print; return the exit status."""
    if args.draws is not None:
        from avsieve.cli.random_pairs import run_draws

        return run_draws(args)
    return _run(args)


def _run(args: argparse.Namespace) -> int:
    from avsieve.embedding_files.reading import check_places
    from avsieve.embedding_files.table import coverage_facts, coverage_lines
    from avsieve.errors import AvsieveError, ConfigError
    from avsieve.evaluation.as_norm import Cohort
    from avsieve.evaluation.command import PROTOCOLS, Given, evaluate_given, read_full, read_segments
    from avsieve.evaluation.results import listed_speakers, refuse_seen_speakers
    from avsieve.evaluation.trials import read_trials
    from avsieve.lists.layouts import read_corpus_list
    from avsieve.storage.provenance import sha256_of

    for flag in ("--fusion", "--pairs"):
        if getattr(args, _name(flag)):
            raise ConfigError(f"{flag} belongs to --draws; leave it, or give --draws in place of --trials")
    protocols = PROTOCOLS if args.protocol == "both" else (args.protocol,)
    flags = {
        "full": {"audio": "--audio", "visual": "--visual"},
        "segments": {"audio": "--audio-segments", "visual": "--visual-frames"},
    }
    files = {
        protocol: {m: value for m, flag in flags[protocol].items() if (value := getattr(args, _name(flag)))}
        for protocol in flags
    }
    for protocol in protocols:
        if not files[protocol]:
            audio, visual = flags[protocol].values()
            raise AvsieveError(f"no embeddings for the protocol {protocol}; give {audio}, {visual}, or both")
    for protocol in set(flags) - set(protocols):
        if files[protocol]:
            flag = flags[protocol][next(iter(files[protocol]))]
            raise ConfigError(f"--protocol {args.protocol} does not use {flag}; leave it, or ask for --protocol both")
    for protocol in protocols:  # a wrong path is told before the first table is read
        for paths in files[protocol].values():
            check_places(paths)
    trials = read_trials(args.trials, args.strip_prefix)
    for path in args.trained_on:
        refuse_seen_speakers(trials, listed_speakers(path), f"an encoder trained on {path}")
    cohort = None
    if args.cohort:
        cohort = Cohort(read_corpus_list(args.cohort, args.strip_prefix)["utterance"].tolist(), args.top)
        cohort.check(trials)
    given: dict[str, dict[str, Given]] = {}
    for protocol in protocols:
        given[protocol] = {
            m: read_full(trials, cohort, paths, table_options(args))
            if protocol == "full"
            else read_segments(trials, cohort, paths, args.frames if m == "visual" else None, table_options(args))
            for m, paths in files[protocol].items()
        }
    rows = evaluate_given(trials, given, cohort, definition=args.eer, replicates=args.bootstrap, seed=args.seed)
    known = trials.recognise()
    facts = {
        "list": known.name,
        "version": known.version,
        "sha256": sha256_of(args.trials),
        "trials": len(trials),
        "targets": trials.n_targets,
        "nontargets": len(trials) - trials.n_targets,
        "utterances": len(trials.utterances),
        "without_embedding": {m: int((~one.trials.present).sum()) for m, one in next(iter(given.values())).items()},
        "coverage": {
            protocol: {m: coverage_facts(trials.utterances, one.table) for m, one in own.items()}
            for protocol, own in given.items()
        },
    }
    if cohort is not None:
        facts["cohort"] = {"sha256": sha256_of(args.cohort), "speakers": len(set(cohort.speakers)), "top": args.top}
    if args.json:
        percent = {_key(row): row | {"eer_percent": 100 * row["eer"]} for row in rows}
        print(json.dumps({"trials": facts, "eer_definition": args.eer, "results": percent}, indent=2))
    else:
        print(_table(facts, rows, args.eer))
        for protocol, own in given.items():
            for m, one in own.items():
                name = m if protocol == "full" else f"{m} segments"
                print("\n".join(coverage_lines(name, trials.utterances, one.table, "the trials")))
                if cohort is not None:
                    print(coverage_lines(name, cohort.utterances, one.table, "the cohort")[0])
    return 0


def _name(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _key(row: dict[str, Any]) -> str:
    """Name a row: ``audio`` for raw scores of whole utterances, with what differs from that behind it."""
    ways = [row["protocol"]] if row["protocol"] != "full" else []
    return " ".join([row["system"], *ways, *(["as_norm"] if row["scores"] != "raw" else [])])


def _table(facts: dict, rows: list[dict[str, Any]], definition: str) -> str:
    """Lay the figures out for a terminal."""
    from avsieve.evaluation.metrics import METRICS

    name = facts["list"] if facts["version"] == "-" else f"{facts['list']} {facts['version']}"
    wide = max(len(name), 4)
    (main_name, main), *others = METRICS.items()
    head = f"{'':8}{'protocol':10}{'scores':9}{'list':{wide}}{main.label:>9}  {'95 % interval':>16}"
    lines = [
        f"{name}: {facts['trials']:,} trials ({facts['targets']:,} target), {facts['utterances']:,} utterances",
        "",
        head + "".join(f"{metric.label:>13}" for _, metric in others) + f"{'unscored':>10}",
    ]
    for row in rows:
        ends = [main.text(row[bound]) for end in ("low", "high") if (bound := f"{main_name}_{end}") in row]
        bounds = " – ".join(ends) or "-"
        way = {"raw": "raw", "as_norm": "AS-norm"}[row["scores"]]
        lines.append(
            f"{row['system']:8}{row['protocol']:10}{way:9}{name:{wide}}{main.text(row[main_name]):>9}"
            f"  {bounds:>16}"
            + "".join(f"{metric.text(row[key]):>13}" for key, metric in others)
            + f"{row['n_missing']:10,}"
        )
    lines += ["", f"EER: {definition}. Intervals: speakers resampled. minDCF: costs 1 and 1, normalised."]
    if "cohort" in facts:
        lines.append(f"AS-norm: the top {facts['cohort']['top']} of {facts['cohort']['speakers']:,} cohort speakers.")
    return "\n".join(lines)


VERB = Verb("error rates of audio, visual and fused scores on a trial list", DESCRIPTION, add_arguments, run)
