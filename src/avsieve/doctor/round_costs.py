"""What further rounds of cleansing cost: what the first one does, once for each of their trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from avsieve.doctor.jobs import AUDIT, START_S

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.doctor.costs import Cost

EMBEDDING = {"audio": "embed_audio", "visual": "embed_visual"}
EVIDENCE = ("pool", "score", "clean")
IN_ROUNDS = " in rounds"
"""Behind the name of a stage of the first round."""


def trainings(config: Config) -> int:
    """Return how often encoders are trained: once a further round, and once for each part that is held out."""
    cleansing = config.cleansing
    return (cleansing.rounds - 1) * (1 + cleansing.rounds_folds)


def round_costs(config: Config, costs: Sequence[Cost], whole: float) -> list[Cost]:
    """Estimate further rounds from the costs of the first.

    Parameters
    ----------
    costs
        Of the first round.
    whole
        What share of the work on voices is on whole utterances: segments are not embedded again.
    """
    times, of = trainings(config), {cost.stage: cost for cost in costs}
    trained = [m for m in EMBEDDING if m in config.cleansing.rounds_modalities and EMBEDDING[m] in of]
    if not times or not trained:
        return []
    work = f"{times} training{'s' * (times != 1)} of {', '.join(trained)}"
    # How long is a matter of the schedule, the network and the device, of which nobody knows anything beforehand.
    training = replace(
        of["pool"],
        stage="train" + IN_ROUNDS,
        work=work,
        core_h=None,
        gb=0.0,
        rate="-",
        jobs=times * len(trained),
        origin="the schedule decides (training.audio, training.visual)",
        start_s=START_S["train fusion"],
    )
    found = [training]
    for stage in (*(EMBEDDING[m] for m in trained), *EVIDENCE):
        cost, part = of[stage], whole if stage == "embed_audio" else 1.0
        found.append(
            replace(
                cost,
                stage=stage + IN_ROUNDS,
                work=f"{times} x {cost.work.partition(', whole')[0]}",
                core_h=None if cost.core_h is None else times * part * cost.core_h,
                gb=times * part * cost.gb,
                jobs=times * cost.jobs,
            )
        )
    evidence = sum(of[stage].core_h or 0.0 for stage in EVIDENCE)
    rounds = config.cleansing.rounds
    found.append(
        replace(
            of["clean"],
            stage="compare rounds",
            work=f"an audit of each of {rounds} rounds",
            core_h=rounds * AUDIT * evidence,
            gb=0.0,
            jobs=1,
            start_s=START_S["audit"],
        )
    )
    return found
