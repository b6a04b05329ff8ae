from __future__ import annotations

from pathlib import Path

from avsieve.storage.stale_shards import current, left_over, told


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def test_files_of_shards_beyond_the_last_are_found_and_no_others(tmp_path: Path) -> None:
    old = [
        "plan/shards/004.parquet", "media/007.clips.tar", "extract/004.status.parquet", "embed_audio/004.json",
        "scores/shards/004.json", "logs/align_faces/004.log", "benchmarks/align_faces/004.tsv",
        "rounds/2/embed_audio/004.segments.parquet", "rounds/2-without-1/scores/shards/004.parquet",
        "records/rounds/2/embed_visual/004.parquet.json", "benchmarks/embed_audio_round/004.2.tsv",
    ]  # fmt: skip
    kept = [
        "plan/shards/003.parquet", "media/000.clips.tar", "evaluation/provenance.json", "plan/utterances.parquet",
        "logs/plan_shards.log", "benchmarks/train_audio/all.tsv", "models/fusion/all/gated.0.safetensors",
        "logs/train_audio_arm/all.0.log", "media/notes.txt", "export/004.tar",
        "rounds/2/embed_audio/003.parquet", "rounds/2/train.txt", "logs/train_audio_round/2-without-0.log",
    ]  # fmt: skip
    touch(tmp_path, *old, *kept)
    assert sorted(left_over(tmp_path, 4)) == sorted(tmp_path / name for name in old)
    assert list(left_over(tmp_path, 8)) == []
    assert list(left_over(tmp_path / "none", 4)) == []
    # Another number of digits makes every name another.
    assert tmp_path / "media/000.clips.tar" in list(left_over(tmp_path, 1001))


def test_what_is_left_over_is_told_with_what_removes_it(tmp_path: Path) -> None:
    touch(tmp_path, "align/002.json", "align/003.json", "align/003.faces.tar", "align/000.json")
    line = told(tmp_path, 2)
    assert "3 files" in line
    assert "2 shards more than the configuration has (shards: 2): 002, 003" in line
    assert "remove_old_shards" in line
    assert told(tmp_path, 4) == ""


def test_what_is_left_over_is_not_read() -> None:
    paths = [Path("align/000.json"), Path("align/002.json"), Path("evaluation/provenance.json")]
    assert current(paths, 2) == [paths[0], paths[2]]
    assert current(paths, None) == paths
