"""What the encoders of a round are trained on, and the parts of a list that are held out of a training."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avsieve.cleansing.inputs import read_plan
from avsieve.comparison.arm_lists import without_held_out
from avsieve.errors import AvsieveError
from avsieve.lists.train_list import write_train_list

_LEAST_SPEAKERS = 2


def parts_of(utterances: Sequence[str], parts: int) -> np.ndarray:
    """Deal the videos of each speaker out to ``parts`` parts, (n,) int64.

    Utterances of a video share what is wrong with them, so they stay together; every speaker with enough videos is in
    each part, so that leaving one out leaves nobody unknown.
    """
    videos = [u.rpartition("/")[0] for u in utterances]
    number: dict[str, int] = {}
    dealt: dict[str, int] = {}
    for video in sorted(set(videos)):
        speaker = video.partition("/")[0]
        # Not every speaker begins with part 0, or it would be the largest.
        turn = dealt.setdefault(speaker, zlib.crc32(speaker.encode("utf-8", "surrogateescape")))
        number[video] = turn % parts
        dealt[speaker] = turn + 1
    return np.array([number[video] for video in videos], dtype=np.int64)


def write_round_list(
    path: str | Path, plan: str | Path, out: str | Path, *, left_out: tuple[int, int] | None = None
) -> str:
    """Write what a round trains on: a list without the people who are kept for testing, and without a part of it.

    Parts are those of all utterances of the plan, whatever the list has left of them: they are the same in each round.

    Parameters
    ----------
    path, plan, out
        What the round before left, the plan, and the list to write.
    left_out
        A part, and how many there are; None to leave none out.

    Returns
    -------
    How much there is, in words.

    Raises
    ------
    AvsieveError
        If there is no such part, or fewer than two speakers are left, whom no encoder can be trained to tell apart.
    """
    rows = without_held_out(path, plan)
    if left_out is not None:
        part, parts = left_out
        if not 0 <= part < parts:
            raise AvsieveError(f"part {part} of {parts}: expected one from 0 to {parts - 1}")
        known = read_plan(plan)["utterance"].tolist()
        of = dict(zip(known, parts_of(known, parts).tolist(), strict=True))
        rows = rows[[of[u] != part for u in rows["utterance"]]]
    speakers = rows["speaker"].nunique()
    if speakers < _LEAST_SPEAKERS:
        left = "" if left_out is None else f" without part {left_out[0]} of {left_out[1]}"
        raise AvsieveError(
            f"{path}{left}: {speakers} speaker{'s' * (speakers != 1)} left to train on; expected at least "
            f"{_LEAST_SPEAKERS}: set cleansing.rounds to 1, or cleansing.rounds_folds to 0"
        )
    write_train_list(out, rows["utterance"].tolist(), rows["seconds"].tolist())
    return f"{len(rows)} utterances of {speakers} speakers"
