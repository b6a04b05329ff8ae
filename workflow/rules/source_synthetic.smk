"""The embedded corpus.

INPUTS: none.
OUTPUTS: results/plan, results/media (tars of mp4 files and their index), results/truth (no stage reads it).
"""


rule plan_shards:
    """List the utterances and give each a shard."""
    output:
        plan="results/plan/utterances.parquet",
        shards=expand("results/plan/shards/{shard}.parquet", shard=W.shards),
        speakers="results/plan/speakers.csv",
        truth="results/truth/truth.csv",
    log:
        "results/logs/plan_shards.log",
    benchmark:
        "results/benchmarks/plan_shards.tsv"
    conda:
        W.env("core")
    params:
        *W.code("plan_shards", W.source.modules["plan"]),
        source=flags(W.source.settings),
        shards=W.config.shards,
        folder=lambda wildcards: W.at("results/plan/shards"),
    message:
        "Planning the embedded corpus"
    shell:
        "python $AVSIEVE_SCRIPTS/plan_shards.py synthetic --shards {params.shards} {params.source}"
        " --out {output.plan} --shard-dir {params.folder} --speakers-table {output.speakers}"
        " --truth {output.truth} > {log} 2>&1"


rule fetch_media:
    """Render the clips of a shard."""
    input:
        plan="results/plan/shards/{shard}.parquet",
    output:
        index="results/media/{shard}.parquet",
        status="results/media/{shard}.status.parquet",
        tar="results/media/{shard}.clips.tar",
        tar_index="results/media/{shard}.clips.parquet",
    log:
        "results/logs/fetch_media/{shard}.log",
    benchmark:
        "results/benchmarks/fetch_media/{shard}.tsv"
    conda:
        W.env("media")
    params:
        *W.code("fetch_media", W.source.modules["fetch"]),
        source=flags(W.source.settings),
        max_failed=W.config.max_failed,
    message:
        "Rendering the people of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/fetch_media.py synthetic --plan {input.plan} {params.source} --tar {output.tar}"
        " --index {output.index} --status {output.status} --max-failed {params.max_failed} > {log} 2>&1"
