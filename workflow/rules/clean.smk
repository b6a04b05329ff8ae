"""The decision: which labels are wrong. Another method, policy or threshold reruns only this and what follows.

INPUTS: results/scores/scores.parquet; the tables of reviews and of anchors, where the configuration names them.
OUTPUTS: results/lists: train_all.txt, train_all_clean.txt, train_clean.txt, train_clean_audio.txt,
train_clean_visual.txt, decisions.parquet, summary.json.
"""


rule list_utterances:
    """Write the list of all utterances, as the user gave it or with the lengths of the media."""
    input:
        plan=P.plan.utterances,
        durations=W.durations,
    output:
        P.lists.all,
    log:
        P.log("list_utterances"),
    benchmark:
        P.benchmark("list_utterances")
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
    """Decide from the evidence and write the lists."""
    input:
        all=P.lists.all,
        scores=P.scores.scores,
        review=brought(W.review),
        anchors=brought(W.anchors),
    output:
        flagged=P.lists.flagged,
        clean=P.lists.clean,
        voices=P.lists.clean_audio,
        faces=P.lists.clean_visual,
        decisions=P.lists.decisions,
        summary=P.lists.summary,
    log:
        P.log("clean_list"),
    benchmark:
        P.benchmark("clean_list")
    conda:
        W.env("core")
    resources:
        **W.needs("clean_list"),
    params:
        *W.code("clean_list", W.method),
        cleansing=flags(W.config.cleansing, leave=ROUND_KEYS),
        content=W.watch.files("review", [*W.review, *W.anchors]),
        folder=lambda wildcards: W.at(P.lists.folder),
    message:
        "Deciding which labels are wrong"
    shell:
        "python $AVSIEVE_SCRIPTS/clean_list.py --train-list {input.all} --scores {input.scores}"
        " {params.cleansing} --out-dir {params.folder} > {log} 2>&1"


rule audit_noise:
    """Corrupt labels of the list, cleanse it again, and measure what is found."""
    input:
        plan=P.plan.utterances,
        audio=expand(P.of(P.embed.embeddings, modality="audio"), shard=W.shards),
        visual=expand(P.of(P.embed.embeddings, modality="visual"), shard=W.shards),
    output:
        P.audit.audit,
    log:
        P.log("audit_noise"),
    benchmark:
        P.benchmark("audit_noise")
    conda:
        W.env("core")
    resources:
        **W.needs("audit_noise"),
    params:
        *W.code("audit_noise", W.method),
        audit=flags(W.config.audit),
        cleansing=flags(W.config.cleansing, leave=["review", "anchors", *ROUND_KEYS]),
    message:
        "Corrupting labels, to see how many are found"
    shell:
        "python $AVSIEVE_SCRIPTS/audit_noise.py --plan {input.plan} --audio {input.audio} --visual {input.visual}"
        " {params.audit} {params.cleansing} --out {output} > {log} 2>&1"
