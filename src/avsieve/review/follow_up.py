"""What is due beside a plan: a third clip of each video of which both clips are wrong alike, and then the video.

Two clips that are wrong in the same way may be chance; a third one, the clip of the video that looks most like its
label, settles that it is the video. Third clips depend on what was judged, so they are no part of the sample.
"""

from __future__ import annotations

from collections.abc import Mapping

from avsieve.review.entry import FINDINGS, Finding
from avsieve.review.plan import Plan


def follow_up(plan: Plan, decisions: Mapping[str, str]) -> list[str]:
    """Return the third clips that are due, in the order of the plan.

    Parameters
    ----------
    plan
        As it was drawn.
    decisions
        Utterance -> value of `avsieve.review.entry.Verdict`, of what has been judged.

    Returns
    -------
    list of str
        Ids; those that have been judged are not among them.
    """
    return [third for _, third, _ in _wrong_alike(plan, decisions) if third and third not in decisions]


def whole_videos(plan: Plan, decisions: Mapping[str, str]) -> list[str]:
    """Return the videos (``speaker/video``) of which all clips that were judged are wrong alike, the third one too."""
    found = []
    for video, third, finding in _wrong_alike(plan, decisions):
        if third in decisions and FINDINGS[decisions[third]] == finding and video not in found:
            found.append(video)
    return found


def _wrong_alike(
    plan: Plan, decisions: Mapping[str, str]
) -> list[tuple[str, str, tuple[Finding, Finding]]]:  # fmt: skip
    """Return video, third clip and what was found, of each label's video of which all planned clips are wrong alike."""
    of: dict[tuple[str, str], list[int]] = {}
    for row in range(len(plan)):
        of.setdefault((plan.speaker[row], plan.video[row]), []).append(row)
    found = []
    for (_, video), rows in of.items():
        said = {FINDINGS[decisions[u]] if (u := plan.utterance[row]) in decisions else None for row in rows}
        finding = said.pop()
        if len(rows) > 1 and not said and finding is not None and Finding.WRONG in finding:
            found.append((video, plan.third[rows[0]], finding))
    return found
