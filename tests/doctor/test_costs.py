from __future__ import annotations

from pathlib import Path

import pytest

import avsieve
from avsieve.config.model import parse_config
from avsieve.doctor.costs import Cost, estimate, totals
from avsieve.doctor.examination import Examination
from avsieve.doctor.output import shown
from avsieve.doctor.rates import earlier_rates, shipped_rates
from avsieve.sources.findings import Finding, SourceFacts
from avsieve.sources.synthetic.settings import Synthetic
from avsieve.storage.provenance import write_provenance
from avsieve.storage.status import StatusTable


def test_voxceleb2_costs_what_its_hours_cost() -> None:
    config = parse_config({"source": {"kind": "tree", "tree": {"root": "x"}}, "shards": 64})
    facts = SourceFacts(utterances=1_092_009, seconds=1_092_009 * 7.8, speakers=5994)
    costs = {c.stage: c for c in estimate(config, facts, shipped_rates(config, None, None), gpu=False)}
    assert costs["extract"].core_h == pytest.approx(1_092_009 * 7.8 * 0.0031 / 3600)
    assert costs["extract"].hours(16) == pytest.approx(costs["extract"].core_h / 16, rel=0.01)
    assert costs["extract"].gb == pytest.approx(570, rel=0.05)  # 298 GB of frames, 273 GB of sound
    # docs/benchmarks.md: a job after the other, pool_speakers 73.7 s, score_utterances 142.0 s, merging and deciding.
    for stage, measured in (("pool", 73.7 + 3.6), ("score", 142.0), ("clean", 45.9)):
        assert measured / 1.5 < 3600 * costs[stage].hours(1) < 1.5 * measured
    assert totals(list(costs.values()), 16)["results_gb"] > 600


# `pool_speakers` with `merge_scores`, `score_utterances`, `list_utterances` with `clean_list`, each as user and system
# time of a process with one thread, on embeddings of `avsieve simulate`; one shard. 2 cores of an AMD EPYC.
MEASURED = [
    (506, 28, 0.82 + 0.64, 0.79, 2.58 + 0.60),
    (1922, 50, 1.12 + 0.64, 1.06, 3.56 + 0.60),
    (6549, 111, 1.89 + 0.64, 1.53, 7.60 + 0.65),
    (7175, 600, 3.50 + 0.64, 3.29, 6.74 + 0.65),
    (11858, 2000, 12.94 + 0.65, 9.08, 5.92 + 0.65),
    (19045, 250, 3.47 + 0.70, 2.62, 7.09 + 0.65),
    (49387, 500, 6.85 + 0.76, 5.73, 8.06 + 0.65),
    (46798, 2000, 11.73 + 0.76, 11.25, 7.88 + 0.65),
]


@pytest.mark.parametrize(("utterances", "speakers", "pool", "score", "clean"), MEASURED)
def test_evidence_and_decision_cost_what_was_measured_from_500_to_50000_utterances(
    utterances: int, speakers: int, pool: float, score: float, clean: float
) -> None:
    config = parse_config({"source": {"kind": "tree", "tree": {"root": "x"}}, "shards": 1})
    facts = SourceFacts(utterances=utterances, speakers=speakers)
    costs = {c.stage: c for c in estimate(config, facts, shipped_rates(config, None, None), gpu=False)}
    for stage, measured in (("pool", pool), ("score", score), ("clean", clean)):
        assert measured / 1.5 < 3600 * costs[stage].hours(1) < 1.5 * measured, stage


def test_an_audit_costs_something_where_it_is_part_of_the_run() -> None:
    source = {"source": {"kind": "tree", "tree": {"root": "x"}}}
    facts = SourceFacts(utterances=49_387, speakers=500)
    hours = {}
    for asked in (False, True):
        config = parse_config(source | {"report": {"with_audit": asked}})
        hours[asked] = {
            c.stage: c.hours(1) for c in estimate(config, facts, shipped_rates(config, None, None), gpu=False)
        }
    assert set(hours[True]) - set(hours[False]) == {"audit"}
    assert hours[True]["audit"] > hours[True]["pool"] + hours[True]["clean"]


def test_a_run_of_jobs_of_a_second_costs_their_seconds() -> None:
    # 344 utterances in 4 shards from embeddings, default models: 52.6 s of user and system time with Snakemake's own.
    tables = {"train_list": "l.txt", "audio": "a.npz", "visual": "v.npz"}
    config = parse_config({"source": {"kind": "embeddings", "embeddings": tables}})
    facts = SourceFacts(utterances=344, speakers=28)
    told = totals(estimate(config, facts, shipped_rates(config, None, None), gpu=False), 1)
    assert 52.6 / 1.5 < 3600 * told["hours"] < 52.6 * 1.5


def test_tables_of_segments_and_faces_cost_where_they_are_read() -> None:
    tables = {"train_list": "l.txt", "audio": "a.npz", "visual": "v.npz", "audio_segments": {"hops": "h"}}
    source = {"kind": "embeddings", "embeddings": tables | {"visual_frames": "f"}}

    def stages(**more: dict) -> set[str]:
        config = parse_config({"source": source, **more})
        facts = SourceFacts(utterances=344, speakers=28)
        return {c.stage for c in estimate(config, facts, shipped_rates(config, None, None), gpu=False)}

    assert stages(evaluation={"protocol": "both"}) - stages() == {"split segments", "split faces"}
    assert stages(fusion={"models": ["vut_video_mean"]}) - stages() == {"split faces"}


def test_the_demo_costs_what_the_readme_says() -> None:
    config = parse_config({})
    made = config.source.settings
    assert isinstance(made, Synthetic)
    assert (made.speakers, config.shards) == (28, 4)
    facts = SourceFacts(utterances=432, seconds=432 * made.duration_s, speakers=40)
    models = Path(avsieve.__file__).parent / "models"
    rates = shipped_rates(config, models / "detector.onnx", models / "faces.onnx")
    told = totals(estimate(config, facts, rates, gpu=False), 2)
    assert 140 / 1.5 < 3600 * told["hours"] < 140 * 1.5  # 2 min 20 s on 2 cores


def test_a_stage_takes_as_many_cores_as_it_has_jobs_and_starts_each_of_them() -> None:
    cost = Cost("extract", "", 1.0, 0.0, "", "", jobs=4, start_s=3.6)
    assert [cost.hours(n) for n in (1, 2, 3, 4, 64)] == pytest.approx([1.004, 0.502, 1 / 3 + 0.002, 0.251, 0.251])
    assert cost.job_h == pytest.approx(0.251)
    assert Cost("clean", "", 1.0, 0.0, "", "").hours(8) == 1.0
    assert Cost("fetch", "", None, 0.0, "", "", jobs=4).hours(8) is None


def test_more_shards_cost_more_starts() -> None:
    hours = {}
    for shards in (4, 400):
        config = parse_config({"shards": shards})
        costs = estimate(config, SourceFacts(utterances=432), shipped_rates(config, None, None), gpu=False)
        hours[shards] = totals(costs, 4)["hours"]
    assert hours[400] > hours[4] + 0.2


def test_sound_alone_costs_no_faces() -> None:
    config = parse_config({"source": {"kind": "tree", "tree": {"root": "x"}, "modalities": "audio"}})
    costs = estimate(config, SourceFacts(utterances=10), shipped_rates(config, None, None), gpu=False)
    assert not {"align", "embed_visual"} & {c.stage for c in costs}


def test_a_source_that_cannot_count_costs_nothing_known() -> None:
    config = parse_config({})
    assert estimate(config, SourceFacts(), shipped_rates(config, None, None), gpu=False) == []


def run_of(folder: Path, seconds: float, detector: str = "detector.onnx") -> Path:
    status = StatusTable("extract_media")
    status.add("a/b/c", n_frames=1000, audio_s=400.0)
    status.write(folder / "extract/000.status.parquet")
    for rule in ("extract_media", "align_faces"):
        (folder / "benchmarks" / rule).mkdir(parents=True)
        (folder / "benchmarks" / rule / "000.tsv").write_text(f"s\th:m:s\n{seconds}\t0:00:40\n")
    write_provenance(folder / "align/000.json", stage="align", packages=[], detector=detector, detector_size="auto")
    return folder


def test_an_earlier_run_here_gives_the_rates(tmp_path: Path) -> None:
    rates = earlier_rates(parse_config({}), run_of(tmp_path, 40.0))
    assert rates["extract"].core_s == pytest.approx(0.1)
    assert rates["align"].core_s == pytest.approx(0.04)
    assert rates["align"].origin == "an earlier run here, 1 shard"
    assert "embed_audio" not in rates


def test_an_earlier_run_of_other_models_or_of_moments_tells_nothing(tmp_path: Path) -> None:
    assert "align" not in earlier_rates(parse_config({}), run_of(tmp_path / "a", 40.0, "det_10g.onnx"))
    assert earlier_rates(parse_config({}), run_of(tmp_path / "b", 2.0)) == {}


def test_levels_are_coloured_on_a_terminal_only() -> None:
    done = Examination(sections=[("Part", [Finding("error", "key", "is wrong", "fix it")])])
    assert "\033[31mERROR" in shown(done, colour=True)
    assert "  ERROR   key: is wrong\n            -> fix it" in shown(done, colour=False)


def test_frames_that_are_not_kept_take_no_room() -> None:
    values = {"source": {"kind": "tree", "tree": {"root": "x"}}}
    gb = {}
    for kept in (True, False):
        config = parse_config(values | {"media": {"keep_frames": kept}})
        costs = estimate(config, SourceFacts(utterances=1000), shipped_rates(config, None, None), gpu=False)
        gb[kept] = next(c.gb for c in costs if c.stage == "extract")
    assert gb[False] < 0.6 * gb[True]


def test_further_rounds_cost_what_the_first_does_once_for_each_training() -> None:
    values = {"source": {"kind": "tree", "tree": {"root": "x"}}, "shards": 4}
    facts = SourceFacts(utterances=1000, seconds=8000.0, speakers=20)

    def costs(**cleansing: object) -> dict[str, Cost]:
        config = parse_config(values | {"cleansing": cleansing})
        return {c.stage: c for c in estimate(config, facts, shipped_rates(config, None, None), gpu=False)}

    one, rounds = costs(), costs(rounds=2, rounds_folds=2)
    more = {name for name in rounds if "rounds" in name}
    assert set(rounds) - set(one) == more
    assert list(rounds)[-1] == "snakemake"
    visual = rounds["embed_visual in rounds"]
    assert (visual.core_h, visual.jobs) == (pytest.approx(3 * one["embed_visual"].core_h), 12)
    # Segments are not embedded again.
    assert one["embed_audio"].core_h < rounds["embed_audio in rounds"].core_h < 3 * one["embed_audio"].core_h
    assert rounds["train in rounds"].core_h is None
    assert rounds["train in rounds"].jobs == 6
    assert "embed_visual in rounds" not in costs(rounds=2, rounds_modalities=["audio"])
