"""`avsieve review RESULTS --plan` and `--estimate`: draw what is to be judged, and tell what the judged part tells."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.review.folder import reviews_folder

if TYPE_CHECKING:
    from avsieve.inspection.run_files import RunFiles
    from avsieve.review.estimate import Estimate
    from avsieve.review.plan import Plan


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options of a plan."""
    group = ap.add_argument_group("what to review, and what it tells")
    what = group.add_mutually_exclusive_group()
    what.add_argument("--plan", type=int, metavar="N", help="draw N clips to judge into REVIEWS/review_plan.parquet")
    what.add_argument(
        "--estimate", action="store_true", help="print what the judged part of the plan tells of the list"
    )
    group.add_argument("--seed", type=int, default=1, help="what the drawing begins with (default: 1)")
    group.add_argument("--new-plan", action="store_true", help="draw anew where there is an unfinished plan")
    group.add_argument("--json", action="store_true", help="with --estimate: print JSON; docs/formats.md describes it")


def run(args: argparse.Namespace) -> list[str]:
    """Plan or estimate, as the options say; return what to print."""
    import json

    if args.plan is not None:
        return run_plan(args.results, args.plan, seed=args.seed, new_plan=args.new_plan, reviews=args.reviews)
    found = run_estimate(args.results, reviews=args.reviews)
    return [json.dumps(found.as_json(), indent=2)] if args.json else found.lines()


def run_plan(
    path: str | Path, count: int, *, seed: int = 1, new_plan: bool = False, reviews: str | Path | None = None
) -> list[str]:
    """Draw a plan and write it; return what to print.

    Parameters
    ----------
    path
        The results of a run.
    count
        Clips to judge, from 1.
    seed
        From 0.
    new_plan
        Whether an unfinished plan may be replaced.
    reviews
        The folder to write to; by default `reviews_folder`.

    Raises
    ------
    ReviewError
        If the count or the seed is none, there is an unfinished plan, or nothing can be drawn.
    AvsieveError
        If a file of the run cannot be read.
    """
    from avsieve.inspection.run_files import find_run
    from avsieve.review.draw import draw
    from avsieve.review.entry import ReviewError
    from avsieve.review.plan import NAME, plan_of, write_plan
    from avsieve.review.population import read_population

    if count < 1:
        raise ReviewError(f"--plan {count}; expected how many clips to judge, from 1")
    if seed < 0:
        raise ReviewError(f"--seed {seed}; expected a whole number from 0")
    run = find_run(path)
    folder = Path(reviews) if reviews is not None else reviews_folder(run.folder)
    file = folder / NAME
    if file.exists() and not new_plan:
        _refuse_unfinished(file, folder)
    population = read_population(run)
    drawn = draw(population, count, seed)
    if not len(drawn.row):
        raise ReviewError(
            f"{run.decisions}: no clip can be drawn; {population.unjudged:,} have no probability and "
            f"{int((~population.open).sum()):,} are settled by reviewers: there is nothing to review"
        )
    plan = plan_of(population, drawn, count, seed)
    write_plan(file, plan)
    return _told(plan, file, run)


def run_estimate(path: str | Path, *, reviews: str | Path | None = None) -> Estimate:
    """Return what the plan in a folder of reviews tells of a run, as `avsieve.review.estimate.estimate_run`."""
    from avsieve.inspection.run_files import find_run
    from avsieve.review.estimate import estimate_run

    run = find_run(path)
    return estimate_run(run, Path(reviews) if reviews is not None else reviews_folder(run.folder))


def _refuse_unfinished(file: Path, folder: Path) -> None:
    from avsieve.review.answers import read_answers
    from avsieve.review.entry import ReviewError
    from avsieve.review.plan import read_plan

    plan = read_plan(file)
    said = {row.utterance for row in read_answers(folder).rows}
    left = sum(name not in said for name in plan.utterance)
    if left:
        raise ReviewError(
            f"{file}: {left:,} of {len(plan):,} clips of this plan are not judged yet; finish it, or draw another with "
            "--new-plan (what was judged stays in the logs, but its figures are lost)"
        )


def _told(plan: Plan, file: Path, run: RunFiles) -> list[str]:
    from avsieve.review.draw import CERTAIN

    certain = sum(arm == CERTAIN for arm in plan.arm)
    videos = len({(plan.speaker[k], plan.video[k]) for k in range(len(plan))})
    strata = len(set(plan.stratum) - {CERTAIN})
    return [
        (
            f"{len(plan):,} clips of {videos:,} videos to judge: {certain:,} where a judgement mends most, "
            f"{len(plan) - certain:,} sampled from {strata} strata"
        ),
        f"plan in {file}",
        f"when it is judged: avsieve review {run.folder} --estimate",
    ]
