from __future__ import annotations

import re
from pathlib import Path

import pytest

from avsieve.inspection.progress import UNMEASURED
from avsieve.inspection.stages import has_media, stages_of
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_json


def test_stages_follow_each_other_as_the_paths_do(tmp_path: Path) -> None:
    clips = ["plan", "media", "extract", "align", "embed_audio", "embed_visual"]
    ends = ["centres", "shard_scores", "scores", "lists", "evaluation", "report"]
    assert [s.name for s in stages_of(tmp_path)] == clips + ends
    P.below(tmp_path, "results/damage_audio").mkdir()
    assert [s.name for s in stages_of(tmp_path)] == [*clips, *ends[:4], "damage_audio", "damage_visual", *ends[4:]]


def test_further_rounds_stand_behind_the_lists_once_they_have_begun(tmp_path: Path) -> None:
    (P.below(tmp_path, P.rounds.folder) / "2" / "embed_audio").mkdir(parents=True)
    (P.below(tmp_path, P.rounds.folder) / "2-without-0").mkdir()
    names = [s.name for s in stages_of(tmp_path)]
    own = ["round 2: embed_audio", "round 2: shard_scores", "round 2: lists"]
    own += ["round 2-without-0: shard_scores", "round 2-without-0: lists", "rounds"]
    assert names[names.index("lists") + 1 : names.index("evaluation")] == own


def test_a_run_of_embeddings_has_no_stages_of_clips(tmp_path: Path) -> None:
    write_json(P.below(tmp_path, P.plan.source), {"kind": "embeddings", "train_list": "list.txt"})
    assert not has_media(tmp_path)
    assert [s.name for s in stages_of(tmp_path)][:3] == ["plan", "embed_audio", "embed_visual"]
    write_json(P.below(tmp_path, P.plan.source), {"kind": "voxceleb"})
    assert has_media(tmp_path)


@pytest.fixture(scope="module")
def rules(repository: Path) -> str:
    files = sorted((repository / "workflow" / "rules").glob("*.smk"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_every_marker_is_an_output_of_a_rule(tmp_path: Path, rules: str) -> None:
    P.below(tmp_path, "results/damage_audio").mkdir()
    for modality in ("audio", "visual"):
        (P.below(tmp_path, P.rounds.folder) / "{round}" / f"embed_{modality}").mkdir(parents=True)
    outputs = set()
    for part in re.findall(r"\n    output:\n((?: {8}.*\n)+)", rules):
        for group, field in re.findall(r"P\.(\w+)\.(\w+)", part):
            path = getattr(getattr(P, group), field)
            outputs |= {path, *(path.replace("{modality}", m) for m in ("audio", "visual"))}
    assert [s.name for s in stages_of(tmp_path) if s.marker not in outputs] == []


def test_rules_whose_end_cannot_be_told_are_those_without_a_benchmark(rules: str) -> None:
    blocks = [block.split(":", 1) for block in re.split(r"\nrule ", rules)[1:]]
    silent = {name for name, text in blocks if "P.log(" in text and "P.benchmark(" not in text}
    assert silent == UNMEASURED
