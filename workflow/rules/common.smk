"""What all rules share: the checked configuration and the prefix of every command."""

# Of another version of this workflow, imported beside it: each has its own.
for name in [name for name in sys.modules if name.partition(".")[0] == "avsieve"]:
    if ROOT / "src" not in Path(sys.modules[name].__file__ or "").parents:
        del sys.modules[name]
sys.path.insert(0, str(ROOT / "src"))

from snakemake.io import local
from snakemake.ioflags import before_update, update
from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

from avsieve.config.cleansing import ROUND_KEYS
from avsieve.errors import AvsieveError
from avsieve.storage.stale_shards import told
from avsieve.sources.source_note import refuse_other_source
from avsieve.wiring.flags import flags, shell_prefix
from avsieve.wiring.rules import Wiring
from avsieve.wiring.checks import (
    need_conda,
    need_gpu,
    need_plain_folder,
    need_source,
)
from avsieve.wiring.launch import training_threads
from avsieve.wiring.names import ALIASES, plain
from avsieve.storage import paths as P

OWN_ENVIRONMENTS = (
    DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
)


# Asked while rules are evaluated, when the modifier is that of the importer: the module's own is kept from here on.
PATHS = workflow.modifier.path_modifier if IMPORTED else None


def while_it_runs(path, paths=PATHS):
    """Return where a job finds a path of the results: as it is, or, where a storage provider holds them, its copy."""
    path = paths.replace_prefix(path) if paths is not None else path
    provider = workflow.storage_registry.default_storage_provider
    if provider is None:
        return path
    query = os.path.join(workflow.storage_settings.default_storage_prefix, path)
    copy = provider.object(query).local_path()
    return os.path.join(copy, "") if path.endswith("/") else str(copy)


try:
    need_plain_folder()
    if OWN_ENVIRONMENTS:
        need_conda()
    W = Wiring(
        config,
        ROOT / "workflow",
        moved=while_it_runs,
        given=lambda path: local(plain(path)),
        # Read as it lies there, whatever makes it anew: what waits for a job is not asked whether it changed itself.
        kept=lambda path: ancient(before_update(path)),
        written=update,
        code_kept=ALIASES / "code.jsonl",
        ahead=workflow.is_main_process,
    )
    refuse_other_source(W.at.results, W.source.contract.note())
    if workflow.is_main_process and not IMPORTED:
        # An importer's rules may bring the data. Once planned, a run may lack them: what was made of them is there.
        if not Path(W.at(P.plan.utterances)).exists():
            need_source(W.config)
        # Without --cores the jobs run elsewhere, or none runs (--unlock).
        if workflow.resource_settings.cores and not workflow.resource_settings.nodes:
            need_gpu(W.config)
except AvsieveError as error:
    raise WorkflowError(str(error)) from None

if workflow.is_main_process and (words := told(W.at.results, W.config.shards)):
    logger.warning(words)


class shell(shell):
    """The commands of this workflow; those of an importer keep their own shell and prefix."""

    _process_args = dict(shell._process_args)


shell.executable("bash")
shell.prefix(
    shell_prefix(W.src, W.scripts, W.at.results, own_environments=OWN_ENVIRONMENTS)
)

if not IMPORTED:
    # As many GPUs as one training takes, unless the command line or a profile says otherwise; `--resources` for
    # anything else would drop a profile's. An importer's own jobs may take more.
    workflow.global_resources.setdefault("gpu", W.training["gpu"] or 1)
if not IMPORTED or W.source.network:
    # Shards that download at a time: limits of requests and bytes a second hold for each shard.
    workflow.global_resources.setdefault("network", 1)


def forcing(target, *names):
    """Return an input of a stage's target that is no file: where the target is forced, so are the stage's rules."""

    def force(wildcards):
        forced = workflow.dag.forcerules
        own = getattr(rules, target).rule
        if own in forced:
            forced.update(
                getattr(rules, name).rule for name in names if rules.has(name)
            )
        return []

    return force


def brought(paths):
    """Inputs: the user's own files are told by their content, in `params` (`W.watch.files`), not by their time."""
    return [ancient(path) if W.watch.is_own(path) else path for path in paths]


wildcard_constraints:
    shard=r"\d+",
    list="all|clean",
    seed=r"\d+",
    part="train|held",


onerror:
    sys.stderr.write(
        "\nA job failed: its log is named above. After a crash: `snakemake --unlock`, then run again; "
        "finished work is kept.\n"
    )
