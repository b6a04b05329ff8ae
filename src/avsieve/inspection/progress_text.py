"""`avsieve status` in words."""

from __future__ import annotations

import time

from avsieve.doctor.formatting import in_words
from avsieve.inspection.overview_text import failure_lines
from avsieve.inspection.progress import Progress, TimeLeft
from avsieve.inspection.text import columns, section

_LONGEST = 100  # characters of a log's last line
_JOBS = 20
_WORDS = {
    "not begun": "not begun",
    "running": "running (a file changed not long ago)",
    "stopped": "stopped (no file has changed for a while)",
    "finished": "finished",
}


def progress_lines(facts: Progress) -> list[str]:
    """Return how far a run is."""
    lines = [f"{'results':<12}{facts.folder}", f"{'state':<12}{_WORDS[facts.state]}"]
    if facts.state == "not begun":
        return [*lines, f"{'next':<12}run snakemake; avsieve doctor checks the configuration first"]
    if facts.changed is not None:
        lines.append(f"{'last change':<12}{_ago(facts.changed, facts.now)} ago, {_stamp(facts.changed)}")
    if facts.shards is not None:
        lines.append(f"{'plan':<12}{facts.utterances or 0:,} utterances in {facts.shards} shards")
    if facts.state != "finished":
        lines.append(f"{'time left':<12}{_total_left(facts.left)}")
    rows = [
        (
            s.name, s.done, s.of, "-" if s.utterances is None else f"{s.utterances_done:,}",
            "-" if s.utterances_per_s is None else f"{s.utterances_per_s:.3g}",
            _left(s.left_s, done=s.done == s.of and s.of > 0), _since(s.last, facts.now),
        )
        for s in facts.stages
    ]  # fmt: skip
    lines += section("stages", columns(("stage", "done", "of", "utterances", "per s", "left", "last"), rows))
    if facts.jobs:
        shown = [
            (j.rule, j.name or "-", f"{_ago(j.changed, facts.now)} ago", j.says[:_LONGEST] or "-")
            for j in facts.jobs[:_JOBS]
        ]
        more = len(facts.jobs) - len(shown)
        title = "jobs without an end" if facts.state == "stopped" else "jobs"
        table = columns(("rule", "of", "log changed", "last line of the log"), shown, left=(0, 1, 3))
        lines += section(title, [*table, *([f"{more} more"] if more else [])])
    lines += section("failures", failure_lines(facts.failures))
    return [*lines, *section("next", _next(facts))]


def _total_left(left: TimeLeft) -> str:
    without = f"without {', '.join(left.left_out)}: no rate is known" if left.left_out else "of all that is left"
    if left.least_s is None or left.most_s is None:
        return "not known: no unfinished stage has finished two shards"
    least, most = in_words(left.least_s / 3600), in_words(left.most_s / 3600)
    told = least if least == most else f"{least} (stages side by side) to {most} (one after the other)"
    return f"{told} for {', '.join(left.stages)}; {without}"


def _next(facts: Progress) -> list[str]:
    if facts.state == "finished":
        return [f"avsieve inspect {facts.folder}"]
    if facts.state == "running":
        return []
    unlock = "snakemake --unlock (if no snakemake runs there any more), then " if facts.locked else ""
    return [f"{unlock}run the same snakemake command again: finished shards are kept"]


def _left(seconds: float | None, *, done: bool) -> str:
    return "-" if done or seconds is None else in_words(seconds / 3600)


def _ago(when: float, now: float) -> str:
    return in_words(max(now - when, 1.0) / 3600)


def _since(when: float | None, now: float) -> str:
    return "-" if when is None else f"{_ago(when, now)} ago"


def _stamp(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))
