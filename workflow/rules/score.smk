"""Similarities: facts about every utterance, no decision yet.

INPUTS: results/embed_audio, results/embed_visual.
OUTPUTS: results/scores: the speakers' centres, and the evidence per utterance against them, leaving its own video out.
"""


rule pool_speakers:
    """Find the centre of every speaker, over all shards."""
    input:
        plans=expand(P.plan.shard, shard=W.shards),
        audio=expand(P.of(P.embed.embeddings, modality="audio"), shard=W.shards),
        visual=expand(P.of(P.embed.embeddings, modality="visual"), shard=W.shards),
    output:
        centres=P.scores.centres,
        calibration=P.scores.calibration,
        metric=P.scores.metric,
        provenance=P.scores.centres_provenance,
    log:
        P.log("pool_speakers"),
    benchmark:
        P.benchmark("pool_speakers")
    conda:
        W.env("core")
    resources:
        **W.needs("pool_speakers"),
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
        plan=P.plan.shard,
        audio=P.of(P.embed.embeddings, modality="audio"),
        visual=P.of(P.embed.embeddings, modality="visual"),
        centres=P.scores.centres,
        calibration=P.scores.calibration,
        metric=P.scores.metric,
    output:
        scores=P.scores.shard,
        provenance=P.scores.shard_provenance,
    log:
        P.log("score_utterances", "{shard}"),
    benchmark:
        P.benchmark("score_utterances", "{shard}")
    conda:
        W.env("core")
    resources:
        **W.needs("score_utterances"),
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
        expand(P.scores.shard, shard=W.shards),
    output:
        P.scores.scores,
    log:
        P.log("merge_scores"),
    benchmark:
        P.benchmark("merge_scores")
    conda:
        W.env("core")
    resources:
        **W.needs("merge_scores"),
    params:
        *W.code("merge_scores"),
    message:
        "Joining the scores of all shards"
    shell:
        "python $AVSIEVE_SCRIPTS/merge_scores.py --inputs {input} --out {output} > {log} 2>&1"
