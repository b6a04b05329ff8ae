from __future__ import annotations

import math
import re
from argparse import Namespace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from avsieve.config.model import parse_config
from avsieve.doctor.costs import Cost
from avsieve.doctor.jobs import START_S
from avsieve.doctor.profile import DAY_MIN, RULES, SNAKEMAKE_MB, write_profile
from avsieve.doctor.rates import SHIPPED, Rate
from avsieve.errors import AvsieveError
from avsieve.storage.tables import write_table

cli = pytest.importorskip("snakemake.cli")

# A quarter of an hour a job to decode, and a minute to align.
COSTS = [
    Cost("extract", "clips", 1.0, 0.0, "-", "measured now", jobs=4),
    Cost("align", "frames", 4 / 60, 0.0, "-", "one core", jobs=4),
    Cost("train fusion", "models", 6.0, 0.0, "-", "one core", jobs=12),
    Cost("fetch", "clips", None, 0.0, "-", "the network decides", jobs=4),
    Cost("snakemake", "jobs", 1.0, 0.0, "-", "one core"),
]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Make what an earlier run of ten utterances leaves."""
    folder = tmp_path / "results"
    peaks = {
        "extract_media/000": "100.5",
        "extract_media/001": "300",
        "extract_media/004": "9000",
        "clean_list": "1000",
    }
    for name, peak in peaks.items():
        path = folder / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\tmax_rss\n1.0\t{peak}\n")
    (folder / "benchmarks" / "merge_scores.tsv").write_text("s\tmax_rss\n0.1\tNA\n")
    (folder / "plan").mkdir()
    write_table(folder / "plan" / "utterances.parquet", pd.DataFrame({"utterance": list("abcdefghij")}))
    return folder


@pytest.fixture
def write(repository: Path, tmp_path: Path, results: Path):
    """Return what writes a profile, and reads its needs."""

    def needs(
        utterances: int = 10, costs: list[Cost] = COSTS, rates: dict[str, Rate] | None = None, **config: object
    ) -> dict[str, dict[str, object]]:
        base = repository / "workflow" / "profiles" / "slurm" / "config.yaml"
        path = write_profile(
            tmp_path / "mine", parse_config({"shards": 4, **config}), costs, utterances,
            rates=rates or {}, base=base, results=results,
        )  # fmt: skip
        values = yaml.safe_load(path.read_text())
        own = yaml.safe_load(base.read_text())
        assert {name: values[name] for name in own} == own
        return values["set-resources"]

    return needs


def test_time_is_that_of_the_table_and_memory_what_jobs_held_with_snakemake_beside_them(write) -> None:
    asked = write()
    # Shard 004 is left over from a run with more of them.
    assert asked["extract_media"] == {
        "runtime": f"{10 + 2 * 15} * attempt", "mem_mb": f"{SNAKEMAKE_MB + 500} * attempt", "cpus_per_task": 1,
    }  # fmt: skip
    assert asked["align_faces"] == {"runtime": "12 * attempt", "cpus_per_task": 1}
    assert asked["clean_list"] == {"mem_mb": f"{SNAKEMAKE_MB + 1500} * attempt", "cpus_per_task": 1}
    # No training is longer than those of one list together.
    assert asked["train_fusion"]["runtime"] == f"min({DAY_MIN}, {10 + 2 * 180} * attempt)"
    # The network's pace and what was not measured are left to the rules.
    assert not {"fetch_media", "merge_scores"} & set(asked)


def test_memory_of_a_run_of_another_size_is_left_to_the_rules(write) -> None:
    assert not any("mem_mb" in each for each in write(utterances=1000).values())


def test_decoding_and_aligning_in_one_job_ask_for_the_time_of_both(write) -> None:
    asked = write(media={"keep_frames": False}, device="cuda")
    assert asked["extract_faces"] == {"runtime": "42 * attempt", "cpus_per_task": 4}
    assert "align_faces" not in asked


def test_a_training_asks_for_its_steps_at_the_rate_that_was_measured(write, tmp_path: Path) -> None:
    def runtime(arch: str = "ecapa_small", **given: object) -> str:
        asked = write(training={"audio": {"arch": arch, "steps": 20_000}}, **given)["train_audio"]
        assert set(asked) == {"runtime"}  # memory and cores are as the rule has them
        return str(asked["runtime"])

    # 64 crops of 2 s a step, three passes and what prepares them.
    hours = 20_000 * 64 * (3 * 2 * 0.0012 + 8.5e-4) / 3600
    assert runtime() == f"min({DAY_MIN}, {10 + math.ceil(2 * 60 * hours)} * attempt)"
    assert f"# time: {SHIPPED}" in (tmp_path / "mine" / "config.yaml").read_text()
    # The machine is twice as fast where the shipped encoder was timed, whatever is trained there.
    measured = {"embed_audio": Rate(0.0006, "measured now")}
    small, large = ([runtime(arch, rates=rates) for rates in ({}, measured)] for arch in ("ecapa_small", "ecapa1024"))
    assert (
        small[1] == f"min({DAY_MIN}, {10 + math.ceil(2 * 60 * 20_000 * 64 * (3 * 0.0012 + 8.5e-4) / 3600)} * attempt)"
    )
    assert large == [f"{DAY_MIN}", f"{DAY_MIN}"]  # it goes on with the next attempt
    assert "# time: measured now" in (tmp_path / "mine" / "config.yaml").read_text()


def test_epochs_take_longer_the_longer_the_list(write) -> None:
    training = {"visual": {"epochs": 2}}
    few, many = (write(utterances=n, training=training)["train_visual"]["runtime"] for n in (1_000, 1_000_000))
    assert few == "min(1440, 11 * attempt)"
    assert many == f"min(1440, {10 + math.ceil(2 * 2e6 * (3 * 0.0008 + 5e-4) / 60)} * attempt)"


def test_a_profile_of_somebody_else_is_kept_and_an_own_one_is_written_anew(write, tmp_path: Path) -> None:
    write()
    write()
    (tmp_path / "mine" / "config.yaml").write_text("jobs: 1\n")
    with pytest.raises(AvsieveError, match="is there and was not written by the doctor"):
        write()


def test_without_a_size_there_is_no_profile(write) -> None:
    with pytest.raises(AvsieveError, match="not known before the source can be counted"):
        write(costs=[])


def test_stages_and_rules_are_those_that_there_are(repository: Path) -> None:
    text = "".join(path.read_text() for path in (repository / "workflow" / "rules").glob("*.smk"))
    rules = set(re.findall(r"^(?:rule|use rule \w+ as) (\w+)", text, re.MULTILINE))
    assert {name for names in RULES.values() for name in names} <= rules
    # What the table has besides is chosen in moments, or Snakemake itself.
    assert set(START_S) - set(RULES) == {"extract, align", "choose damage", "choose twins"}


def test_snakemake_takes_it(write, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write()
    monkeypatch.chdir(tmp_path)
    words = ["--snakefile", str(repository / "workflow" / "Snakefile"), "--executor", "local"]
    found: Namespace
    _, found = cli.parse_args([*words, "--workflow-profile", str(tmp_path / "mine")])
    asked = {name: resource.raw for name, resource in found.set_resources["extract_media"].items()}
    assert asked["runtime"] == "40 * attempt"
    training = found.set_resources["train_fusion"]["runtime"]
    given = {"wildcards": None, "input": [], "async_run": None, "threads": 1, "rulename": "train_fusion"}
    assert [training.evaluate(**given, attempt=attempt).value for attempt in (1, 4)] == [370, 1440]
