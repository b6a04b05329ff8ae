"""What all rules share: the checked configuration and the prefix of every command."""

sys.path.insert(0, str(Path(workflow.basedir).parent / "src"))

from avsieve.errors import AvsieveError
from avsieve.workflow import Wiring, flags, shell_prefix
from avsieve.workflow_watch import PLAN_WATCH

try:
    W = Wiring(config, workflow.basedir)
except AvsieveError as error:
    raise WorkflowError(str(error)) from None

shell.executable("bash")
shell.prefix(
    shell_prefix(
        W.src,
        W.scripts,
        own_environments=bool(workflow.deployment_settings.deployment_method),
    )
)

# As many GPUs as one training takes, unless the command line or a profile says otherwise; `--resources` for anything
# else would drop a profile's.
workflow.global_resources.setdefault("gpu", W.config.training.devices)
# Shards that download at a time: limits of requests and bytes a second hold for each shard.
workflow.global_resources.setdefault("network", 1)


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
