"""`avsieve audit`: measure precision and recall of a run's flags on its own data: break labels, cleanse, count."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Any

from avsieve.cleansing.settings import Audit
from avsieve.cli.verb import Verb
from avsieve.embedding_files.arguments import FORMATS_HELP, add_table_options, table_options
from avsieve.runtime.options import add_settings, settings_of

DESCRIPTION = f"""Measure how good the flags of a run are: labels are broken on purpose, the list is cleansed again
with the settings of the run, and what is found is counted. It takes about three times as long as the cleansing.

RESULTS is the results folder of the workflow, whatever its source (one of embeddings too; there, snakemake audit_noise
does the same and keeps the figures), or the folder of avsieve cleanse --out. That folder has no embeddings: give them
again with --audio and --visual. Its figures are kept in RESULTS/audit.json, where avsieve inspect finds them.

{textwrap.fill(FORMATS_HELP, 110)}
"""
EXAMPLES = """examples:
  avsieve audit results
  avsieve audit cleansed --audio audio.npz --visual visual.npz
  avsieve audit results --rate 0.05 --out audit.json
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    ap.add_argument("results", type=Path, metavar="RESULTS", help="folder of a finished run")
    ap.add_argument("--audio", nargs="+", metavar="FILE", help="voice embeddings, of a folder of avsieve cleanse")
    ap.add_argument("--visual", nargs="+", metavar="FILE", help="face embeddings, likewise")
    add_table_options(ap)
    add_settings(ap, Audit)
    ap.add_argument("--out", type=Path, metavar="FILE", help="file to write the figures to (JSON)")
    ap.add_argument("--json", action="store_true", help="print JSON, as in audit/audit.json")


def run(args: argparse.Namespace) -> int:
    """Audit and print the figures; return the exit status."""
    from avsieve.runtime.cores import one_core_for_blas

    with one_core_for_blas(with_scipy=True):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    import json

    from avsieve.inspection.audit_text import audit_lines
    from avsieve.inspection.run_files import find_run
    from avsieve.storage.atomic import write_json

    run = find_run(args.results)
    settings = settings_of(Audit, args)
    found = _of_workflow(run, settings, args) if run.of_workflow else _of_folder(run, settings, args)
    out = args.out or (None if run.of_workflow else run.audit)
    if out is not None:
        write_json(out, found)
    told = [*audit_lines(found), *([f"{'figures in':<22}  {out}"] if out is not None else [])]
    print(json.dumps(found, indent=2) if args.json else "\n".join(told))
    return 0


def _of_workflow(run: Any, settings: Audit, args: argparse.Namespace) -> dict[str, Any]:
    from avsieve.cleansing.audit import audit_run
    from avsieve.errors import AvsieveError
    from avsieve.inspection.audited import embeddings_of_run, settings_of_run
    from avsieve.storage import paths as P

    if args.audio or args.visual:
        raise AvsieveError(f"{run.folder} has its embeddings; leave --audio and --visual out")
    plan = run.below(P.plan.utterances)
    return audit_run(plan, embeddings_of_run(run.folder), settings, settings_of_run(run.summary))


def _of_folder(run: Any, settings: Audit, args: argparse.Namespace) -> dict[str, Any]:
    from avsieve.cleansing.audit import audit
    from avsieve.embedding_files.reading import check_places, read_tables
    from avsieve.errors import AvsieveError
    from avsieve.inspection.audited import settings_of_run
    from avsieve.lists.layouts import read_corpus_list

    given = {"audio": args.audio, "visual": args.visual}
    if not any(given.values()):
        raise AvsieveError(
            f"{run.folder} is the folder of avsieve cleanse, which keeps no embeddings; give those that it was made "
            "with: --audio FILE, --visual FILE, or both"
        )
    for paths in given.values():
        check_places(paths or [])
    frame = read_corpus_list(run.train_list)
    listed = frame["utterance"].tolist()
    tables = {m: read_tables(p, table_options(args), wanted=listed) if p else None for m, p in given.items()}
    return audit(frame, tables, settings, settings_of_run(run.summary))


VERB = Verb("measure precision and recall of a run's flags on its own data", DESCRIPTION, add_arguments, run)
