from __future__ import annotations

import ast
import dataclasses
import itertools
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from avsieve.export.registry import FORMS
from avsieve.storage import paths as P

GROUPS = {
    name: value
    for name, value in vars(P).items()
    if dataclasses.is_dataclass(value) and not isinstance(value, type)
}  # fmt: skip
TABLE = {
    f"{name}.{field.name}": getattr(group, field.name)
    for name, group in GROUPS.items()
    for field in dataclasses.fields(group)
}
# Folders, which rules name whole.
FOLDERS = {name for name, path in TABLE.items() if not Path(path).suffix}
# Written beside the outputs of a rule: a job that finds them missing need not run again.
BESIDE = {"plan.source", "plan.watched", "plan.note", "media.watched"}
# Of these files a run includes one, by its source and by whether it keeps the frames.
SOURCES = ({"source_clips.smk"}, {"source_synthetic.smk"})
FACES = ({"extract.smk", "align.smk"}, {"extract_align.smk"})
WITHOUT_CLIPS = {"source_embeddings.smk"}
# Made only of clips.
NEEDS_CLIPS = {"embed.smk", "damage.smk", "twin_signals.smk", "compare.smk", "rounds.smk"}
# Named in no row of their own: what stands beside every shard is described at once, and so is the making of models.
DESCRIBED_AT_ONCE = re.compile(
    r"(\w+\.(\w+_)?(index|status|provenance)|rebuilt\.\w+|twins\.(?!table)\w+|embed\.\w+|(comparison|rounds)\.history)$"
)


def names_of(doc: str) -> Iterator[str]:
    """Yield the paths that the first column of the table in docs/formats.md names, with braces spelled out."""
    before = ""
    for row in re.findall(r"^\| (`.*?) \| ", doc.partition("\n## ")[0], re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row):
            if name.startswith("."):
                path = str(Path(before).with_suffix(name))
            elif "/" not in name:
                path = f"{before.rpartition('/')[0]}/{name}"
            else:
                path = name
            before = path
            yield from spelled_out(f"results/{path}")


def spelled_out(path: str) -> list[str]:
    """Spell the alternatives of a path out, as ``{all,clean}`` in the documents and as wildcards in the table."""
    for name, values in (("list", "all,clean"), ("modality", "audio,visual"), ("form", ",".join(FORMS))):
        path = path.replace(f"{{{name}}}", f"{{{values}}}")
    pieces = [piece[1:-1].split(",") if "," in piece else [piece] for piece in re.split(r"(\{[^{}]*,[^{}]*\})", path)]
    return ["".join(chosen) for chosen in itertools.product(*pieces)]


def every_form(text: str) -> str:
    """Spell out the rules that a loop over the forms of an export makes."""
    found = re.search(r"^for FORM in W\.forms:\n((?:(?: .*)?\n)+)", text, re.MULTILINE)
    if found is None:
        return text
    rule = textwrap.dedent(found.group(1)).replace("rule:", "rule export_FORM:")
    rule = rule.replace('f"export_{FORM}"', '"export_FORM"')
    rules = [rule.replace("form=FORM", 'form="FORM"').replace("FORM", form) for form in FORMS]
    return text[: found.start()] + "\n".join(rules) + text[found.end() :]


def outputs(text: str) -> Iterator[tuple[str, str]]:
    """Yield each rule of a file of rules with a path of the table that is its output."""
    for rule, body in re.findall(r"^(?:use )?rule (\w+).*?:\n((?:(?: .*)?\n)+)", every_form(text), re.MULTILINE):
        for section in re.findall(r"^    output:\n((?:        .*\n)+)", body, re.MULTILINE):
            for filled, path, name, value in re.findall(r"(P\.of\()?P\.(\w+\.\w+)(?:, (\w+)=\"(\w+)\")?", section):
                paths = [P.of(TABLE[path], **{name: value})] if filled else [TABLE[path]]
                yield from ((rule, each) for each in paths)


@pytest.fixture(scope="module")
def rules(repository: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the outputs of each file of rules."""
    folder = repository / "workflow" / "rules"
    return {file.name: list(outputs(file.read_text(encoding="utf-8"))) for file in sorted(folder.glob("*.smk"))}


def strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the texts of a module that are neither docstrings nor words for a user."""
    told = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            told.add(node.value)
        if isinstance(node, ast.keyword) and node.arg in ("help", "description", "epilog"):
            told.update(ast.walk(node.value))
        if isinstance(node, ast.Raise):
            told.update(ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told:
            yield node


def divided(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield pairs of names that are put together as a path: ``folder / "plan" / "utterances.parquet"``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.left, ast.BinOp):
            left, right = node.left.right, node.right
            if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
                yield str(left.value), str(right.value)


def test_no_other_python_file_spells_a_path_of_the_results(repository: Path) -> None:
    files = [*(repository / "src").rglob("*.py"), *(repository / "workflow").rglob("*.py")]
    assert len(files) > 100
    below = {path.removeprefix("results/") for path in TABLE.values() if path.count("/") > 1}
    tops = {path.split("/")[1] for path in TABLE.values()}
    found = []
    for file in files:
        if file == repository / "src" / "avsieve" / "storage" / "paths.py":
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        name = file.relative_to(repository)
        found += [f"{name}:{s.lineno} {s.value}" for s in strings(tree) if "results/" in s.value or s.value in below]
        found += [f"{name}: {top}/{rest}" for top, rest in divided(tree) if top in tops]
    assert found == []


def test_no_rule_spells_a_path_of_the_results(repository: Path) -> None:
    files = [repository / "workflow" / "Snakefile", *(repository / "workflow" / "rules").glob("*.smk")]
    assert len(files) > 10
    for file in files:
        code = re.sub(r'""".*?"""', "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert [line for line in code.splitlines() if "results/" in line.partition("#")[0]] == [], file.name


def test_the_table_names_no_path_twice_and_every_path_lies_below_the_results() -> None:
    assert max(Counter(TABLE.values()).values()) == 1
    assert all(path.startswith(f"{P.RESULTS}/") for path in TABLE.values())


def test_every_path_has_a_line_that_says_what_it_is(repository: Path) -> None:
    tree = ast.parse((repository / "src" / "avsieve" / "storage" / "paths.py").read_text(encoding="utf-8"))
    for group in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for field, after in itertools.zip_longest(group.body, group.body[1:]):
            if isinstance(field, ast.AnnAssign) and field.target.id != "folder":  # type: ignore[union-attr]
                said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                assert said, f"{group.name}.{field.target.id}"  # type: ignore[union-attr]


def test_the_documents_name_every_path_of_the_table_and_no_other(repository: Path) -> None:
    named = set(names_of((repository / "docs" / "formats.md").read_text(encoding="utf-8")))
    known = {spelled for path in TABLE.values() for spelled in spelled_out(path)}
    assert len(named) > 40
    assert named - known == set()
    exports = set(spelled_out(P.export.summary))  # in the section on exports
    missing = {
        name
        for name, path in TABLE.items()
        if name not in FOLDERS and not DESCRIBED_AT_ONCE.match(name) and not set(spelled_out(path)) <= named | exports
    }
    assert missing == set()


def test_every_path_is_the_output_of_a_rule(rules: dict[str, list[tuple[str, str]]]) -> None:
    made = {spelled for pairs in rules.values() for _, path in pairs for spelled in spelled_out(path)}
    wanted = {
        name: [P.of(path, part=part) for part in ("train", "held")] if "rebuilt/people" in path else spelled_out(path)
        for name, path in TABLE.items()
    }
    made |= {P.of(path, part=part) for path in made if "{part}" in path for part in ("train", "held")}
    unmade = {name for name, paths in wanted.items() if not set(paths) <= made}
    assert unmade == BESIDE | FOLDERS


def test_no_two_rules_of_a_run_make_the_same_file(rules: dict[str, list[tuple[str, str]]]) -> None:
    chosen = {*WITHOUT_CLIPS}.union(*SOURCES, *FACES)
    common = set(rules) - chosen
    runs = [common | source | faces for source in SOURCES for faces in FACES]
    runs.append((common | WITHOUT_CLIPS) - NEEDS_CLIPS)
    for run in runs:
        makers = Counter(spelled for file in run for _, path in rules[file] for spelled in spelled_out(path))
        assert len(makers) > 20
        assert [path for path, count in makers.items() if count > 1] == []


def test_wildcards_are_filled_in_and_others_stay() -> None:
    assert P.of(P.models.fusion, list="all", seed=3) == "results/models/fusion/all/{model}.3.safetensors"
    with pytest.raises(KeyError, match=r"results/plan/utterances\.parquet has no wildcard shard"):
        P.of(P.plan.utterances, shard="000")


def test_a_path_can_lie_in_a_folder_of_results_elsewhere(tmp_path: Path) -> None:
    assert P.below(tmp_path, P.media.index, shard="007") == tmp_path / "media" / "007.parquet"
    assert P.below("run/results", P.BENCHMARKS) == Path("run/results/benchmarks")


def test_logs_and_measurements_lie_by_rule() -> None:
    assert P.log("clean_list") == "results/logs/clean_list.log"
    assert P.log("train_audio_arm", "{list}", "{seed}") == "results/logs/train_audio_arm/{list}.{seed}.log"
    assert P.benchmark("embed_audio", "{shard}") == "results/benchmarks/embed_audio/{shard}.tsv"
    assert P.benchmark("merge_scores") == "results/benchmarks/merge_scores.tsv"


def test_every_rule_logs_and_measures_under_its_own_name(repository: Path) -> None:
    told = []
    for file in (repository / "workflow" / "rules").glob("*.smk"):
        text = every_form(file.read_text(encoding="utf-8"))
        for rule, body in re.findall(r"^(?:use )?rule (?:\w+ as )?(\w+).*?:\n((?:(?: .*)?\n)+)", text, re.MULTILINE):
            told += [(rule, name) for name in re.findall(r"P\.(?:log|benchmark)\(\"(\w+)\"", body)]
    assert len(told) > 40
    assert [(rule, name) for rule, name in told if rule != name] == []
