"""The doctor and a plan agree: each refuses what the other refuses, where a plan can know."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from avsieve.doctor.examination import Examination, examine
from avsieve.errors import AvsieveError
from tests.nursery import run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("agreement")]

TABLES = "embeddings: {train_list: l.txt, audio: a.npz, visual: v.npz}"
EMBEDDINGS = f"source: {{kind: embeddings, {TABLES}}}\nshards: 1\ndevice: cpu\n"
GOOD, REFUSED, LATER = "good", "refused", "later"


class Case(NamedTuple):
    """A configuration, what is to come of it, and a word of what the doctor says.

    ``good``: both go on. ``refused``: both refuse. ``later``: the doctor refuses, and the run stops later, since a plan
    would have to open files to know.
    """

    text: str | bytes
    verdict: str
    says: str = ""


CASES = {
    "embeddings": Case(EMBEDDINGS, GOOD),
    "the demo": Case("{}\n", GOOD),
    "JSON with tabs": Case('{\n\t"shards": 2\n}\n', GOOD),
    "a key twice": Case(EMBEDDINGS + "shards: 2\n", GOOD, "shards: .*in line 2 and again in line 4"),
    "a block twice": Case("source: {kind: synthetic}\nsource: {kind: synthetic}\n", GOOD, "source: .*again in line 2"),
    "few speakers": Case(EMBEDDINGS.replace("l.txt", "few.txt"), GOOD, "leaves 1 to test and 3 to train.*left out"),
    "braces": Case(EMBEDDINGS + "report: {title: '{a} {0}'}\n", GOOD),
    "a video a speaker": Case(EMBEDDINGS.replace("l.txt", "single.txt"), GOOD, "no target trials.*left out"),
    "an empty file": Case("", REFUSED, "holds no key"),
    "comments alone": Case("# shards: 2\n", REFUSED, "holds no key"),
    "a list": Case("- shards\n", REFUSED, "found a list"),
    "a text": Case("shards\n", REFUSED, "found a str"),
    "no YAML": Case("shards: [\n", REFUSED, r"not YAML: .*line 2"),
    "tabs": Case("source:\n\tkind: synthetic\n", REFUSED, r"not with tabs \(line 2"),
    "two documents": Case("shards: 2\n---\nshards: 3\n", REFUSED, "not YAML"),
    "UTF-16": Case("shards: 2\n".encode("utf-16"), REFUSED, "not UTF-8 text"),
    "code": Case("shards: !!python/object/apply:os.getcwd []\n", REFUSED, "not YAML"),
    "an unknown key": Case("shardz: 2\n", REFUSED, "unknown key shardz"),
    "an unknown key in a block": Case("faces: {detectr: x}\n", REFUSED, r"faces\.detectr"),
    "a wrong value": Case("shards: many\n", REFUSED, "shards is 'many'"),
    "a number for a key": Case("1: 2\n", REFUSED),
    "an empty block": Case("source:\n", REFUSED, "source"),
    "an unknown architecture": Case("audio: {arch: ecapa}\n", REFUSED, "ecapa"),
    "no such detector": Case("faces: {detector: no/where.onnx}\n", REFUSED, r"no/where\.onnx"),
    "no such face model": Case("visual: {model: nowhere.onnx}\n", REFUSED, r"nowhere\.onnx"),
    "no such checkpoint": Case("audio: {checkpoint: nowhere.pt}\n", REFUSED, r"nowhere\.pt"),
    "no such list": Case(EMBEDDINGS.replace("l.txt", "nowhere.txt"), REFUSED, r"nowhere\.txt"),
    "no such table": Case(EMBEDDINGS.replace("a.npz", "nowhere.npz"), REFUSED, r"nowhere\.npz"),
    "no such trials": Case(EMBEDDINGS + "evaluation: {trials: nowhere.txt}\n", REFUSED, r"nowhere\.txt"),
    "fusion of one modality": Case(EMBEDDINGS.replace(", visual: v.npz", ""), REFUSED, r"fusion\.models"),
    "segments of none": Case(EMBEDDINGS + "evaluation: {protocol: both}\n", REFUSED, "scores by hops, but source"),
    "a comparison without clips": Case(EMBEDDINGS + "comparison: {in_report: true}\n", REFUSED, "no wavs and faces"),
    "a preset without music": Case("training: {audio: {preset: avcleanse}}\n", REFUSED, r"training\.audio\.music"),
    "an unknown preset": Case("training: {audio: {preset: theirs}}\n", REFUSED, "theirs"),
    "nobody to test": Case(EMBEDDINGS + "evaluation: {holdout: 0}\n", GOOD, "nobody can be tested"),
    "trials of others": Case(EMBEDDINGS + "evaluation: {trials: others.txt}\n", LATER, "not in the source"),
    "trials of one kind": Case(EMBEDDINGS + "evaluation: {trials: targets.txt}\n", LATER, "all of them target trials"),
    "trials that are no list": Case(EMBEDDINGS + "evaluation: {trials: l.txt}\n", LATER, r"evaluation\.trials: l\.txt"),
    "a table that is none": Case(EMBEDDINGS.replace("a.npz", "l.txt"), LATER, r"l\.txt"),
    "a model of another kind": Case("audio: {arch: ecapa512, checkpoint: face.pt}\n", LATER, r"face\.pt"),
    "a comparison of too few": Case(
        "source: {synthetic: {speakers: 4, test_speakers: 2}}\ncomparison: {in_report: true}\n"
        "training: {audio: {validation: 0.01}}\n", LATER, "speakers out",
    ),
    "no such recordings": Case(
        "evaluation: {damage: {conditions: [standard], noise: nowhere}}\n", LATER, "nowhere: no such folder"
    ),
    "weights of another kind to begin with": Case(
        "comparison: {in_report: true}\ntraining: {audio: {start_from: face.pt}}\n", LATER, r"start_from: face\.pt"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight people's embeddings, lists of all and of some of them, and trials."""
    folder = tmp_path_factory.mktemp("agreement")
    utterances = [f"id{p}/v{v}/{u:05d}" for p in range(8) for v in range(3) for u in range(2)]
    for name in ("a", "v"):
        vectors = np.random.default_rng(0).standard_normal((len(utterances), 8)).astype(np.float32)
        np.savez(folder / f"{name}.npz", utterance=np.array(utterances), embedding=vectors)

    def write(name: str, chosen: list[str]) -> None:
        (folder / name).write_text("".join(f"{u.split('/')[0]} {u}.wav 3.0\n" for u in chosen))

    write("l.txt", utterances)
    write("few.txt", [u for u in utterances if int(u[2]) < 4])
    write("single.txt", [u for u in utterances if "/v0/" in u])
    (folder / "others.txt").write_text("1 x/v/1.wav x/w/1.wav\n0 x/v/1.wav y/w/1.wav\n")
    (folder / "targets.txt").write_text("1 id0/v0/00000.wav id0/v1/00000.wav\n0 id0/v0/00000.wav y/w/1.wav\n")
    torch.save({"conv.weight": torch.zeros(3)}, folder / "face.pt")
    return folder


def told(done: Examination) -> str:
    return "\n".join(f"{f.level} {f.subject}: {f.text}" for f in done.findings)


@pytest.mark.parametrize("name", CASES)
def test_the_doctor_and_the_plan_agree(
    folder: Path, name: str, repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case = CASES[name]
    monkeypatch.chdir(folder)
    path = tmp_path / "my.yaml"
    path.write_bytes(case.text if isinstance(case.text, bytes) else case.text.encode())
    try:
        done = examine([path], cores=1)
        says, stops = told(done), done.stops
    except AvsieveError as error:
        says, stops = str(error), True
        assert "\n" not in says
    assert stops == (case.verdict != GOOD), says
    assert re.search(case.says, says), says
    if case.verdict == LATER:
        return
    words = ["--snakefile", str(repository / "workflow/Snakefile"), "--cores", "1"]
    words += ["-n", "--quiet", "all", "--directory", str(tmp_path), "--configfile", str(path)]
    for file in folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    plan = run("snakemake", *words, loaded=("snakemake.cli", "avsieve.wiring.rules"))
    assert bool(plan.returncode) == stops, plan.stdout + plan.stderr
