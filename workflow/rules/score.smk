"""Similarities: facts about every utterance, no decision yet.

INPUTS: results/embed_audio, results/embed_visual.
OUTPUTS: results/scores: the speakers' centres, and the evidence per utterance against them, leaving its own video out.
"""


rule pool_speakers:
    """Find the centre of every speaker, over all shards."""
    input:
        plans=expand("results/plan/shards/{shard}.parquet", shard=W.shards),
        audio=expand("results/embed_audio/{shard}.parquet", shard=W.shards),
        visual=expand("results/embed_visual/{shard}.parquet", shard=W.shards),
    output:
        centres="results/scores/centres.parquet",
        calibration="results/scores/centres.json",
        provenance="results/scores/centres.provenance.json",
    log:
        "results/logs/pool_speakers.log",
    benchmark:
        "results/benchmarks/pool_speakers.tsv"
    conda:
        W.env("core")
    params:
        *W.code("pool_speakers"),
    message:
        "Pooling the speakers"
    shell:
        "python $AVSIEVE_SCRIPTS/pool_speakers.py --plans {input.plans} --audio {input.audio} --visual {input.visual}"
        " --centres {output.centres} --provenance {output.provenance} > {log} 2>&1"


rule score_utterances:
    """Compare the utterances of a shard with their own and with the nearest other speaker."""
    input:
        plan="results/plan/shards/{shard}.parquet",
        audio="results/embed_audio/{shard}.parquet",
        visual="results/embed_visual/{shard}.parquet",
        centres="results/scores/centres.parquet",
        calibration="results/scores/centres.json",
    output:
        scores="results/scores/shards/{shard}.parquet",
        provenance="results/scores/shards/{shard}.json",
    log:
        "results/logs/score_utterances/{shard}.log",
    benchmark:
        "results/benchmarks/score_utterances/{shard}.tsv"
    conda:
        W.env("core")
    params:
        *W.code("score_utterances"),
    message:
        "Scoring the utterances of shard {wildcards.shard}"
    shell:
        "python $AVSIEVE_SCRIPTS/score_utterances.py --plan {input.plan} --audio {input.audio} --visual {input.visual}"
        " --centres {input.centres} --scores {output.scores} --provenance {output.provenance} > {log} 2>&1"


rule merge_scores:
    """Join the evidence of all shards."""
    input:
        expand("results/scores/shards/{shard}.parquet", shard=W.shards),
    output:
        "results/scores/scores.parquet",
    log:
        "results/logs/merge_scores.log",
    benchmark:
        "results/benchmarks/merge_scores.tsv"
    conda:
        W.env("core")
    params:
        *W.code("merge_scores"),
    message:
        "Joining the scores of all shards"
    shell:
        "python $AVSIEVE_SCRIPTS/merge_scores.py --inputs {input} --out {output} > {log} 2>&1"
