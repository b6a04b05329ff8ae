"""Embeddings made elsewhere: nothing is fetched, decoded, aligned or embedded.

INPUTS: the training list and the tables of embeddings that the configuration names.
OUTPUTS: results/plan, results/embed_audio, results/embed_visual, as the encoders would have left them.
"""


wildcard_constraints:
    modality="audio|visual",


rule plan_shards:
    """List the utterances and give each a shard."""
    input:
        lists=brought(W.source.plan_files),
        audio=brought(W.source.table_files("audio", only_test=True)),
        visual=brought(W.source.table_files("visual", only_test=True)),
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
        *W.code("plan_shards", W.source.modules["plan"]),
        kind=W.source.kind,
        source=flags(W.source.settings),
        shards=W.config.shards,
        folder=lambda wildcards: W.at("results/plan/shards"),
        holdout=flags(W.holdout),
        lists=W.watch.files("lists", W.source.plan_files),
        tables=W.watch.files(
            "tables",
            [
                path
                for modality in ("audio", "visual")
                for path in W.source.table_files(modality, only_test=True)
            ],
        ),
        folders=lambda wildcards: W.source.folder_state(
            "audio", "visual", only_test=True
        ),
    message:
        "Planning: one shard a job"
    shell:
        "python $AVSIEVE_SCRIPTS/plan_shards.py {params.kind} --shards {params.shards} {params.source} {params.holdout}"
        " --out {output.plan} --shard-dir {params.folder} > {log} 2>&1"


rule split_embeddings:
    """Split the tables of a modality into shards."""
    input:
        lambda wildcards: brought(W.source.table_files(wildcards.modality)),
        plan="results/plan/utterances.parquet",
    output:
        embeddings=expand("results/embed_{{modality}}/{shard}.parquet", shard=W.shards),
        status=expand(
            "results/embed_{{modality}}/{shard}.status.parquet", shard=W.shards
        ),
        provenance=expand("results/embed_{{modality}}/{shard}.json", shard=W.shards),
    log:
        "results/logs/split_embeddings/{modality}.log",
    benchmark:
        "results/benchmarks/split_embeddings/{modality}.tsv"
    conda:
        W.env("core")
    params:
        *W.code("split_embeddings"),
        tables=lambda wildcards: flags(W.source.table_settings(wildcards.modality)),
        content=lambda wildcards: W.watch.files(
            "tables", W.source.table_files(wildcards.modality)
        )(wildcards),
        folders=lambda wildcards: W.source.folder_state(wildcards.modality),
        shards=W.config.shards,
        folder=lambda wildcards: W.at(f"results/embed_{wildcards.modality}"),
        max_failed=W.config.max_failed,
    message:
        "Splitting the embeddings: {wildcards.modality}"
    shell:
        "python $AVSIEVE_SCRIPTS/split_embeddings.py --plan {input.plan} --modality {wildcards.modality}"
        " {params.tables} --shards {params.shards} --max-failed {params.max_failed}"
        " --out {params.folder} > {log} 2>&1"


rule compare_lists:
    """Not with this source: say so, rather than that nothing makes it."""
    input:
        W.source.need_media("compare_lists", []),
    localrule: True
