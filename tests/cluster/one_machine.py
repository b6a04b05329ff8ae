"""A Slurm cluster on this machine: munge, a controller and two nodes with two stub GPUs each, on the loopback.

Debian's packages `slurm-wlm` and `munge`, and root, are all it needs. What it starts it ends, by process id.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
# Here alone: Snakemake's plug-in drops the variables SLURM_* from its jobs, and with them SLURM_CONF.
ETC = Path("/etc/slurm")
FILES = ("slurm.conf", "gres.conf", "cgroup.conf")
MUNGE = Path("/run/munge")
SOCKET = MUNGE / "avsieve-test.socket"
NODES = ("one", "two")
# Device files that every machine has: Slurm counts them, and hands them out one by one.
STUBS = ("/dev/null", "/dev/zero")

SLURM = """\
ClusterName=avsieve-test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={socket}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
SlurmdParameters=config_overrides
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
ReturnToService=2
MinJobAge=3600
KillWait=2
MpiDefault=none
GresTypes=gpu
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=8 RealMemory=64000 Gres=gpu:2
NodeName=two NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=8 RealMemory=64000 Gres=gpu:2
PartitionName=main Nodes=one,two Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Return why there can be no cluster here, "" if there can be."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "starting a Slurm cluster needs root"
    if lacking := [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]:
        return f"no {', '.join(lacking)}: apt-get install slurm-wlm munge"
    if taken := [name for name in FILES if (ETC / name).exists()]:
        return f"{ETC} has a {taken[0]}: another cluster's"
    return ""


def _path() -> str:
    # The daemons lie where not every user's PATH goes.
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@dataclass
class Cluster:
    """A running cluster.

    Parameters
    ----------
    folder
        Its state and the logs of its daemons.
    """

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str) -> None:
        """Start a daemon in the foreground of a process of its own."""
        with (self.folder / f"{command[0]}-{len(self.processes)}.log").open("wb") as log:
            # In a session of its own, for an interrupt of the tests is none of the daemons'.
            self.processes.append(
                subprocess.Popen(
                    command, stdout=log, stderr=log, start_new_session=True, env=os.environ | {"PATH": _path()}
                )
            )

    def ask(self, *command: str) -> str:
        """Return what a command of Slurm's says."""
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    def wait(self, what: str, *command: str, wanted: str, seconds: float = 120.0) -> None:
        """Wait until a command says ``wanted``."""
        until = time.monotonic() + seconds
        while True:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if wanted in done.stdout:
                return
            if time.monotonic() > until:
                logs = "\n".join(p.read_text(errors="replace")[-2000:] for p in sorted(self.folder.glob("*.log")))
                raise AssertionError(f"{what} did not come up:\n{done.stdout}{done.stderr}\n{logs}")
            time.sleep(0.2)

    def job_of(self, words: str, seconds: float = 60.0) -> str:
        """Return the number of a running job whose comment holds ``words``, once there is one."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for line in self.ask("squeue", "--noheader", "--states=RUNNING", "--format=%i %k").splitlines():
                number, _, comment = line.partition(" ")
                if words in comment:
                    return number
            time.sleep(0.1)
        raise AssertionError(f"no job of {words} ran within {seconds} s:\n{self.ask('squeue', '--states=all')}")

    def end(self) -> None:
        """End the daemons, the last one first."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run a cluster; ``missing`` must have found nothing."""
    made_munge = not MUNGE.exists()
    running = Cluster(folder)
    try:
        (folder / "state").mkdir(parents=True)
        host = socket.gethostname().partition(".")[0]
        ETC.mkdir(exist_ok=True)
        (ETC / "slurm.conf").write_text(
            SLURM.format(host=host, socket=SOCKET, folder=folder, ports=_free_ports(1 + len(NODES)))
        )
        (ETC / "gres.conf").write_text("".join(f"Name=gpu File={stub}\n" for stub in STUBS))
        (ETC / "cgroup.conf").write_text("CgroupAutomount=no\n")
        MUNGE.mkdir(exist_ok=True)
        shutil.chown(MUNGE, "munge", "munge")
        own = ["--log-file=" + str(folder / "munged.log"), "--seed-file=" + str(MUNGE / "avsieve-test.seed")]
        own += ["--pid-file=" + str(MUNGE / "avsieve-test.pid"), "--socket=" + str(SOCKET)]
        folder.chmod(0o755)
        (folder / "munged.log").touch()
        shutil.chown(folder / "munged.log", "munge", "munge")
        running.start("runuser", "-u", "munge", "--", "munged", "--foreground", "--force", *own)
        running.wait("munge", "munge", f"--socket={SOCKET}", "--no-input", wanted="MUNGE:")
        running.start("slurmctld", "-D")
        for node in NODES:
            (folder / f"spool-{node}").mkdir()
            running.start("slurmd", "-D", "-N", node)
        running.wait("Slurm", "sinfo", "--noheader", "--states=idle", "--format=%D", wanted=str(len(NODES)))
        yield running
    finally:
        running.end()
        for name in FILES:
            (ETC / name).unlink(missing_ok=True)
        for path in MUNGE.glob("avsieve-test.*"):
            path.unlink()
        if made_munge:
            MUNGE.rmdir()
