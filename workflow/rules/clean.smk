"""The decision: which labels are wrong. Another method, policy or threshold reruns only this and what follows.

INPUTS: results/scores/scores.parquet.
OUTPUTS: results/lists: train_all.txt, train_all_clean.txt, train_clean.txt, decisions.parquet, summary.json.
"""


rule clean_list:
    """Decide over the evidence and write the lists."""
    input:
        plan="results/plan/utterances.parquet",
        scores="results/scores/scores.parquet",
        durations=expand("results/media/{shard}.parquet", shard=W.shards),
    output:
        all="results/lists/train_all.txt",
        flagged="results/lists/train_all_clean.txt",
        clean="results/lists/train_clean.txt",
        decisions="results/lists/decisions.parquet",
        summary="results/lists/summary.json",
    log:
        "results/logs/clean_list.log",
    benchmark:
        "results/benchmarks/clean_list.tsv"
    conda:
        W.env("core")
    params:
        code=W.code("clean_list"),
        cleansing=flags(W.cleansing),
    message:
        "Deciding which labels are wrong"
    shell:
        "python $AVSIEVE_SCRIPTS/clean_list.py --plan {input.plan} --scores {input.scores}"
        " --durations {input.durations} {params.cleansing} --out-dir results/lists > {log} 2>&1"
