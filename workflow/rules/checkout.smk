"""Where this workflow lies on the disk: ROOT, the folder that holds workflow/, src/ and config/.

The rules call scripts, and those import the library, so both must be files. Imported as a module from git
(`gitfile(...)`, `github(...)`), a workflow has no folder: the tree of its commit is then unpacked once into Snakemake's
cache of sources.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

from snakemake.sourcecache import HostingProviderFile, LocalGitFile


def git(repository, *arguments):
    """Return what git says, or stop with one line."""
    command = ["git", "-C", str(repository), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorkflowError(f"{shlex.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


def unpacked(repository, ref, folder):
    """Return where the tree of a commit lies, which is unpacked when it is not there yet.

    Parameters
    ----------
    folder
        That of the workflow's project in the repository, "." for the repository itself.
    """
    commit = git(repository, "rev-parse", "--verify", f"{ref}^{{commit}}")
    tree = commit if folder == "." else f"{commit}:{folder}"
    name = commit if folder == "." else f"{commit}-{'-'.join(Path(folder).parts)}"
    target = workflow.sourcecache.cache_path / "avsieve" / name
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            packed, whole = Path(work) / "tree.tar", Path(work) / "tree"
            git(
                repository,
                "archive",
                f"--output={packed}",
                tree,
                "src",
                "workflow",
                "config",
            )
            whole.mkdir()
            subprocess.run(["tar", "-xf", packed, "-C", whole], check=True)
            try:
                # In one step, so that it is whole or absent; who comes second finds it there.
                os.rename(whole, target)
            except OSError:
                if not target.is_dir():
                    raise
    return target


def project_folder(here):
    """Return the folder of the project, from the source file of this folder of rules."""
    if isinstance(here, LocalGitFile):
        folder = str(PurePosixPath(here.path).parent.parent)
        return unpacked(here.repo_path, here.ref, folder)
    if isinstance(here, HostingProviderFile):
        # Files of a tag may come from the cache without its repository, which is cloned here.
        if problem := here.join("checkout.smk").fetch_if_required():
            raise WorkflowError(f"{here}: {problem}")
        folder = str(PurePosixPath(here.path).parent.parent)
        return unpacked(here.hosted_repo.repo_clone, here.ref, folder)
    return Path(here.get_path_or_uri(secret_free=True)).parent.parent


ROOT = project_folder(workflow.current_basedir)
# Importers have rules and resources of their own, which the settings of this workflow must not touch.
IMPORTED = not workflow.modifier.is_main_snakefile()
