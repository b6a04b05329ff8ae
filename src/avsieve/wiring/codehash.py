"""Hash the code that a rule runs, so that an edit reruns exactly the stages it concerns.

Snakemake notices neither an edit in an imported module nor one in a script that a ``shell:`` line calls. Each rule
therefore carries the hashes of its script and of the library modules that the script imports, directly or through other
modules of the library, each with its name, so that a reason to run again names the module. What is hashed is the syntax
tree without positions and docstrings: comments, docstrings, formatting, file times and branch switches change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.wiring.code_facts import CodeFacts, Import

PACKAGE = "avsieve"
# What these do shows on a terminal or in a log, or decides which of several GPUs computes, and shows in no output: an
# edit of them reruns nothing.
NEUTRAL = {
    f"{PACKAGE}.errors",
    f"{PACKAGE}.registry",
    # Where files of a run lie is an input, an output or a param of each rule.
    f"{PACKAGE}.storage.paths",
    *(f"{PACKAGE}.runtime.{name}" for name in ("gpus", "options", "progress", "scripting", "terminal")),
}
# Settings describe keys and bound them, contracts tell the rules of a plug-in, and registries name the plug-ins. Their
# values reach a script as options, which are params of its rule; the rules hash the code of what is chosen by name.
NEUTRAL_NAMES = {"settings", "contract", "registry"}
NEUTRAL_PACKAGES = (f"{PACKAGE}.config",)


class Library:
    """The modules of the library, and what they import.

    Parameters
    ----------
    src
        The folder that holds the package ``avsieve``.
    kept
        As in `avsieve.wiring.code_facts.CodeFacts`.
    """

    def __init__(self, src: Path, kept: Path | None = None) -> None:
        self.src = src
        self.facts = CodeFacts(kept)
        self._files: dict[str, Path | None] = {}
        self._imports: dict[str, list[str]] = {}

    def file(self, module: str) -> Path | None:
        """Return the file of a module, None for what is none of the library's."""
        if module not in self._files:
            base = self.src.joinpath(*module.split("."))
            places = (base.with_suffix(".py"), base / "__init__.py") if module.split(".")[0] == PACKAGE else ()
            self._files[module] = next((path for path in places if path.is_file()), None)
        return self._files[module]

    def imports(self, module: str, path: Path) -> list[str]:
        """Return the modules of the library that a file imports, and the packages that hold it."""
        if module not in self._imports:
            package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
            names = {name for found in self.facts.of(path).imports for name in _imported(found, package)}
            if "." in module:
                names.add(module.rpartition(".")[0])  # importing a module runs its packages
            # Who imports a function or a class imports the module before the last dot.
            self._imports[module] = sorted(name for name in names if self.file(name) is not None)
        return self._imports[module]


def _imported(found: Import, package: list[str]) -> Iterator[str]:
    """Yield the modules that an import in a package may load."""
    base = found.module
    if found.level:
        parts = package[: len(package) - found.level + 1]
        base = ".".join([*parts, base] if base else parts)
    yield base
    yield from (f"{base}.{name}" for name in found.names)


def modules_of(script: Path, library: Library, also: Iterable[str] = ()) -> dict[str, Path]:
    """Return the library modules that ``script`` imports, transitively, with the packages they lie in.

    ``also`` names modules that the script loads by name, such as the source or the network that the config chooses.

    Raises
    ------
    AvsieveError
        If a module of ``also`` does not exist.
    """
    found: dict[str, Path] = {}
    for name in also:
        if library.file(name) is None:
            raise AvsieveError(
                f"{script.name}: no module {name} under {library.src}; fix the rule or the registry that names it"
            )
    # A script is no module: what others call it by is its own path.
    queue = [*also, *library.imports(str(script), script)]
    while queue:
        module = queue.pop()
        if module in found:
            continue
        path = library.file(module)
        if path is not None:
            found[module] = path
            queue.extend(library.imports(module, path))
    return found


def _is_neutral(module: str) -> bool:
    """Tell whether an edit of a module changes nothing that a stage writes."""
    within = any(module == package or module.startswith(f"{package}.") for package in NEUTRAL_PACKAGES)
    return module in NEUTRAL or within or module.rpartition(".")[2] in NEUTRAL_NAMES


def code_hashes(script: Path, library: Library, also: Iterable[str] = ()) -> list[str]:
    """Return a line for ``script`` and for each library module that it imports: its name and a hash of its code.

    As params of a rule, one each, they let Snakemake name what has changed: it shows those that differ. Modules without
    any code are left out.

    Parameters
    ----------
    script
        A command line in ``workflow/scripts``.
    library
        Where its modules lie.
    also
        Modules that the script loads by name.

    Raises
    ------
    AvsieveError
        If a file does not parse.
    """
    files = {script.name: script, **modules_of(script, library, also)}
    hashes = {name: library.facts.of(files[name]).hash for name in sorted(files) if not _is_neutral(name)}
    return [f"{name} {value}" for name, value in hashes.items() if value]
