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
from avsieve.runtime.code_digest import PACKAGE, is_neutral
from avsieve.runtime.code_facts import CodeFacts, Import


class Library:
    """The modules of the library, and what they import.

    Parameters
    ----------
    src
        The folder that holds the package ``avsieve``.
    kept
        As in `avsieve.runtime.code_facts.CodeFacts`.
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
    hashes = {name: library.facts.of(files[name]).hash for name in sorted(files) if not is_neutral(name)}
    return [f"{name} {value}" for name, value in hashes.items() if value]
