"""Further rounds: encoders trained on the cleansed list score all of it again, by the rules of the first round.

{round} is `2`, `3`, … or, where a part of the list is held out of its training, `2-without-0`, …

INPUTS: results/lists of the round before, wavs and faces; the trials; the truth, where it is known.
OUTPUTS: results/rounds.
"""


wildcard_constraints:
    round=r"[2-9](-without-\d)?",


rule list_round:
    """List what a round's encoders are trained on: what the round before left, without the people of the trials."""
    input:
        list=W.rounds.list_before,
        plan=P.plan.utterances,
    output:
        P.rounds.list,
    log:
        P.log("list_round", "{round}"),
    benchmark:
        P.benchmark("list_round", "{round}")
    conda:
        W.env("core")
    params:
        *W.code("list_round"),
        part=W.rounds.part,
    message:
        "Listing what round {wildcards.round} trains on"
    shell:
        "python $AVSIEVE_SCRIPTS/list_round.py --list {input.list} --plan {input.plan} {params.part} --out {output}"
        " > {log} 2>&1"


use rule train_audio as train_audio_round with:
    input:
        list=P.rounds.list,
        wav=expand(P.extract.wav, shard=W.shards),
        wav_index=expand(P.extract.wav_index, shard=W.shards),
    output:
        model=P.of(P.rounds.encoder, modality="audio"),
        history=P.of(P.rounds.history, modality="audio"),
        provenance=P.of(P.rounds.provenance, modality="audio"),
    log:
        P.log("train_audio_round", "{round}"),
    benchmark:
        P.benchmark("train_audio_round", "{round}")
    message:
        "Training the audio encoder of round {wildcards.round}"


use rule train_visual as train_visual_round with:
    input:
        list=P.rounds.list,
        faces=W.crops.trained,
        faces_index=W.crops.trained_index,
    output:
        model=P.of(P.rounds.encoder, modality="visual"),
        history=P.of(P.rounds.history, modality="visual"),
        provenance=P.of(P.rounds.provenance, modality="visual"),
    log:
        P.log("train_visual_round", "{round}"),
    benchmark:
        P.benchmark("train_visual_round", "{round}")
    message:
        "Training the visual encoder of round {wildcards.round}"


use rule embed_audio as embed_audio_round with:
    input:
        model=P.of(P.rounds.encoder, modality="audio"),
        wav=P.extract.wav,
        wav_index=P.extract.wav_index,
        extracted=P.extract.status,
    output:
        embeddings=P.of(P.rounds.embeddings, modality="audio"),
        segments=P.rounds.segments,
        status=P.of(P.rounds.embed_status, modality="audio"),
        provenance=P.of(P.rounds.embed_provenance, modality="audio"),
    log:
        P.log("embed_audio_round", "{shard}", "{round}"),
    benchmark:
        P.benchmark("embed_audio_round", "{shard}", "{round}")
    conda:
        W.env(W.encoder("audio", W.config.training.audio.arch).environment)
    params:
        network=W.trained_network("audio"),
        audio=W.rounds.trained_encoder("audio"),
    message:
        "Embedding the voices of shard {wildcards.shard}, round {wildcards.round}"


use rule embed_visual as embed_visual_round with:
    input:
        model=P.of(P.rounds.encoder, modality="visual"),
        faces=W.crops.of_trained,
        faces_index=W.crops.of_trained_index,
        detections=P.align.detections,
        aligned=P.align.status,
    output:
        embeddings=P.of(P.rounds.embeddings, modality="visual"),
        frames=P.rounds.frames,
        status=P.of(P.rounds.embed_status, modality="visual"),
        provenance=P.of(P.rounds.embed_provenance, modality="visual"),
    log:
        P.log("embed_visual_round", "{shard}", "{round}"),
    benchmark:
        P.benchmark("embed_visual_round", "{shard}", "{round}")
    conda:
        W.env(W.encoder("visual", W.config.training.visual.arch).environment)
    params:
        network=W.trained_network("visual"),
        visual=W.rounds.trained_encoder("visual"),
    message:
        "Embedding the faces of shard {wildcards.shard}, round {wildcards.round}"


use rule pool_speakers as pool_speakers_round with:
    input:
        plans=expand(P.plan.shard, shard=W.shards),
        audio=expand(W.rounds.embeddings("audio"), shard=W.shards, allow_missing=True),
        visual=expand(W.rounds.embeddings("visual"), shard=W.shards, allow_missing=True),
    output:
        centres=P.rounds.centres,
        calibration=P.rounds.calibration,
        metric=P.rounds.metric,
        provenance=P.rounds.centres_provenance,
    log:
        P.log("pool_speakers_round", "{round}"),
    benchmark:
        P.benchmark("pool_speakers_round", "{round}")
    message:
        "Pooling the speakers, round {wildcards.round}"


use rule score_utterances as score_utterances_round with:
    input:
        plan=P.plan.shard,
        audio=W.rounds.embeddings("audio"),
        visual=W.rounds.embeddings("visual"),
        centres=P.rounds.centres,
        calibration=P.rounds.calibration,
        metric=P.rounds.metric,
    output:
        scores=P.rounds.shard,
        provenance=P.rounds.shard_provenance,
    log:
        P.log("score_utterances_round", "{shard}", "{round}"),
    benchmark:
        P.benchmark("score_utterances_round", "{shard}", "{round}")
    message:
        "Scoring the utterances of shard {wildcards.shard}, round {wildcards.round}"


use rule merge_scores as merge_scores_round with:
    input:
        expand(P.rounds.shard, shard=W.shards, allow_missing=True),
    output:
        P.rounds.scores,
    log:
        P.log("merge_scores_round", "{round}"),
    benchmark:
        P.benchmark("merge_scores_round", "{round}")
    message:
        "Joining the scores of all shards, round {wildcards.round}"


use rule clean_list as clean_list_round with:
    input:
        all=P.lists.all,
        scores=P.rounds.scores,
        review=brought(W.review),
        anchors=brought(W.anchors),
    output:
        flagged=P.rounds.flagged,
        clean=P.rounds.clean,
        voices=P.rounds.clean_audio,
        faces=P.rounds.clean_visual,
        decisions=P.rounds.decisions,
        summary=P.rounds.summary,
    log:
        P.log("clean_list_round", "{round}"),
    benchmark:
        P.benchmark("clean_list_round", "{round}")
    params:
        folder=lambda wildcards: W.at(P.of(P.rounds.lists, round=wildcards.round)),
    message:
        "Deciding which labels are wrong, round {wildcards.round}"


rule compare_rounds:
    """State what a further round changes, what it finds, and whether it confirms itself."""
    input:
        brought(W.trial_truth),
        trials=brought(W.trials),
        plan=P.plan.utterances,
        first=P.lists.decisions,
        summary=P.lists.summary,
        lists=W.rounds.files(P.rounds.list),
        decisions=W.rounds.files(P.rounds.decisions),
        summaries=W.rounds.files(P.rounds.summary),
        embeddings=W.rounds.all_embeddings,
        truth=brought(W.truth),
    output:
        table=P.rounds.table,
        facts=P.rounds.facts,
        utterances=P.rounds.utterances,
        text=P.rounds.text,
    log:
        P.log("compare_rounds"),
    benchmark:
        P.benchmark("compare_rounds")
    conda:
        W.env("core")
    resources:
        **W.needs("compare_rounds"),
    params:
        *W.code("compare_rounds", W.method),
        arms=flags({"arms": W.rounds.arms, "kept": W.rounds.kept}),
        embeddings=W.rounds.embedding_flags,
        truth=flags(W.truth_flag),
        content=W.watch.files("truth", W.truth),
        labels=flags(W.trial_labels),
        sources=flags(W.trial_files, leave=["sex", "truth"]),
        known=flags({"trial_truth": W.trial_files["truth"]}),
        lists=W.watch.files("lists", W.trials),
        audit=flags(W.config.audit),
        cleansing=flags(W.config.cleansing, leave=["review", "anchors", *ROUND_KEYS]),
        evaluation=flags(
            {
                name: getattr(W.config.evaluation, name)
                for name in ("eer", "bootstrap", "bootstrap_seed")
            }
        ),
    message:
        "Comparing the rounds"
    shell:
        "python $AVSIEVE_SCRIPTS/compare_rounds.py --plan {input.plan} --decisions {input.first} {input.decisions}"
        " --lists {input.lists} {params.arms} {params.embeddings} {params.truth} --trials {input.trials:q}"
        " {params.labels} {params.known} {params.audit} {params.cleansing} {params.evaluation} --table {output.table}"
        " --facts {output.facts} --utterances {output.utterances} --text {output.text} > {log} 2>&1"
