"""The column `reruns` of the configuration's reference, against what Snakemake plans when a key changes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from avsieve.config.model import Config, parse_config
from avsieve.errors import ConfigError
from avsieve.media.settings import Limits

from .conftest import answer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reruns")]

WITH_CLIPS = ["all", "audit_noise", "train_encoders", "compare_lists", "export_tree", "export_webdataset"]
# What the configurations name, beside the same with another name.
FILES = ["list.txt", "truth.csv", "sex.csv", "clips.csv", "clips.zip", "voices.npz"]
FOLDERS = ["clips", "other"]

NO_VOICE = [{"name": "no_voice", "kind": "missing", "modality": "audio"}]

TWINS = {"models": ["gated", "linear", "calibrated"], "twins": {"conditions": NO_VOICE}}

# A run in which every key that is not a source's own has its effect.
TREE: dict[str, Any] = {
    "source": {"kind": "tree", "tree": {"root": "clips", "train_list": "list.txt"}, "truth": "truth.csv"},
    "shards": 1,
    "training": {"audio": {"music": "clips"}},
    "evaluation": {"sex": "sex.csv", "as_norm": {"cohort": "all"}, "damage": {"conditions": NO_VOICE}},
    "fusion": TWINS,
    "faces": {"crops": ["arcface112", "box112"]},
}
BASES: dict[str, dict[str, Any]] = {
    "tree": TREE,
    # Less than all, so that there is more to add.
    "less": TREE
    | {
        "evaluation": {"trials": "list.txt"},
        "comparison": {"modalities": ["visual"]},
        "fusion": {"models": ["linear"]},
        "cleansing": {"rounds": 2, "rounds_modalities": ["visual"]},
    },
    "no_frames": TREE | {"media": {"keep_frames": False}},
    "synthetic": {"source": {"kind": "synthetic"}},
    "archive": {"source": {"kind": "archive", "archive": {"video": ["clips.zip"]}}},
    "urls": {"source": {"kind": "urls", "urls": {"table": "clips.csv"}}},
    "voxceleb": {"source": {"kind": "voxceleb", "voxceleb": {"tracks": "clips"}}},
    "frames": {"source": {"kind": "frames", "frames": {"faces": "clips", "wavs": "clips", "aligned": True}}},
    "embeddings": {
        "source": {
            "kind": "embeddings",
            "embeddings": {
                "train_list": "list.txt",
                "audio": "voices.npz",
                "visual": "voices.npz",
                "audio_segments": {"hops": "voices.npz"},
                "visual_frames": "voices.npz",
            },
            "truth": "truth.csv",
        },
        "training": {"audio": {"music": "clips"}},
        # What is scored by segments reads the tables of segments and faces.
        "evaluation": {
            "sex": "sex.csv",
            "as_norm": {"cohort": "all"},
            "damage": {"conditions": NO_VOICE},
            "protocol": "both",
        },
        "fusion": TWINS,
    },
}
# Another value, where none can be told from the key's type.
VALUES: dict[str, list[Any]] = {
    "device": ["cpu"],
    "source.tree.layout": ["speaker/utterance"],
    "source.archive.layout": ["speaker/utterance"],
    "source.frames.layout": ["speaker/utterance"],
    "source.embeddings.audio_segments": [{"hops": "other.npz"}],
    "audio.arch": ["ecapa512"],
    "audio.segments": [["eighths"]],
    "visual.arch": ["iresnet18"],
    "visual.crop": ["box112"],
    "training.visual.crop": ["box112"],
    "source.frames.crop": ["box112"],
    "training.audio.arch": ["ecapa512"],
    "training.visual.arch": ["iresnet18"],
    "cleansing.options": [{"rounds": 3}],
    "cleansing.rounds_folds": [2],
    "audit.kinds": [{"video": 0.4}],
    "evaluation.as_norm.cohort": ["clean"],
    **{
        f"{block}.conditions": [[*NO_VOICE, {"name": "no_face", "kind": "missing", "modality": "visual"}]]
        for block in ("evaluation.damage", "fusion.twins")
    },
}
# Keys that cannot change alone -> what changes with them.
TOGETHER: dict[str, dict[str, Any]] = {
    "source.frames.crop": {"visual": {"crop": "box112"}, "training": {"visual": {"crop": "box112"}}}
}
# Where a run plans something else than the reference says, since it has no such rule: its own first one.
ELSEWHERE = {
    ("tree", "media.keep_frames"): "extract_faces",
    ("no_frames", "media.jpeg_quality"): "none",
    **{
        ("no_frames", f"media.{name}"): "extract_faces"
        for name in ("interval_s", "min_audio_s", *(f"limits.{limit}" for limit in Limits.model_fields))
    },
    **{
        ("no_frames", f"faces.{name}"): "extract_faces"
        for name in ("detector", "detector_size", "min_score", "tracking", "landmarks", "jpeg_quality", "crops")
    },
    # What is missing has no sound and no room; and embeddings have no other level.
    **{
        (world, f"{block}.{name}"): "none"
        for world in ("tree", "embeddings")
        for block in ("evaluation.damage", "fusion.twins")
        for name in ("noise", "rooms")
    },
    ("embeddings", "evaluation.damage.level"): "none",
    ("embeddings", "fusion.twins.level"): "none",
    ("embeddings", "max_failed"): "split_embeddings",
    ("embeddings", "device"): "train_fusion",
}
# Blocks of stages that work on clips, frames, wavs and faces.
OF_CLIPS = ("media", "faces", "audio", "visual", "training", "comparison", "export")
# Keys that must be changed in the run "less" to show their first rule.
LESS = [
    "evaluation.trials", "evaluation.as_norm.cohort", "comparison.modalities", "fusion.models",
    "cleansing.rounds", "cleansing.rounds_folds", "cleansing.rounds_modalities",
]  # fmt: skip


def leaves(model: type[BaseModel] = Config, path: str = "") -> Iterator[tuple[str, type[Any], str]]:
    """Yield every key of the configuration: its full name, the block that it is in, and its name there."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, f"{path}{name}.")
        else:
            yield f"{path}{name}", model, name


KEYS = {full: (block, name) for full, block, name in leaves()}


def documented(key: str) -> str:
    block, name = KEYS[key]
    return str(block.reruns(name))


def changed(base: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return a configuration with another value of a key."""
    head, _, rest = key.partition(".")
    return base | {head: changed(base.get(head, {}), rest, value) if rest else value}


def value_of(config: Config, key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


def others(annotation: Any, value: Any) -> list[list[Any]]:
    """Return other values of a type, by the ways in which they differ; of each way the first that is valid counts."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return others(get_args(annotation)[0], value)
    if origin in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        found = [other for kind in kinds for way in others(kind, value) for other in way]
        return [found, [None]] if type(None) in get_args(annotation) and value is not None else [found]
    if origin is Literal:
        return [[choice for choice in get_args(annotation) if choice != value]]
    if origin is list:
        known = list(value or [])
        more = [item for way in others(get_args(annotation)[0], known[-1] if known else None) for item in way]
        return [[[*known, item] for item in more if item not in known], *([[known[:-1]]] if known else [])]
    if origin is dict:  # beside another type; alone it needs a value of `VALUES`
        return [[]]
    if annotation is bool:
        return [[not value]]
    if annotation in (int, float):
        number = value if isinstance(value, int | float) else 32
        return [[annotation(n) for n in (number + 1, number - 1, number / 2, number + 0.1, 2 * number)]]
    if annotation is str:
        text = value or ""
        there = [f"other{Path(text).suffix}"] if text in FILES or text in FOLDERS else [f"{text}x"]
        return [there if text else ["other", "other.txt", "other.csv", "other.npz"]]
    raise TypeError(f"no other value for {annotation}; name one in VALUES")


def is_valid(config: dict[str, Any]) -> bool:
    try:
        parse_config(config)
    except ConfigError:
        return False
    return True


def configurations(base: dict[str, Any], key: str) -> list[list[dict[str, Any]]]:
    """Return the base with other values of a key: for each way to differ, those that the model takes."""
    block, name = KEYS[key]
    value = value_of(parse_config(base), key)
    ways = [VALUES[key]] if key in VALUES else others(block.model_fields[name].annotation, value)
    more = TOGETHER.get(key, {})
    found = [
        [config for other in way if other != value and is_valid(config := changed(base, key, other) | more)]
        for way in ways
    ]
    return [configs for configs in found if configs]


def keys_of(world: str) -> list[str]:
    """Return the keys that are changed in a run."""
    own = [key for key in KEYS if key.startswith("source.") and key.count(".") == 2]
    general = [key for key in KEYS if key not in own]
    if world == "tree":
        return [*(k for k in general if k not in LESS), *(k for k in own if k.startswith("source.tree."))]
    if world == "less":
        return LESS
    if world == "no_frames":
        return [key for key in general if key.startswith(("media.", "faces."))]
    found = [key for key in own if key.startswith(f"source.{world}.")]
    return (
        [*(k for k in general if k.partition(".")[0] not in OF_CLIPS and k not in LESS), *found]
        if world == "embeddings"
        else found
    )


def ask(planner: subprocess.Popen[str], folder: Path, world: str, plans: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make what a run needs, and ask what would run first when it is planned again."""
    for name in (*FILES, *(f"other{Path(name).suffix}" for name in FILES)):
        (folder / name).write_text("")
    for name in FOLDERS:
        (folder / name).mkdir()
    targets = ["all", "audit_noise"] if world == "embeddings" else WITH_CLIPS
    question = {"folder": str(folder), "targets": targets, "base": BASES[world], "plans": plans} | more
    return answer(planner, question)


def expected(world: str, key: str, order: list[str]) -> str:
    told = documented(key)
    if world == "embeddings" and told not in (*order, "refused"):
        told = "none"  # what that rule does has been done elsewhere
    return ELSEWHERE.get((world, key), told)


@pytest.mark.parametrize("world", BASES)
def test_a_changed_key_reruns_first_what_the_reference_says(
    world: str, planner: subprocess.Popen[str], tmp_path: Path
) -> None:
    ways = {key: configurations(BASES[world], key) for key in keys_of(world)}
    if world != "embeddings":  # where some keys have one value only
        assert [key for key, configs in ways.items() if not configs] == [], "name another value in VALUES"
    plans = {f"{key} {number}": way for key, configs in ways.items() for number, way in enumerate(configs)}
    found = ask(planner, tmp_path, world, plans)
    order = [*found["order"], "none"]
    assert found["first"].pop("") is None, "a run in which nothing was changed is not finished"
    first: dict[str, str] = {}
    for name, rule in found["first"].items():
        # Of the ways to change a key that counts which begins first.
        key, rule = name.split()[0], rule or "none"
        first[key] = min(rule, first.get(key, "none"), key=lambda name: order.index(name) if name in order else 0)
    for name, messages in found["stopped"].items():
        key = name.split()[0]
        first[key] = "refused" if "holds a run of" in messages[0] else f"stopped: {messages}"
    says = {key: expected(world, key, order) for key in first}
    wrong = {key: (says[key], rule) for key, rule in first.items() if rule != says[key]}
    assert not wrong, f"key: (what the reference says, what Snakemake plans): {wrong}"


def test_without_clips_the_keys_of_their_stages_rerun_nothing(planner: subprocess.Popen[str], tmp_path: Path) -> None:
    config = BASES["embeddings"]
    keys = [key for key in KEYS if key.partition(".")[0] in OF_CLIPS]
    changed_keys = []
    for key in keys:
        if ways := configurations(config, key):
            config = ways[0][0]
            changed_keys.append(key)
    # The one has no other value here; the other has it by the preset, which was changed before it.
    assert set(keys) - set(changed_keys) <= {"comparison.in_report", "training.visual.arch"}
    found = ask(planner, tmp_path, "embeddings", {"all of them": [config]})
    assert found["first"] == {"": None, "all of them": None}


def test_every_key_is_changed_in_some_run() -> None:
    assert {key for world in BASES for key in keys_of(world)} == set(KEYS)


def test_another_fusion_model_trains_that_one_alone_and_evaluates_all(
    planner: subprocess.Popen[str], tmp_path: Path
) -> None:
    base = {
        "source": {"kind": "synthetic"},
        "audio": {"segments": ["hops", "eighths"]},
        "evaluation": {"damage": {"conditions": ["standard"]}},
    }

    def of(*models: Any) -> dict[str, Any]:
        return base | {"fusion": {"models": list(models)}}

    plans = {
        "mlp": of("linear", "gated", "mlp"),
        "rjca": of("linear", "gated", "rjca"),  # reads tables that no other model reads
        "gated": of("linear", {"name": "gated", "hidden": 64}),
        "none": of("linear"),
    }
    found = ask(
        planner, tmp_path, "synthetic", {name: [config] for name, config in plans.items()},
        base=of("linear", "gated"), targets=["all", "fusion_table"], jobs=True,
    )["again"]  # fmt: skip
    assert found.pop("") == []
    assert set(found) == set(plans)
    after = ["all", "evaluate_fusion", "fusion_table"]
    for name, jobs in found.items():
        trained = [] if name == "none" else [f"train_fusion all {name}", f"train_fusion clean {name}"]
        assert jobs == [*after, *trained, "write_fusion_table", "write_report"], name


def test_further_rounds_add_their_jobs_and_one_round_has_none(planner: subprocess.Popen[str], tmp_path: Path) -> None:
    base = {"source": {"kind": "synthetic"}, "shards": 2, "fusion": {"models": ["linear"]}}

    def of(**keys: Any) -> list[dict[str, Any]]:
        return [base | {"cleansing": keys}]

    plans = {
        "one": of(rounds=1, rounds_folds=3, rounds_modalities=["audio"]),
        "two": of(rounds=2),
        "voices": of(rounds=3, rounds_modalities=["audio"]),
        "folds": of(rounds=2, rounds_folds=2),
    }
    again = ask(planner, tmp_path, "synthetic", plans, base=base, targets=["all", "audit_noise"], jobs=True)["again"]
    assert again[""] == again["one"] == []

    def jobs(*rounds: str, modalities: tuple[str, ...] = ("audio", "visual")) -> list[str]:
        once = ["list_round", *(f"train_{m}_round" for m in modalities), "pool_speakers_round", "merge_scores_round"]
        sharded = [*(f"embed_{m}_round" for m in modalities), "score_utterances_round"]
        found = [f"{rule} {name}" for rule in (*once, "clean_list_round") for name in rounds]
        found += [f"{rule} {name} 00{shard}" for rule in sharded for name in rounds for shard in (0, 1)]
        return sorted([*found, "all", "compare_rounds", "write_report"])

    assert again["two"] == jobs("2")
    assert again["voices"] == jobs("2", "3", modalities=("audio",))
    assert again["folds"] == jobs("2", "2-without-0", "2-without-1")


def test_other_reviews_rerun_the_decision_and_what_follows_it_and_touch_no_review(
    planner: subprocess.Popen[str], tmp_path: Path
) -> None:
    base = {"source": {"kind": "synthetic"}, "shards": 1, "fusion": {"models": ["linear"]}}
    base |= {"cleansing": {"review": "list.txt"}}
    review = "utterance,decision\nid1/v/1,right\n"
    found = ask(
        planner, tmp_path, "synthetic", {"same": [base], "edited": [base]}, base=base, jobs=True,
        targets=["all", "audit_noise"], edits={"same": {"list.txt": ""}, "edited": {"list.txt": review}},
    )  # fmt: skip
    again = found["again"]
    assert again[""] == again["same"] == []  # a file that was written anew is known by its content
    after = ["all", "clean_list", "evaluate_fusion", "train_fusion clean linear", "write_report"]
    assert again["edited"] == after
    assert {rule for rule, names in found["files"].items() if any("list.txt" in name for name in names)} == {
        "clean_list"
    }
    assert (tmp_path / "list.txt").read_text() == review


def test_another_table_of_anchors_reruns_the_decision_and_is_read_by_nothing_else(
    planner: subprocess.Popen[str], tmp_path: Path
) -> None:
    base = {"source": {"kind": "synthetic"}, "shards": 1, "fusion": {"models": ["linear"]}}
    base |= {"cleansing": {"anchors": "list.txt"}}
    anchors = "utterance\nid1/v/1\n"
    found = ask(
        planner, tmp_path, "synthetic", {"same": [base], "edited": [base]}, base=base, jobs=True,
        targets=["all", "audit_noise"], edits={"same": {"list.txt": ""}, "edited": {"list.txt": anchors}},
    )  # fmt: skip
    assert found["again"]["same"] == []
    assert "clean_list" in found["again"]["edited"]
    assert "audit_noise" not in found["again"]["edited"]
    assert {rule for rule, names in found["files"].items() if any("list.txt" in name for name in names)} == {
        "clean_list"
    }


@pytest.mark.parametrize(
    ("world", "readers"),
    [
        ("synthetic", {"write_report"}),
        # A truth that the user names cleans the trials that are made, and tells what labels stand on.
        ("tree", {"make_trials", "evaluate_fusion", "compare_lists", "write_report"}),
    ],
)
def test_no_stage_before_the_trials_reads_the_truth(
    world: str, readers: set[str], planner: subprocess.Popen[str], tmp_path: Path
) -> None:
    files = ask(planner, tmp_path, world, {})["files"]
    assert {rule for rule, names in files.items() if any("truth.csv" in name for name in names)} == readers
