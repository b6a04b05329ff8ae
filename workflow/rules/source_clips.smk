"""Clips of the user's: a tree, archives, URLs, VoxCeleb's track files, or face images.

INPUTS: what the configuration names in the block of its source.
OUTPUTS: results/plan, results/media (where each clip lies). Clips are not copied; what is downloaded lies in the store.
"""


rule plan_shards:
    """List the utterances and give each a shard."""
    input:
        lists=brought(W.source.plan_files),
    output:
        plan=P.plan.utterances,
        shards=W.planned.shards_to_write(expand(P.plan.shard, shard=W.shards)),
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
        kind=W.source.kind,
        source=flags(W.source.settings, leave=W.source.leave_in_plan),
        shards=W.config.shards,
        folder=lambda wildcards: W.at(P.plan.shards),
        holdout=flags(W.holdout),
        lists=W.watch.files("lists", W.source.plan_files),
        clips=W.watch.plan,
        watch=flags({"watch_list": W.watch.plan_list}),
        note=flags({"note": W.at(P.plan.note)}),
        key=W.planned.key,
        of_all=W.planned.of_all,
    message:
        "Planning the shards"
    shell:
        "python $AVSIEVE_SCRIPTS/plan_shards.py {params.kind} --shards {params.shards} {params.source} {params.holdout}"
        " --out {output.plan} --shard-dir {params.folder} {params.watch} --watched {params.clips:q}"
        " {params.note} --key {params.key} {params.of_all} > {log} 2>&1"


rule fetch_media:
    """Find the clips of a shard, or download them."""
    input:
        plan=W.planned.shard,
    output:
        index=P.media.index,
        status=P.media.status,
    log:
        P.log("fetch_media", "{shard}"),
    benchmark:
        P.benchmark("fetch_media", "{shard}")
    conda:
        W.env("media")
    resources:
        **W.needs("fetch_media"),
        network=W.source.network,
    params:
        *W.code("fetch_media", W.source.modules["fetch"]),
        kind=W.source.kind,
        # A function, since braces in it (`{video}` of an address) are no wildcards.
        source=lambda wildcards: flags(W.source.settings, leave=W.source.leave_in_fetch),
        max_failed=W.config.max_failed,
        utterances=W.planned.told,
        clips=W.watch.fetch,
        watch=lambda wildcards: flags(W.watch.options(wildcards.shard)),
    message:
        "Locating or downloading the clips of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/fetch_media.py {params.kind} --plan {input.plan} {params.source}"
        " --index {output.index} --status {output.status} --max-failed {params.max_failed}"
        " {params.watch} --watched {params.clips:q} > {log} 2>&1"
