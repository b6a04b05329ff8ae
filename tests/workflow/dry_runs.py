"""Plan finished runs again under other configurations, in one process, and tell what would run first.

The runs are none: their outputs are made empty, in the order of the pipeline, and Snakemake records of each job what it
records of one that has run (its rule, parameters and inputs). So what a plan says is what it says after a real run.

``python dry_runs.py SNAKEFILE`` reads a question a line and writes an answer a line, both in JSON. A question has the
``folder`` to work in, which holds what the configurations name and nothing else, ``targets``, the ``base``
configuration, and ``plans``: name -> configurations, of which the first that can be planned counts. It may have
``edits``: name -> file -> the text that it gets before that plan, and keeps; and ``moves``: name -> what lies there ->
where it lies from that plan on. If the question says ``ahead``, the source is read when a plan is made from something
else than the one before; else its utterances are taken to stay the same. The answer has ``order``, the rules as
they follow each other; ``files``: rule -> what a job of it reads, and its parameters; ``first``: name -> the first rule
that runs again, null for none ("" is the base itself); and ``stopped``: name -> the messages, where no configuration
can be planned. If the question says ``jobs``, it has ``again`` too: name -> all jobs that run again, each as its rule
and its wildcards, sorted.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.exceptions import WorkflowError
from snakemake.io import is_flagged
from snakemake.settings.enums import Quietness
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    OutputSettings,
    ResourceSettings,
)

import avsieve.wiring.planned
import avsieve.wiring.rules
from avsieve.sources.plan_ahead import plan_ahead
from avsieve.sources.plan_note import note_plan
from avsieve.sources.source_note import write_note
from avsieve.storage import paths as P
from avsieve.storage.ids import shard_names


@contextlib.contextmanager
def planned(snakefile: str, config: dict[str, Any], targets: list[str], *, everything: bool = False) -> Iterator[Any]:
    """Give Snakemake's workflow with its jobs, as before a dry run; ``everything`` counts every job as to be run."""
    settings = OutputSettings(quiet={Quietness.ALL}, log_handler_settings={}, dryrun=True)
    with SnakemakeApi(settings) as api:
        workflow_api = api.workflow(
            resource_settings=ResourceSettings(cores=2), config_settings=ConfigSettings(config=config),
            snakefile=Path(snakefile),
        )  # fmt: skip
        workflow_api.dag(DAGSettings(targets=set(targets), forceall=everything))
        # Snakemake has no public call that stops at the plan; these two are what its own `--summary` begins with.
        workflow = workflow_api._workflow
        workflow.execution_settings = ExecutionSettings()
        workflow._prepare_dag(forceall=everything, ignore_incomplete=False, lock_warn_only=True, nolock=True)
        workflow._build_dag()
        yield workflow


def pretend_to_run(workflow: Any) -> None:
    """Make every output, and record every job as one that has just run."""
    for level in workflow.dag.toposorted():
        for job in level:
            for path in [*job.output, *([job.benchmark] if job.benchmark else [])]:
                file = Path(str(path))
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
            if job.output:
                workflow.async_run(workflow.persistence.finished(job))
    for job in workflow.dag.jobs:
        for path in job.output:
            if is_flagged(path, "temp"):
                Path(str(path)).unlink()
    # What `plan_shards` writes beside its outputs, and later plans read.
    wiring = workflow.globals["W"]
    plan = next(job for job in workflow.dag.jobs if job.rule.name == "plan_shards")
    folder = Path(str(plan.output.plan)).parent
    write_note(folder, wiring.source.contract.note())
    if "clips" in plan.params.keys():  # noqa: SIM118 - Snakemake's `Params` is a list with names
        Path(wiring.watch.plan_list).write_text(json.dumps({"told": plan.params.clips}), encoding="utf-8")
        note_plan(wiring.at(P.plan.note), plan.params.key, "", wiring.planned.rows())


def told_of(job: Any) -> list[str]:
    """Return what a job is told to read: its inputs, and its parameters."""
    return [*(str(path) for path in job.input), *(str(value) for value in job.params)]


def first_to_run(workflow: Any) -> str | None:
    """Return the first rule of the pipeline that runs again for a reason of its own."""
    dag = workflow.dag
    again = {job for job in dag.jobs if dag.needrun(job)}
    own = {job.rule for job in again if not any(other in again for other in dag.dependencies[job])}
    return next((rule.name for rule in workflow.rules if rule in own), None)


def all_to_run(workflow: Any) -> list[str]:
    """Return every job that runs again."""
    again = [job for job in workflow.dag.jobs if workflow.dag.needrun(job)]
    return sorted(" ".join([job.rule.name, *map(str, job.wildcards)]) for job in again)


def answer(snakefile: str, question: dict[str, Any]) -> dict[str, Any]:
    """Return the first rules to run again."""
    targets = question["targets"]

    again: dict[str, list[str]] = {}

    def first_of(config: dict[str, Any], name: str = "") -> str | None:
        with planned(snakefile, config, targets) as workflow:
            if question.get("jobs"):
                again[name] = all_to_run(workflow)
            return first_to_run(workflow)

    if "audit_noise" in targets:  # an audit that comes after the report has another one written
        audit = Path(P.audit.audit)
        audit.parent.mkdir(parents=True, exist_ok=True)
        audit.touch()
    with planned(snakefile, question["base"], targets, everything=True) as workflow:
        pretend_to_run(workflow)
        order = [rule.name for rule in workflow.rules]
        files = {job.rule.name: told_of(job) for job in workflow.dag.jobs}
    first: dict[str, str | None] = {"": first_of(question["base"])}
    stopped: dict[str, list[str]] = {}
    for name, configs in question["plans"].items():
        for file, text in question.get("edits", {}).get(name, {}).items():
            Path(file).write_text(text, encoding="utf-8")
        for file, target in question.get("moves", {}).get(name, {}).items():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(file).rename(target)
        messages = []
        for config in configs:
            try:
                first[name] = first_of(config, name)
                break
            except WorkflowError as error:
                messages.append(" ".join(str(error).split()))
        else:
            stopped[name] = messages
    return {"order": order, "files": files, "first": first, "stopped": stopped, "again": again}


@contextlib.contextmanager
def reading(ahead: bool) -> Iterator[None]:
    """Plan ahead in this process, or have every shard the same utterances at any time."""
    planned = avsieve.wiring.planned.Planned
    known = planned.rows
    planned.rows = lambda self: plan_ahead(self.options) if ahead else dict.fromkeys(shard_names(self.shards), "")
    try:
        yield
    finally:
        planned.rows = known


def remember() -> None:
    """Read the rules and hash the code once: neither changes between two plans, and both take most of their time."""
    from snakemake import workflow as module  # not before `snakemake.api`, which it imports in turn

    parse, hashes = module.parse, avsieve.wiring.rules.code_hashes
    parsed: dict[tuple[str, int], Any] = {}
    hashed: dict[tuple[str, ...], list[str]] = {}

    def parse_once(path: Any, workflow: Any, linemap: dict[int, int], rulecount: int = 0) -> Any:
        key = (str(path.get_path_or_uri(secret_free=True)), rulecount)
        if key not in parsed:
            parsed[key] = (parse(path, workflow, linemap, rulecount=rulecount), dict(linemap))
        linemap.update(parsed[key][1])
        return parsed[key][0]

    def hash_once(script: Path, library: Any, also: Any = ()) -> list[str]:
        key = (str(script), str(library.src), *also)
        if key not in hashed:
            hashed[key] = hashes(script, library, also)
        return list(hashed[key])

    module.parse = parse_once
    avsieve.wiring.rules.code_hashes = hash_once


if __name__ == "__main__":
    gc.disable()  # the whole takes a minute and little memory
    remember()
    for line in sys.stdin:
        question = json.loads(line)
        os.chdir(question["folder"])
        # Whatever Snakemake says is no part of the answer.
        with contextlib.redirect_stdout(sys.stderr), reading(question.get("ahead", False)):
            text = json.dumps(answer(sys.argv[1], question))
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
