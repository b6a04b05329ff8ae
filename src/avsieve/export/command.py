"""Run an export: its options, choose the utterances, write them in a form, and tell the counts."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from avsieve.errors import AvsieveError, ConfigError
from avsieve.export.registry import FORMS
from avsieve.export.settings import Wish
from avsieve.runtime.options import add_settings, settings_of
from avsieve.storage import paths as P


def add_options(ap: argparse.ArgumentParser, form: str, *, required: bool = False) -> None:
    """Add the options of a form: to a command for people, or (``required``) to the script of its rule."""
    chosen = FORMS[form]
    results: dict[str, Any] = {"required": True} if required else {"default": Path(P.RESULTS)}
    ap.add_argument("--results", type=Path, help="folder of a run's results", **results)
    ap.add_argument("--out", type=Path, required=True, help="folder to write to")
    add_settings(ap, Wish, required=required)
    add_settings(ap, chosen.settings, required=required)
    if required or chosen.threads > 1:
        threads: dict[str, Any] = {"required": True} if required else {"default": chosen.threads}
        ap.add_argument("--threads", type=int, help="utterances written in parallel", **threads)
    ap.add_argument("--summary", type=Path, help="counts to write (JSON)")


def run_export(form: str, args: argparse.Namespace) -> int:
    """Export, print the counts, and write them where that is asked for.

    Raises
    ------
    AvsieveError
        If a package is missing, the run is not as far as its lists, or nothing is chosen.
    """
    from avsieve.export.contents import Contents
    from avsieve.export.selection import select
    from avsieve.storage.atomic import write_json

    chosen, wish = FORMS[form], settings_of(Wish, args)
    settings = settings_of(chosen.settings, args)
    threads = getattr(args, "threads", chosen.threads)
    if threads < 1:
        raise ConfigError(f"--threads {threads}; expected 1 or more")
    if missing := [name for name in chosen.packages if find_spec(name) is None]:
        raise AvsieveError(f"export form {form}: no package {missing[0]}; install it: pip install {' '.join(missing)}")
    table = select(args.results, wish)
    contents = Contents(args.results, wish.what, sorted(table["shard"].unique()))
    contents.refuse_other_plan(table)
    counts = chosen.write(table, contents, args.out, settings, seed=wish.seed, threads=threads)
    speakers = int(table["speaker"].nunique())
    done = f"{counts['written']} written, {counts['left']} there before"
    sys.stdout.write(
        f"{counts['utterances']:,} utterances of {speakers:,} speakers, {counts['files']:,} files, "
        f"{counts['bytes'] / 1e6:,.1f} MB in {args.out} ({done})\n"
    )
    if args.summary:
        # What depends on how often the export ran is left out: equal exports give equal bytes.
        lasting = {k: v for k, v in counts.items() if k not in ("written", "left", "replaced")}
        facts = {"form": form, "subset": wish.subset, "what": list(contents.kinds), "speakers": speakers}
        write_json(args.summary, facts | lasting)
    return 0
