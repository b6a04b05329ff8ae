"""Runs that are killed: begun again, they end with the bytes of a run that nobody killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.every_rule import BROUGHT, TARGETS
from tests.every_rule import TINY as EVERY_RULE

from .conftest import TINY, Project, copy_project

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]

# Seen by each Python that is started with the checkout's code.
KILLER = """\
import os, signal, sys, zlib
from collections.abc import Callable, Iterable
from pathlib import Path

if len(sys.orig_argv) > 1 and "workflow/scripts/" in sys.orig_argv[1]:
    script, job = Path(sys.orig_argv[1]).name, zlib.crc32("\\n".join(sys.orig_argv).encode())
    process, rename, count = os.getpid(), os.replace, 0

    def replace(*given, **more):
        global count
        if os.getpid() == process:
            count += 1
            mark = Path({kills!r}, f"{{script}}:{{job}}:{{count}}")
            if count <= {times} and not mark.exists():
                mark.touch()
                os.kill(process, signal.SIGKILL)
        rename(*given, **more)

    os.replace = replace
"""
# They tell timings.
TIMED = ("report/", "evaluation/times.csv", "evaluation/fusion_table")
# Models that ship with the package are trained by hand; what removes files names none.
APART = {"render_people", "train_tiny_detector", "export_face_encoder", "train_tiny_audio", "remove_old_shards"}
OF_EMBEDDINGS = {"split_embeddings", "split_segments", "make_trusted_trials"}
JOINED = {"extract_faces"}


def kill_at_writes(project: Project, times: int) -> Path:
    """Have each job of a project killed as it names its first file; begun again, its second; and so on.

    Returns
    -------
    Path
        A folder with a file for each kill, named after the job's script.
    """
    kills = project.work.parent / "kills"
    kills.mkdir()
    (project.root / "src" / "sitecustomize.py").write_text(KILLER.format(kills=str(kills), times=times))
    return kills


def scripts(kills: Path) -> set[str]:
    """Return the scripts whose jobs were killed."""
    return {path.name.split(":")[0].removesuffix(".py") for path in kills.iterdir()}


def untimed(outputs: dict[str, bytes]) -> dict[str, bytes]:
    """Return results without what tells how long something took, and without the digests of such files."""
    found = dict(outputs)
    facts = {name: json.loads(found[name]) for name in found if name.endswith(".json")}
    timed = {name for name, told in facts.items() if isinstance(told, dict) and told.pop("seconds", 0)}
    for name, told in facts.items():
        if name.startswith("records/"):
            for digests in (told["inputs"], told["outputs"]):
                for of in [of for of in digests if of.startswith(TIMED) or of in timed]:
                    del digests[of]
        found[name] = json.dumps(told).encode()
    return {name: content for name, content in found.items() if not name.startswith(TIMED)}


def differing(one: Project, other: Project) -> list[str]:
    """Return the names of results that differ, or that one project alone has."""
    first, second = untimed(one.outputs()), untimed(other.outputs())
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def test_a_killed_run_is_taken_up_and_gives_the_same_bytes(finished: Project, repository: Path, tmp_path: Path) -> None:
    project = copy_project(repository, tmp_path)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(project.root / "workflow" / "Snakefile")]
    command += ["--directory", str(project.work), "--cores", "2", "--configfile", str(project.work / "tiny.yaml")]
    with subprocess.Popen(
        command, start_new_session=True, env=project.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        # Kill everything at once while a shard's tar is half written.
        deadline = time.monotonic() + 120
        while not list(project.work.glob("results/media/*.tar.partial")):
            assert time.monotonic() < deadline, "no shard was begun"
            assert run.poll() is None, "the run ended before it could be killed"
            time.sleep(0.02)
        os.killpg(run.pid, signal.SIGKILL)
    assert not list(project.work.glob("results/media/*.clips.tar"))
    project.snakemake("--unlock")
    # And then each job by itself.
    kills = kill_at_writes(project, 1)
    project.snakemake("--retries", "1")
    assert scripts(kills) >= {
        "extract_media", "align_faces", "embed_audio", "embed_visual", "pool_speakers", "score_utterances",
        "merge_scores", "clean_list", "train_fusion", "evaluate_fusion", "write_report",
    }  # fmt: skip
    assert not list(project.work.rglob("*.partial*"))
    assert {name.partition("/")[0] for name in project.outputs()} == {n.partition("/")[0] for n in finished.outputs()}
    assert differing(finished, project) == []


def every_rule(_: Path) -> tuple[str, Iterable[str], set[str]]:
    scripts = {path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py")}
    return EVERY_RULE, TARGETS, scripts - APART - OF_EMBEDDINGS - JOINED


def embeddings(work: Path) -> tuple[str, Iterable[str], set[str]]:
    simulated = ["simulate", "--sequences", "--out", str(work / "data"), "--speakers", "12"]
    subprocess.run([sys.executable, "-m", "avsieve", *simulated], check=True)
    return BROUGHT, ["all"], OF_EMBEDDINGS


def frames_that_are_not_kept(_: Path) -> tuple[str, Iterable[str], set[str]]:
    return f"{TINY}media: {{keep_frames: false}}\n", ["align"], JOINED


@pytest.mark.skipif(not os.environ.get("AVSIEVE_LONG"), reason="takes a quarter of an hour: make kills")
@pytest.mark.parametrize("made", [every_rule, embeddings, frames_that_are_not_kept])
def test_every_job_is_killed_at_each_of_its_first_writes(
    made: Callable[[Path], tuple[str, Iterable[str], set[str]]], repository: Path, tmp_path: Path
) -> None:
    projects = []
    for name in ("calm", "killed"):
        (tmp_path / name).mkdir()
        projects.append(copy_project(repository, tmp_path / name))
        config, targets, expected = made(projects[-1].work)
        (projects[-1].work / "tiny.yaml").write_text(config)
    calm, killed = projects
    calm.snakemake("--", *targets)
    kills = kill_at_writes(killed, 3)
    killed.snakemake("--retries", "3", "--", *targets)
    assert expected - scripts(kills) == set()
    assert differing(calm, killed) == []
