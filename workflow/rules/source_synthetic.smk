"""The embedded corpus.

INPUTS: none.
OUTPUTS: results/plan, results/media (tars of mp4 files and their index), results/truth (no stage reads it).
"""


rule plan_shards:
    """List the utterances and give each a shard."""
    output:
        plan=P.plan.utterances,
        shards=expand(P.plan.shard, shard=W.shards),
        speakers=P.plan.speakers,
        truth=P.truth.table,
    log:
        P.log("plan_shards"),
    benchmark:
        P.benchmark("plan_shards")
    conda:
        W.env("core")
    resources:
        **W.needs("plan_shards"),
    params:
        *W.code("plan_shards", W.source.modules["plan"]),
        source=flags(W.source.settings),
        shards=W.config.shards,
        folder=lambda wildcards: W.at(P.plan.shards),
    message:
        "Planning the embedded corpus"
    shell:
        "python $AVSIEVE_SCRIPTS/plan_shards.py synthetic --shards {params.shards} {params.source} --holdout 0 --holdout-seed 0"
        " --out {output.plan} --shard-dir {params.folder} --speakers-table {output.speakers}"
        " --truth {output.truth} > {log} 2>&1"


rule fetch_media:
    """Render the clips of a shard."""
    input:
        plan=P.plan.shard,
    output:
        index=P.media.index,
        status=P.media.status,
        tar=P.media.clips,
        tar_index=P.media.clips_index,
    log:
        P.log("fetch_media", "{shard}"),
    benchmark:
        P.benchmark("fetch_media", "{shard}")
    conda:
        W.env("media")
    resources:
        **W.needs("fetch_media"),
    params:
        *W.code("fetch_media", W.source.modules["fetch"]),
        source=flags(W.source.settings),
        max_failed=W.config.max_failed,
    message:
        "Rendering the people of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/fetch_media.py synthetic --plan {input.plan} {params.source} --tar {output.tar}"
        " --index {output.index} --status {output.status} --max-failed {params.max_failed} > {log} 2>&1"
