from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.config import parse_config
from avsieve.doctor.costs import estimate, in_words, totals, two_digits
from avsieve.doctor.examination import Examination
from avsieve.doctor.rates import earlier_rates, shipped_rates
from avsieve.doctor.show import shown
from avsieve.provenance import write_provenance
from avsieve.sources.findings import Finding, SourceFacts
from avsieve.status import StatusTable


def test_an_estimate_has_two_digits() -> None:
    assert [two_digits(x) for x in (0, 0.01234, 1.26, 99.7, 123456)] == ["0", "0.012", "1.3", "100", "120,000"]
    assert [in_words(h) for h in (0.001, 0.1, 5.04, 100)] == ["3.6 s", "6.0 min", "5.0 h", "4.2 d"]


def test_voxceleb2_costs_what_its_hours_cost() -> None:
    config = parse_config({"source": {"kind": "tree", "tree": {"root": "x"}}})
    facts = SourceFacts(utterances=1_092_009, seconds=1_092_009 * 7.8)
    costs = {c.stage: c for c in estimate(config, facts, shipped_rates(config, None, None), gpu=False)}
    assert costs["extract"].core_h == pytest.approx(1_092_009 * 7.8 * 0.0031 / 3600)
    assert costs["extract"].hours(16) == pytest.approx(costs["extract"].core_h / 16)
    assert costs["extract"].gb == pytest.approx(570, rel=0.05)  # 298 GB of frames, 273 GB of sound
    assert 0.05 < costs["score, clean"].hours(16) < 0.1  # 265 s were measured
    assert totals(list(costs.values()), 16)["results_gb"] > 600


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
    done = Examination(sections=[("Part", [Finding("error", "key", "is wrong", "mend it")])])
    assert "\033[31mERROR" in shown(done, colour=True)
    assert "  ERROR   key: is wrong\n            -> mend it" in shown(done, colour=False)


def test_frames_that_are_not_kept_take_no_room() -> None:
    values = {"source": {"kind": "tree", "tree": {"root": "x"}}}
    gb = {}
    for kept in (True, False):
        config = parse_config(values | {"media": {"keep_frames": kept}})
        costs = estimate(config, SourceFacts(utterances=1000), shipped_rates(config, None, None), gpu=False)
        gb[kept] = next(c.gb for c in costs if c.stage == "extract")
    assert gb[False] < 0.6 * gb[True]
