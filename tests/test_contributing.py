from __future__ import annotations

import re
from pathlib import Path

WISHES = (
    "a source",
    "an encoder",
    "a fusion model",
    "a cleansing method",
    "a kind of damage",
    "a metric",
    "a column in the cleansed list",
    "a report figure",
    "an export form",
    "a CLI verb",
    "a simulated world",
    "a reason code",
)


def guide(repository: Path) -> str:
    return (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")


def named_files(text: str) -> set[str]:
    """Return the paths below the checkout that a text names in code."""
    tops = r"(?:src|workflow|docs|tests|config|benchmarks)"
    return set(re.findall(rf"`({tops}/[\w./-]+)`", text))


def recipes(repository: Path) -> dict[str, str]:
    """Return the rows of the table of recipes by what they add."""
    table = guide(repository).partition("\n| to add | files |\n")[2].partition("\n\n")[0]
    rows = [row.strip("|").split("|", 1) for row in table.splitlines()[1:]]
    return {added.strip(): files for added, files in rows}


def test_every_file_that_the_guide_names_is_there(repository: Path) -> None:
    names = named_files(guide(repository))
    assert len(names) > 25
    assert [name for name in sorted(names) if not (repository / name).exists()] == []


def test_every_package_is_in_the_table_of_packages(repository: Path) -> None:
    table = guide(repository).partition("\n| package | contents |\n")[2].partition("\n\n")[0]
    source = repository / "src" / "avsieve"
    packages = {path.parent.name for path in source.glob("*/__init__.py")}
    assert set(re.findall(r"`(\w+)/`", "\n".join(row.split("|")[1] for row in table.splitlines()[1:]))) == packages
    modules = {path.stem for path in source.glob("*.py") if not path.stem.startswith("__")}
    assert set(re.findall(r"`(\w+)`", table.splitlines()[-1].split("|")[1])) == modules


def test_every_registry_of_plug_ins_is_in_the_guide(repository: Path) -> None:
    names = named_files(guide(repository))
    source = repository / "src" / "avsieve"
    registries = {
        path.relative_to(repository).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"^\w+(?:: Registry\[.*\])? = Registry\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(registries) >= 7
    assert registries <= names


def test_every_kind_of_addition_has_a_recipe(repository: Path) -> None:
    assert [wish for wish in WISHES if wish not in recipes(repository)] == []


def test_every_recipe_of_the_guide_touches_at_most_four_files(repository: Path) -> None:
    rows = recipes(repository)
    assert len(rows) >= len(WISHES)
    for added, row in rows.items():
        files = [name for name in named_files(row) if not name.startswith(("docs/", "tests/", "workflow/"))]
        assert 1 <= len(files) <= 4, added
