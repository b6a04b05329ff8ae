"""The folder that a run works in: space, files, memory, rights, locks, and how the shards divide the work."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.doctor.costs import Cost, existing, totals
from avsieve.doctor.formatting import in_words, two_digits
from avsieve.runtime.scratch import file_system
from avsieve.sources.findings import Finding
from avsieve.storage import paths as P

if TYPE_CHECKING:
    from avsieve.config.model import Config

RESULTS = Path(P.RESULTS)
LOCKS = Path(".snakemake/locks")
MEMORY = Path("/proc/meminfo")
NETWORKED = ("nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "fuse.sshfs", "9p")
# Of a worker with its networks, and of the table of the evidence that `clean_list` holds.
WORKER_GB, UTTERANCE_GB = 0.6, 1.5e-6
UTTERANCES_A_SHARD = 4000


def check_disk(config: Config, costs: list[Cost], utterances: int | None, cores: int) -> list[Finding]:
    """Look at space, inodes, memory, rights, locks and shards."""
    sums = totals(costs, cores)
    findings = _place(RESULTS, "results", sums["results_gb"], 40 * config.shards)
    store = config.source.contract.store
    if store is not None:
        files = sum(cost.files for cost in costs if cost.place == "store")
        findings += _place(Path(store), "store", sums["store_gb"], files)
    findings += _memory(utterances, cores)
    if LOCKS.is_dir() and any(LOCKS.iterdir()):
        findings.append(
            Finding("error", "lock", f"{LOCKS} holds a lock: a run is in progress here, or one was killed",
                    "if none is running: snakemake --unlock")
        )  # fmt: skip
    return findings + _shards(config.shards, utterances, costs)


def _place(path: Path, name: str, gb: float, files: int) -> list[Finding]:
    at = existing(path)
    findings = []
    if not os.access(at, os.W_OK):
        findings.append(Finding("error", name, f"{at} cannot be written to", "run elsewhere, or fix its permissions"))
    free = shutil.disk_usage(at).free / 1e9
    kind = file_system(at)
    where = f"{path}/ ({kind})" if kind else f"{path}/"
    wanted = f"about {two_digits(gb)} GB wanted for the whole run" if gb else "how much is wanted is not known"
    text = f"{where}: {two_digits(free)} GB free, {wanted}"
    made = _made_gb(path) if gb > 0.8 * free else 0.0
    if gb - made > free:
        findings.append(Finding("error", name, text, "free some space, or run where there is more"))
    elif gb - made > 0.8 * free:
        findings.append(Finding("warning", name, f"{text}: the estimate may be 20 % too low", "free some space"))
    else:
        findings.append(Finding("ok", name, text))
    inodes = os.statvfs(at).f_favail
    if 0 < inodes < files:
        text = f"{inodes:,} files can still be made at {at}, {files:,} are wanted"
        findings.append(Finding("error", name, text, "use a file system with more inodes"))
    if kind in NETWORKED:
        text = f"{at} is on {kind}: Snakemake sees other machines' files late"
        findings.append(Finding("note", name, text, "give --latency-wait 60 on a cluster"))
    if kind == "tmpfs":
        remedy = "run on a disk: results here use memory, and are lost with it"
        findings.append(Finding("warning", name, f"{at} is in memory (tmpfs)", remedy))
    return findings


def _made_gb(path: Path) -> float:
    """Return what an earlier run has left there already."""
    if not path.is_dir():
        return 0.0
    return sum(f.stat().st_size for f in path.glob("*/*") if f.is_file()) / 1e9


def _memory(utterances: int | None, cores: int) -> list[Finding]:
    try:
        lines = MEMORY.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    fields = {line.split(":")[0]: line.split(":")[1].split()[0] for line in lines if ":" in line}
    if not fields.get("MemAvailable", "").isdigit():
        return []
    free = int(fields["MemAvailable"]) * 1024 / 1e9
    wanted = max(cores * WORKER_GB, (utterances or 0) * UTTERANCE_GB)
    text = f"{two_digits(free)} GB free, about {two_digits(wanted)} GB wanted for {cores} core{'s' * (cores != 1)}"
    if wanted > free:
        return [Finding("warning", "memory", text, f"run fewer jobs: --cores {max(1, int(free / WORKER_GB))}")]
    return [Finding("ok", "memory", text)]


def _shards(shards: int, utterances: int | None, costs: list[Cost]) -> list[Finding]:
    """Advise on the number of shards: a job should be neither moments nor days."""
    if not utterances:
        return []
    each = utterances / shards
    longest = max((cost.job_h for cost in costs if cost.jobs == shards), default=0.0)
    text = f"{shards} shards of about {two_digits(each)} utterances; the longest job about {in_words(longest)}"
    advised = min(1000, max(1, round(utterances / UTTERANCES_A_SHARD)))
    if each > 4 * UTTERANCES_A_SHARD and shards < 1000:
        return [
            Finding(
                "warning", "shards", text, f"set shards to about {advised}: a failed job is repeated from the start"
            )
        ]
    if shards > 8 and each < UTTERANCES_A_SHARD / 40:
        return [Finding("note", "shards", text, f"{advised} would be enough; each job starts by loading its models")]
    return [Finding("ok", "shards", text)]
