"""Names that are hard on a shell and on Snakemake, in every key of the configuration and in the working folder."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from avsieve.config.model import Config, parse_config
from avsieve.export.registry import FORMS
from avsieve.sources.registry import SOURCES

pytestmark = pytest.mark.slow

ODD = "x {2024} {a} {1} {} {b,c} 'q' \"d\" # % * [1] $HOME ; & | \\ ü"
# Words of another kind than free text: architectures, a device, and an address that must hold a mark.
FIXED = {
    "device", "audio.arch", "visual.arch", "training.audio.arch", "training.visual.arch", "source.voxceleb.url",
    "source.voxceleb.format", "source.tree.layout", "source.archive.layout", "source.frames.layout",
    "source.tree.table",
}  # fmt: skip
# Keys of folders; every other text of the user's is a file here.
FOLDERS = {"root", "test_root", "tracks", "test_tracks", "faces", "test_faces", "wavs", "test_wavs", "audio_root"}
FOLDERS |= {"test_audio_root", "store", "out", "noise", "music", "speech", "rooms"}
TARGETS = ["all", "audit_noise", *(f"export_{form}" for form in FORMS), "rebuild_models"]
OF_CLIPS = ["train_encoders", "train_audio_encoders", "train_visual_encoders", "compare_lists"]


def texts(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, bool]]:
    """Yield each key that takes free text, and whether it takes a list of it."""
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        kinds = get_args(field.annotation) if get_origin(field.annotation) is not Literal else ()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from texts(field.annotation, here)
        elif field.annotation is str or (kinds and str in kinds and get_origin(field.annotation) is not dict):
            yield here, get_origin(field.annotation) is list
        elif any(get_args(kind) == (str,) for kind in kinds):
            yield here, True


def odd_values(folder: Path, kind: str) -> dict[str, Any]:
    """Return a configuration with odd words wherever text is free, and make the files that it names."""
    values: dict[str, Any] = {"source": {"kind": kind}, "shards": 2, "device": "cpu"}
    for path, many in texts(Config):
        *blocks, name = path.split(".")
        if path in FIXED or (blocks[0] == "source" and len(blocks) > 1 and blocks[1] != kind):
            continue
        word = f"{ODD}/{path} {{{name}}}.onnx"
        (folder / word).parent.mkdir(exist_ok=True)
        if name in FOLDERS:
            (folder / word).mkdir()
        else:
            (folder / word).write_text("x")
        block = values
        for part in blocks:
            block = block.setdefault(part, {})
        block[name] = [word] if many else word
    if kind != "embeddings":
        values["comparison"] = {"in_report": True}
    else:  # what is split is asked for
        tables = values["source"]["embeddings"]
        tables["audio_segments"] = {"hops": tables["visual_frames"]}
        values["evaluation"]["protocol"] = "both"
    return values


def planned(snakefile: Path, folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--directory", str(folder), "-n", "-p"]
    done = subprocess.run([*command, "--cores", "1", *arguments], capture_output=True, text=True, check=False)
    shown = done.stdout + done.stderr
    assert done.returncode == 0, shown[-3000:]
    return shown


def commands(shown: str) -> list[list[str]]:
    """Return the words of every command of a dry run, as a shell would see them."""
    return [shlex.split(line) for line in re.findall(r"^ *Shell command: (python .*)$", shown, re.MULTILINE)]


def test_every_text_of_the_configuration_is_found() -> None:
    found = {path for path, _ in texts(Config)}
    assert {"source.tree.root", "report.title", "export.out", "evaluation.trials", "faces.detector"} <= found
    assert {"source.archive.video", "evaluation.trained_on", "training.audio.noise", "source.truth"} <= found
    assert "source.kind" not in found
    assert {f"source.{name}.{source.needed[0]}" for name, source in SOURCES.items() if source.needed} <= {*found}


@pytest.mark.parametrize("kind", SOURCES.names)
def test_a_run_is_planned_whatever_the_names(repository: Path, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / re.sub(r"[{}]", "", ODD)
    folder.mkdir()
    values = odd_values(folder, kind)
    parse_config(values)
    (folder / "my.yaml").write_text(yaml.safe_dump(values, allow_unicode=True))
    targets = [target for target in TARGETS if not target.startswith("export") or kind != "embeddings"]
    targets += OF_CLIPS if kind != "embeddings" else []
    shown = planned(
        repository / "workflow" / "Snakefile", folder, "--configfile", str(folder / "my.yaml"), "--", *targets
    )
    words = [word for command in commands(shown) for word in command]
    # What the shell sees is the very name, once each for what a command is given.
    title = values["report"]["title"]
    assert title in words, shown[-2000:]
    if SOURCES[kind].needed is not None:
        needed = SOURCES[kind].needed[0]
        value = values["source"][kind][needed]
        assert (value[0] if isinstance(value, list) else value) in words
    if kind == "embeddings":
        table = values["source"][kind]["visual_frames"]
        assert {json.dumps({name: [table]}) for name in ("hops", "frames")} <= set(words)


@pytest.mark.parametrize("kind", ["synthetic", "tree", "embeddings"])
def test_a_module_writes_everything_below_its_prefix(repository: Path, tmp_path: Path, kind: str) -> None:
    values = odd_values(tmp_path, kind)
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({"sieve": values}, allow_unicode=True))
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(
        'configfile: "own.yaml"\n\n'
        f"module sieve:\n    snakefile: {str(repository / 'workflow' / 'Snakefile')!r}\n"
        '    config: config["sieve"]\n    prefix: "deep/er"\n\nuse rule * from sieve\n'
    )
    targets = [target for target in TARGETS if not target.startswith("export") or kind != "embeddings"]
    targets += OF_CLIPS if kind != "embeddings" else []
    shown = planned(snakefile, tmp_path, "--", *targets)
    words = [word for command in commands(shown) for word in command]
    assert any(word.startswith("deep/er/results/") for word in words)
    assert [word for word in words if word.startswith("results")] == []
    assert not re.search(r"(?<![\w/])results/", shown.replace(ODD, ""))
    # What the user named is where it was.
    assert not any(ODD in word and word.startswith("deep") for word in words if "export.out" not in word)


def test_a_working_folder_that_snakemake_cannot_work_in_is_told_in_a_line(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "videos {2024}"
    folder.mkdir()
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "workflow" / "Snakefile"), "-n"]
    done = subprocess.run([*command, "--directory", str(folder)], capture_output=True, text=True, check=False)
    shown = done.stdout + done.stderr
    assert done.returncode == 1
    assert f"Snakemake cannot run in {folder}: it treats the word in braces as a wildcard; rename" in shown
    assert "Traceback" not in shown


def test_a_checkout_may_lie_anywhere(repository: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "av {sieve} {1} 'x' & ü"
    checkout.mkdir()
    for name in ("workflow", "src", "config"):
        (checkout / name).symlink_to(repository / name)
    (tmp_path / "work").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(checkout / "workflow" / "Snakefile"), "--directory",
         str(tmp_path / "work"), "--cores", "1", "--", "plan_shards"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "work/results/plan/utterances.parquet").is_file()
