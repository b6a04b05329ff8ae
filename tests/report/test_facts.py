from avsieve.report.facts import read_failures, read_provenance, read_times
from avsieve.storage.provenance import write_provenance
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable


def write_status(path, rows):
    table = StatusTable(path.parent.name)
    for utterance, code, detail in rows:
        table.add(utterance, code, detail)
    table.write(path)
    return path


def test_a_failure_is_told_once_by_the_stage_that_it_began_in(tmp_path):
    paths = [
        write_status(tmp_path / "embed_visual/000.status.parquet", [("a", Reason.NO_FACES, ""), ("b", Reason.OK, "")]),
        write_status(
            tmp_path / "extract/000.status.parquet", [("a", Reason.OK, ""), ("c", Reason.NO_AUDIO_STREAM, "x")]
        ),
        write_status(tmp_path / "align/000.status.parquet", [("a", Reason.NO_FACE, "0 of 7 frames")]),
        write_status(tmp_path / "embed_audio/000.status.parquet", [("c", Reason.NO_AUDIO, "")]),
    ]
    rows = read_failures(paths)
    assert rows[["stage", "utterance", "code", "detail", "later"]].to_numpy().tolist() == [
        ["extract", "c", "no_audio_stream", "x", 1],
        ["align", "a", "no_face", "0 of 7 frames", 1],
    ]
    assert rows["meaning"][0] == "there is video but no sound"


def test_two_independent_causes_are_both_told(tmp_path):
    paths = [
        write_status(tmp_path / "extract/000.status.parquet", [("a", Reason.AUDIO_SILENT, "")]),
        write_status(tmp_path / "align/000.status.parquet", [("a", Reason.NO_FACE, "")]),
    ]
    assert read_failures(paths)["code"].tolist() == ["audio_silent", "no_face"]


def test_a_run_without_failures_gives_an_empty_table(tmp_path):
    path = write_status(tmp_path / "extract/000.status.parquet", [("a", Reason.OK, "")])
    assert read_failures([path]).empty
    assert read_failures([]).columns.tolist() == ["utterance", "stage", "code", "detail", "meaning", "later"]


def test_times_are_summed_per_rule(tmp_path):
    header = "s\th:m:s\tmax_rss\tcpu_time\n"
    for name, line in (
        ("extract_media/000", "4.0\t0:00:04\t100.0\t3.0"),
        ("extract_media/001", "6.0\t0:00:06\t300.0\t3.0"),
        ("clean_list", "1.5\t0:00:01\tNA\tNA"),
    ):
        path = tmp_path / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header + line + "\n")
    rows = read_times(sorted((tmp_path / "benchmarks").rglob("*.tsv")), utterances=50)
    assert rows[["rule", "jobs", "seconds"]].to_numpy().tolist() == [["extract_media", 2, 10.0], ["clean_list", 1, 1.5]]
    assert rows["per_s"].fillna(-1).tolist() == [5.0, -1.0]
    assert rows["peak_mb"][0] == 300.0
    assert read_times([], 5).empty


def test_shards_that_agree_are_told_once_and_others_are_marked(tmp_path):
    for shard, device in (("000", "cpu"), ("001", "cpu"), ("002", "cuda")):
        write_provenance(tmp_path / f"{shard}.json", stage="embed_audio", packages=[], device=device, sizes=[1, 2])
    (record,) = read_provenance(sorted(tmp_path.glob("*.json")))
    assert (record.stage, record.shards, record.variants) == ("embed_audio", 3, 2)
    assert ("device", "cpu") in record.facts
    assert ("sizes", "[1, 2]") in record.facts
    assert any(key == "versions.avsieve" for key, _ in record.facts)
