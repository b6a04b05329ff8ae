"""Every source keeps its contract, and a new one needs nothing but a module and a line in the registry."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from avsieve.config.source import Source
from avsieve.errors import ConfigError
from avsieve.sources.registry import SOURCES

OPTIONAL = ("check", "also_watched")


@pytest.mark.parametrize("name", SOURCES)
def test_every_part_of_a_source_is_there_and_takes_its_settings(name: str) -> None:
    source = SOURCES[name]
    assert source.name == name
    first = {"plan": ["settings"], "fetch": ["rows", "settings"], "check": ["settings", "modalities"]}
    outputs = {"plan": source.plan_outputs, "fetch": source.fetch_outputs}
    for part, wanted in (first | {"also_watched": ["rows", "index", "settings"]}).items():
        if part in OPTIONAL and getattr(source, part) is None:
            continue
        function = source.load(part)
        assert list(inspect.signature(function).parameters) == [*wanted, *outputs.get(part, ())], part
        assert function.__module__ == source.module(part)


@pytest.mark.parametrize("name", SOURCES)
def test_every_key_of_a_source_is_read_by_a_part_that_says_so(name: str) -> None:
    source = SOURCES[name]
    keys = set(source.block.model_fields)
    assert {*source.plan_keys, *source.fetch_keys, *source.other_keys} == keys
    assert not {*source.other_keys} & {*source.plan_keys, *source.fetch_keys}
    named = [source.plan_files, source.folders, source.archives, *source.named_folders]
    named += [source.needed[:1]] if source.needed else []
    assert {key for some in named for key in some} <= keys
    # Lists may be keys that other sources have; what is named must exist in one of them.
    assert {key for key in source.lists if key != "train_list"} <= keys


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("part", ["plan", "fetch"])
def test_a_part_reads_no_key_that_it_is_not_given(name: str, part: str) -> None:
    source = SOURCES[name]
    tree = ast.parse(inspect.getsource(import_module(source.module(part))))
    read = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "settings"}
    given = source.plan_keys if part == "plan" else source.fetch_keys
    assert read & set(source.block.model_fields) <= set(given)


def test_a_source_without_what_it_needs_is_refused_in_its_own_words() -> None:
    for name, source in SOURCES.items():
        if source.needed is None:
            assert Source.model_validate({"kind": name}).contract.note() == {"kind": name}
            continue
        key, remedy = source.needed
        with pytest.raises(ValueError, match=f"{name}.{key} is missing: ") as told:
            Source.model_validate({"kind": name})
        assert remedy in str(told.value)


def test_the_embedded_corpus_is_by_default_the_one_that_is_configured() -> None:
    from avsieve.sources.synthetic.plan import corpus_of
    from avsieve.sources.synthetic.settings import Synthetic
    from avsieve.synthetic.corpus import CorpusSettings

    assert corpus_of(Synthetic()) == CorpusSettings()


def test_a_source_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="source 'tre'; expected one of synthetic, tree, "):
        SOURCES["tre"]


def test_nothing_outside_the_sources_asks_which_source_it_is(repository: Path) -> None:
    found = []
    package = repository / "src" / "avsieve"
    for path in [*package.rglob("*.py"), *(repository / "workflow").rglob("*.py")]:
        if package / "sources" in path.parents:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Compare):
                continue
            constants = {c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str)}
            asks = any(isinstance(n, ast.Attribute) and n.attr == "kind" for n in ast.walk(node))
            if asks and constants & {*SOURCES}:
                found.append(f"{path}:{node.lineno}")
    assert found == []
    for path in (repository / "workflow").rglob("*"):
        if path.suffix == ".smk" or path.name == "Snakefile":
            text = path.read_text()
            assert not [name for name in SOURCES if f'kind == "{name}"' in text or f"config.source.{name}" in text]


MADE_UP = '''
"""A source in one module: utterances of a text file, each a clip of the folder `clips`."""

from avsieve.settings import Block, key
from avsieve.sources.contract import SourceContract


class Lines(Block):
    """Lines of a text file (`source.kind: lines`)."""

    file: str | None = key(None, "The file.", "plan_shards")
    clips: str = key("clips", "Folder of the clips.", "fetch_media")


class LinesSource(SourceContract[Lines]):
    name = "lines"
    block = Lines
    plan = "lines_source:plan_lines"
    fetch = "lines_source:find_clips"
    check = "lines_source:look"
    plan_keys = ("file",)
    fetch_keys = ("clips",)
    needed = ("file", "name a text file")
    plan_files = ("file",)
    folders = ("clips",)

    def roots(self, made):
        return {"train_root": self.settings.clips}


def plan_lines(settings):
    import pandas as pd

    names = open(settings.file).read().split()
    return pd.DataFrame({"utterance": names, "subset": "train", "path": names, "seconds": ""})


def find_clips(rows, settings):
    from pathlib import Path

    from avsieve.media.index import IndexedClip, file_place, media_table
    from avsieve.storage.status import StatusTable

    status = StatusTable("fetch_media")
    found = []
    for row in rows.itertuples():
        status.add(row.utterance)
        found.append(IndexedClip(row.utterance, row.subset, file_place(Path(settings.clips), f"{row.path}.mp4")))
    return media_table(found), status


def look(settings, modalities):
    from avsieve.sources.findings import Finding, SourceFacts

    count = len(open(settings.file).read().split())
    return SourceFacts([Finding("ok", "source.lines.file", f"{count} lines")], utterances=count, seconds=9.0)
'''
DRIVER = """
import runpy, shlex, sys
from pathlib import Path

from avsieve.sources.registry import SOURCES

SOURCES._entries["lines"] = "lines_source:LinesSource"

import yaml
from avsieve.config.docs import reference, schema
from avsieve.config.model import parse_config
from avsieve.doctor.examination import examine
from avsieve.errors import ConfigError
from avsieve.sources.source_note import refuse_other_source
from avsieve.wiring.flags import flags
from avsieve.wiring.rules import Wiring
from avsieve.wiring.checks import need_source

workflow = Path(sys.argv[1])
values = {"source": {"kind": "lines", "lines": {"file": "l.txt"}}, "shards": 1}
try:
    parse_config({"source": {"kind": "lines"}})
except ConfigError as error:
    assert "lines.file is missing: name a text file" in str(error), error
else:
    raise AssertionError("no file was asked for")
assert "`source.lines.file`" in reference() and '"lines"' in schema()
W = Wiring(values, workflow)
assert (W.source.rules, W.source.network, W.source.roots) == ("clips", 0, {"train_root": "clips"})
assert W.source.plan_files == ["l.txt"] and W.watch.plan(None) == "clips: as the tables name them"
assert W.source.modules == {"plan": "lines_source", "fetch": "lines_source"}
assert W.builtin_models == ["audio.checkpoint", "faces.detector", "visual.model"]
try:
    need_source(W.config)
except ConfigError as error:
    assert "source.lines.clips: clips is not there" in str(error), error
else:
    raise AssertionError("the folder was not missed")


def script(name, words):
    sys.argv = [name, *shlex.split(words)]
    try:
        runpy.run_path(str(workflow / "scripts" / f"{name}.py"), run_name="__main__")
    except SystemExit as done:
        assert done.code == 0, (name, done.code)


source = W.source
Path("clips/id1/v").mkdir(parents=True)
for number in (1, 2):
    Path(f"clips/id1/v/{number}.mp4").write_bytes(b"x" * number)
need_source(W.config)
out = "--out results/plan/utterances.parquet --shard-dir shards"
script("plan_shards", f"lines --shards 1 {flags(source.settings, leave=source.leave_in_plan)} {out} {flags(W.holdout)}")
refuse_other_source("results", source.contract.note())
try:
    refuse_other_source("results", {"kind": "tree", "root": "l.txt"})
except ConfigError as error:
    assert "the source lines, file l.txt" in str(error), error
else:
    raise AssertionError("another source was not refused")
files = "--index i.parquet --status s.parquet --max-failed 0"
given = flags(source.settings, leave=source.leave_in_fetch)
script("fetch_media", f"lines --plan shards/000.parquet {given} {files}")
from avsieve.storage.tables import read_table

assert read_table("i.parquet")["size"].tolist() == [1, 2]
Path("my.yaml").write_text(yaml.safe_dump(values))
done = examine([Path("my.yaml")], cores=1)
assert [f.text for f in done.findings if f.subject == "source.lines.file"] == ["2 lines"]
assert [cost.work for cost in done.costs if cost.stage == "fetch"] == ["2 clips, in place"]
print("all of it")
"""


def test_a_new_source_is_one_module_and_one_line(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "lines_source.py").write_text(MADE_UP)
    (tmp_path / "driver.py").write_text(DRIVER)
    (tmp_path / "l.txt").write_text("id1/v/1\nid1/v/2\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(repository / "src"), str(tmp_path)])}
    command = [sys.executable, str(tmp_path / "driver.py"), str(repository / "workflow")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all of it\n")
