from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from avsieve.config.model import parse_config
from avsieve.wiring.needs import DAY_MIN, LINE_BYTES, SNAKEMAKE_MB, Need, Needs, needs_of


class Files(list[str]):
    """The inputs of a job, as Snakemake gives them to a function of resources: files without content of some sizes."""

    def __init__(self, folder: Path, sizes_mb: dict[str, int], **names: str) -> None:
        folder.mkdir()
        for name, mb in sizes_mb.items():
            with (folder / name).open("wb") as file:
                file.truncate(mb << 20)
        super().__init__(str(folder / name) for name in sizes_mb)
        vars(self).update({key: str(folder / name) for key, name in names.items()})


def test_more_input_and_another_attempt_ask_for_more() -> None:
    need = Need(1000, mb_per_mb=2.0, s_per_mb=10.0)
    assert [need.memory(mb, 1) for mb in (0, 49, 51)] == [
        1000 + SNAKEMAKE_MB, 1100 + SNAKEMAKE_MB, 1200 + SNAKEMAKE_MB,
    ]  # fmt: skip
    assert need.memory(0, 3) == 3 * (1000 + SNAKEMAKE_MB)
    assert need.minutes(0, 1) == 10
    assert need.minutes(60, 1) == 40  # 600 s of a core, three times
    assert need.minutes(60, 2) == 80
    assert [Need(1, fixed_min=60).minutes(1e6, attempt) for attempt in (1, 2)] == [60, 60]


def test_what_counts_is_the_shard_and_not_the_model(tmp_path: Path) -> None:
    asked = Needs(parse_config({"audio": {"arch": "ecapa1024", "checkpoint": "a.safetensors"}}))("embed_audio")
    sizes = {"a.safetensors": 90, "000.wav.tar": 1000, "000.status.parquet": 1}
    small = Files(tmp_path / "small", sizes | {"000.wav.tar": 100}, wav="000.wav.tar")
    large = Files(tmp_path / "large", sizes, wav="000.wav.tar")
    without = Files(tmp_path / "without", sizes | {"a.safetensors": 0}, wav="000.wav.tar")
    for name in ("mem_mb", "runtime"):
        assert asked[name](None, small, 1) < asked[name](None, large, 1) == asked[name](None, without, 1)
    # 31,250 s of sound, whole and in segments, at 0.029 s each, three times, and the start.
    assert asked["runtime"](None, large, 1) == pytest.approx(31_250 * 2 * 0.029 * 3 / 60 + 10, abs=1)


def test_an_input_that_is_not_there_yet_is_named_so_that_snakemake_asks_again(tmp_path: Path) -> None:
    files = Files(tmp_path / "few", {"000.wav.tar": 1}, wav="000.wav.tar")
    Path(files[0]).unlink()
    with pytest.raises(FileNotFoundError) as error:
        Needs(parse_config({}))("embed_audio")["mem_mb"](None, files, 1)
    assert error.value.filename in files


def test_a_slower_network_asks_for_more_time() -> None:
    fast, slow = (
        needs_of(parse_config({"visual": {"arch": arch, "model": "f.pt"}})) for arch in ("iresnet18", "iresnet100")
    )
    assert fast["embed_visual"].minutes(100, 1) < slow["embed_visual"].minutes(100, 1)


def minutes(rule: str, utterances: int, attempt: int = 1, **config: object) -> int:
    need = needs_of(parse_config(config))[rule]
    return need.minutes(utterances * LINE_BYTES / 1e6, attempt)


def test_a_training_asks_for_the_time_of_its_steps_and_more_with_an_attempt() -> None:
    # 600 steps of 64 crops of 2 s: three passes, and what prepares them; three times, and the start.
    once = 10 + math.ceil(3 * 600 * 64 * (3 * 2 * 0.0012 + 8.5e-4) / 60)
    assert [minutes("train_audio", n, attempt) for n, attempt in ((1000, 1), (10**6, 1), (1000, 2))] == [
        once, once, 2 * once,
    ]  # fmt: skip
    shared = 10 + math.ceil((once - 10) / 4)
    assert minutes("train_audio", 1000, training={"devices": 2, "nodes": 2}) == pytest.approx(shared, abs=1)
    assert minutes("train_audio", 1000, device="cuda") < shared


@pytest.mark.parametrize("rule", ["train_audio", "train_visual", "train_fusion"])
def test_epochs_take_the_longer_the_longer_the_list_and_no_training_asks_for_more_than_partitions_have(
    rule: str,
) -> None:
    training = {"audio": {"epochs": 5}, "visual": {"epochs": 5}}
    asked = [minutes(rule, n, training=training) for n in (1_000, 100_000, 10_000_000)]
    assert asked[0] < asked[1] < asked[2] == DAY_MIN
    assert minutes(rule, 10_000_000, 3, training=training) == DAY_MIN


def test_a_training_counts_its_list_for_the_time_and_all_inputs_for_the_memory(tmp_path: Path) -> None:
    asked = Needs(parse_config({"training": {"audio": {"epochs": 5}}}))("train_audio")
    lists = {"all.txt": 1, "000.wav.tar": 1}
    small = Files(tmp_path / "small", lists, list="all.txt")
    wavs = Files(tmp_path / "wavs", lists | {"000.wav.tar": 100_000}, list="all.txt")
    longer = Files(tmp_path / "longer", lists | {"all.txt": 2}, list="all.txt")
    assert asked["runtime"](None, small, 1) == asked["runtime"](None, wavs, 1) < asked["runtime"](None, longer, 1)
    assert asked["mem_mb"](None, small, 1) < asked["mem_mb"](None, wavs, 1)


def test_a_training_has_the_memory_of_all_its_processes() -> None:
    needs = needs_of(parse_config({"training": {"devices": 2, "workers": 4}}))
    assert needs["train_audio"].memory(0, 2) == 2 * (SNAKEMAKE_MB + 4000 + 2 * 5 * 1000)


def test_every_rule_of_a_cluster_says_what_it_needs(repository: Path) -> None:
    known = needs_of(parse_config({}))
    asking, silent = set(), set()
    for path in (repository / "workflow" / "rules").glob("*.smk"):
        for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), re.MULTILINE):
            if "localrule: True" in body:
                continue
            asked = re.findall(r'\*\*W\.needs\("(\w+)"\)', body)
            assert asked in ([], [name])
            (asking if asked else silent).add(name)
    assert asking == set(known)
    # Small tables, and what is made once for all users: the defaults of the profile are enough.
    assert silent == {
        "list_utterances", "list_arm", "list_round", "list_cohort", "make_damage", "make_trials", "make_trusted_trials",
        "make_twins", "compare_lists", "write_fusion_table", "render_people", "train_tiny_detector", "align_people",
        "train_tiny_faces", "train_tiny_audio",
    }  # fmt: skip
