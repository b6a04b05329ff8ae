"""The decision: which labels are wrong. Another method, policy or threshold reruns only this and what follows.

INPUTS: results/scores/scores.parquet.
OUTPUTS: results/lists: train_all.txt, train_all_clean.txt, train_clean.txt, train_clean_audio.txt,
train_clean_visual.txt, decisions.parquet, summary.json.
"""


rule list_utterances:
    """Write the list of all utterances, as the user gave it or with the lengths of the media."""
    input:
        plan="results/plan/utterances.parquet",
        durations=W.durations,
    output:
        "results/lists/train_all.txt",
    log:
        "results/logs/list_utterances.log",
    benchmark:
        "results/benchmarks/list_utterances.tsv"
    conda:
        W.env("core")
    params:
        *W.code("list_utterances"),
    message:
        "Listing the utterances"
    shell:
        "python $AVSIEVE_SCRIPTS/list_utterances.py --plan {input.plan} --durations {input.durations} --out {output}"
        " > {log} 2>&1"


rule clean_list:
    """Decide over the evidence and write the lists."""
    input:
        all="results/lists/train_all.txt",
        scores="results/scores/scores.parquet",
    output:
        flagged="results/lists/train_all_clean.txt",
        clean="results/lists/train_clean.txt",
        voices="results/lists/train_clean_audio.txt",
        faces="results/lists/train_clean_visual.txt",
        decisions="results/lists/decisions.parquet",
        summary="results/lists/summary.json",
    log:
        "results/logs/clean_list.log",
    benchmark:
        "results/benchmarks/clean_list.tsv"
    conda:
        W.env("core")
    params:
        *W.code("clean_list"),
        cleansing=flags(W.config.cleansing),
        folder=lambda wildcards: W.at("results/lists"),
    message:
        "Deciding which labels are wrong"
    shell:
        "python $AVSIEVE_SCRIPTS/clean_list.py --train-list {input.all} --scores {input.scores}"
        " {params.cleansing} --out-dir {params.folder} > {log} 2>&1"


rule audit_noise:
    """Break labels of the list on purpose, cleanse it again, and measure what is found."""
    input:
        plan="results/plan/utterances.parquet",
        audio=expand("results/embed_audio/{shard}.parquet", shard=W.shards),
        visual=expand("results/embed_visual/{shard}.parquet", shard=W.shards),
    output:
        "results/audit/audit.json",
    log:
        "results/logs/audit_noise.log",
    benchmark:
        "results/benchmarks/audit_noise.tsv"
    conda:
        W.env("core")
    params:
        *W.code("audit_noise"),
        audit=flags(W.config.audit),
        cleansing=flags(W.config.cleansing),
    message:
        "Breaking labels on purpose, to see what is found"
    shell:
        "python $AVSIEVE_SCRIPTS/audit_noise.py --plan {input.plan} --audio {input.audio} --visual {input.visual}"
        " {params.audit} {params.cleansing} --out {output} > {log} 2>&1"
