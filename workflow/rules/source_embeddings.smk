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
        plan=P.plan.utterances,
        shards=expand(P.plan.shard, shard=W.shards),
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
        "Planning the shards"
    shell:
        "python $AVSIEVE_SCRIPTS/plan_shards.py {params.kind} --shards {params.shards} {params.source} {params.holdout}"
        " --out {output.plan} --shard-dir {params.folder} > {log} 2>&1"


rule split_embeddings:
    """Split the tables of a modality into shards."""
    input:
        lambda wildcards: brought(W.source.table_files(wildcards.modality)),
        plan=P.plan.utterances,
    output:
        embeddings=expand(P.embed.embeddings, shard=W.shards, allow_missing=True),
        status=expand(P.embed.status, shard=W.shards, allow_missing=True),
        provenance=expand(P.embed.provenance, shard=W.shards, allow_missing=True),
    log:
        P.log("split_embeddings", "{modality}"),
    benchmark:
        P.benchmark("split_embeddings", "{modality}")
    conda:
        W.env("core")
    resources:
        **W.needs("split_embeddings"),
    params:
        *W.code("split_embeddings"),
        tables=lambda wildcards: flags(W.source.table_settings(wildcards.modality)),
        content=lambda wildcards: W.watch.files(
            "tables", W.source.table_files(wildcards.modality)
        )(wildcards),
        folders=lambda wildcards: W.source.folder_state(wildcards.modality),
        shards=W.config.shards,
        folder=lambda wildcards: W.at(P.of(P.embed.folder, modality=wildcards.modality)),
        max_failed=W.config.max_failed,
    message:
        "Splitting the embeddings: {wildcards.modality}"
    shell:
        "python $AVSIEVE_SCRIPTS/split_embeddings.py --plan {input.plan} --modality {wildcards.modality}"
        " {params.tables} --shards {params.shards} --max-failed {params.max_failed}"
        " --out {params.folder} > {log} 2>&1"


rule split_segments:
    """Split the tables of segments into shards, in the order of time."""
    input:
        brought(W.source.sequence_files("audio")),
        plan=P.plan.utterances,
    output:
        sequences=expand(P.embed.segments, shard=W.shards),
        provenance=expand(P.embed.segments_provenance, shard=W.shards),
    log:
        P.log("split_segments"),
    benchmark:
        P.benchmark("split_segments")
    conda:
        W.env("core")
    resources:
        **W.needs("split_segments"),
    params:
        *W.code("split_segments"),
        tables=flags(W.source.sequence_settings("audio")),
        content=W.watch.files("tables", W.source.sequence_files("audio")),
        shards=W.config.shards,
        folder=lambda wildcards: W.at(P.of(P.embed.folder, modality="audio")),
    message:
        "Splitting the embeddings of segments"
    shell:
        "python $AVSIEVE_SCRIPTS/split_segments.py --plan {input.plan} {params.tables} --shards {params.shards}"
        " --out {params.folder} > {log} 2>&1"


use rule split_segments as split_frames with:
    input:
        brought(W.source.sequence_files("visual")),
        plan=P.plan.utterances,
    output:
        sequences=expand(P.embed.frames, shard=W.shards),
        provenance=expand(P.embed.frames_provenance, shard=W.shards),
    log:
        P.log("split_frames"),
    benchmark:
        P.benchmark("split_frames")
    params:
        tables=flags(W.source.sequence_settings("visual")),
        content=W.watch.files("tables", W.source.sequence_files("visual")),
        folder=lambda wildcards: W.at(P.of(P.embed.folder, modality="visual")),
    message:
        "Splitting the embeddings of faces"


rule compare_lists:
    """Not with this source: say so, rather than that nothing makes it."""
    input:
        W.source.need_media("compare_lists", []),
    localrule: True
