"""A folder of clips in VoxCeleb2's layout.

INPUTS: the folders and the list that the configuration names under source.tree.
OUTPUTS: results/plan, results/media (where each clip lies; clips are not copied).
"""


rule plan_shards:
    """List the utterances and give each a shard."""
    input:
        list=W.train_list,
    output:
        plan="results/plan/utterances.parquet",
        shards=expand("results/plan/shards/{shard}.parquet", shard=W.shards),
    log:
        "results/logs/plan_shards.log",
    benchmark:
        "results/benchmarks/plan_shards.tsv"
    conda:
        W.env("core")
    params:
        code=W.code("plan_shards", "avsieve.sources.tree.plan"),
        source=flags(W.config.source.tree),
        shards=W.config.shards,
        holdout=flags(W.holdout),
    message:
        "Planning: one shard a job"
    shell:
        "python $AVSIEVE_SCRIPTS/plan_shards.py tree --shards {params.shards} {params.source} {params.holdout}"
        " --out {output.plan} --shard-dir results/plan/shards > {log} 2>&1"


rule fetch_media:
    """Find the clips of a shard."""
    input:
        plan="results/plan/shards/{shard}.parquet",
    output:
        index="results/media/{shard}.parquet",
        status="results/media/{shard}.status.parquet",
    log:
        "results/logs/fetch_media/{shard}.log",
    benchmark:
        "results/benchmarks/fetch_media/{shard}.tsv"
    conda:
        W.env("media")
    params:
        code=W.code("fetch_media", "avsieve.sources.tree.fetch"),
        source=flags(W.config.source.tree, leave=["train_list"]),
        max_failed=W.config.max_failed,
    message:
        "Finding the clips of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/fetch_media.py tree --plan {input.plan} {params.source}"
        " --index {output.index} --status {output.status} --max-failed {params.max_failed} > {log} 2>&1"
