"""What the cleansing gains: `snakemake compare_lists`. {list} is `all` or `clean`, {seed} that of a training.

INPUTS: results/lists, wavs and faces, the trials; results/evaluation/gains.csv for the fusion models.
OUTPUTS: results/comparison.
"""


rule list_arm:
    """Remove the held-out speakers from a training list."""
    input:
        list=W.list_of,
        plan=P.plan.utterances,
    output:
        P.comparison.list,
    log:
        P.log("list_arm", "{list}"),
    benchmark:
        P.benchmark("list_arm", "{list}")
    conda:
        W.env("core")
    params:
        *W.code("list_arm"),
    message:
        "Listing what the comparison trains on: `{wildcards.list}`"
    shell:
        "python $AVSIEVE_SCRIPTS/list_arm.py --list {input.list} --plan {input.plan} --out {output} > {log} 2>&1"


use rule train_audio as train_audio_arm with:
    input:
        list=P.comparison.list,
        wav=expand(P.extract.wav, shard=W.shards),
        wav_index=expand(P.extract.wav_index, shard=W.shards),
    output:
        model=P.of(P.comparison.encoder, modality="audio"),
        history=P.of(P.comparison.history, modality="audio"),
        provenance=P.of(P.comparison.provenance, modality="audio"),
    log:
        P.log("train_audio_arm", "{list}", "{seed}"),
    benchmark:
        P.benchmark("train_audio_arm", "{list}", "{seed}")
    params:
        training=W.training_of("audio"),


use rule train_visual as train_visual_arm with:
    input:
        list=P.comparison.list,
        faces=W.crops.trained,
        faces_index=W.crops.trained_index,
    output:
        model=P.of(P.comparison.encoder, modality="visual"),
        history=P.of(P.comparison.history, modality="visual"),
        provenance=P.of(P.comparison.provenance, modality="visual"),
    log:
        P.log("train_visual_arm", "{list}", "{seed}"),
    benchmark:
        P.benchmark("train_visual_arm", "{list}", "{seed}")
    params:
        training=W.training_of("visual"),


rule embed_trial_voices:
    """Embed the voices of the trials, and of the cohort, with a trained encoder."""
    input:
        W.cohort,
        trials=brought(W.trials),
        model=P.of(P.comparison.encoder, modality="audio"),
        wav=expand(P.extract.wav, shard=W.shards),
        wav_index=expand(P.extract.wav_index, shard=W.shards),
    output:
        P.of(P.comparison.embeddings, modality="audio"),
    log:
        P.log("embed_trial_voices", "{list}", "{seed}"),
    benchmark:
        P.benchmark("embed_trial_voices", "{list}", "{seed}")
    conda:
        W.env(W.encoder("audio", W.config.training.audio.arch).environment)
    resources:
        **W.needs("embed_trial_voices"),
        gpu=W.gpu,
    params:
        *W.code(
            "embed_trial_voices",
            *W.encoder("audio", W.config.training.audio.arch).modules,
        ),
        cohort=flags(W.cohort_file),
        lists=W.watch.files("lists", W.trials),
        arch=W.config.training.audio.arch,
        batch_s=W.config.audio.batch_s,
        precision=W.config.audio.precision,
        device=W.config.device,
    message:
        "Embedding the voices of the trials: list `{wildcards.list}`, seed {wildcards.seed}"
    shell:
        "python $AVSIEVE_SCRIPTS/embed_trial_voices.py --trials {input.trials:q} {params.cohort} --wav {input.wav}"
        " --arch {params.arch} --checkpoint {input.model} --batch-s {params.batch_s} --precision {params.precision}"
        " --device {params.device} --threads {threads} --out {output} > {log} 2>&1"


rule embed_trial_faces:
    """Embed the faces of the trials, and of the cohort, with a trained encoder."""
    input:
        W.cohort,
        trials=brought(W.trials),
        model=P.of(P.comparison.encoder, modality="visual"),
        faces=W.crops.trained,
        faces_index=W.crops.trained_index,
        detections=expand(P.align.detections, shard=W.shards),
    output:
        P.of(P.comparison.embeddings, modality="visual"),
    log:
        P.log("embed_trial_faces", "{list}", "{seed}"),
    benchmark:
        P.benchmark("embed_trial_faces", "{list}", "{seed}")
    conda:
        W.env("torch")
    resources:
        **W.needs("embed_trial_faces"),
        gpu=W.gpu,
    params:
        *W.code(
            "embed_trial_faces",
            *W.encoder("visual", W.config.training.visual.arch).modules,
        ),
        cohort=flags(W.cohort_file),
        lists=W.watch.files("lists", W.trials),
        arch=W.config.training.visual.arch,
        pooling=W.config.visual.pooling,
        batch=W.config.visual.batch,
        device=W.config.device,
    message:
        "Embedding the faces of the trials: list `{wildcards.list}`, seed {wildcards.seed}"
    shell:
        "python $AVSIEVE_SCRIPTS/embed_trial_faces.py --trials {input.trials:q} {params.cohort} --faces {input.faces}"
        " --detections {input.detections} --arch {params.arch} --checkpoint {input.model} --pooling {params.pooling}"
        " --batch {params.batch} --device {params.device} --threads {threads} --out {output} > {log} 2>&1"


rule compare_lists:
    """Train the same networks on both lists, evaluate them on the same trials, and state the difference."""
    input:
        W.cohort,
        brought(W.trial_truth),
        trials=brought(W.trials),
        all=P.of(P.comparison.list, list="all"),
        clean=P.of(P.comparison.list, list="clean"),
        embeddings=W.arm_embeddings,
        fusion=P.evaluation.gains,
    output:
        table=P.comparison.table,
        facts=P.comparison.facts,
        curves=P.comparison.curves,
        text=P.comparison.text,
    log:
        P.log("compare_lists"),
    benchmark:
        P.benchmark("compare_lists")
    conda:
        W.env("core")
    params:
        *W.code("compare_lists", *W.fusion.modules),
        embeddings=flags(W.arm_files),
        seeds=W.config.comparison.seeds,
        labels=flags(W.trial_labels),
        truth=flags(W.trial_files, leave=["sex"]),
        cohort=flags(W.cohort_file | W.cohort_top),
        lists=W.watch.files("lists", W.trials),
        evaluation=flags(
            {
                name: getattr(W.config.evaluation, name)
                for name in ("eer", "bootstrap", "bootstrap_seed")
            }
        ),
    message:
        "Comparing what was trained on both lists"
    shell:
        "python $AVSIEVE_SCRIPTS/compare_lists.py --trials {input.trials:q} {params.labels} {params.truth}"
        " --list-all {input.all}"
        " --list-clean {input.clean} {params.embeddings} --seeds {params.seeds} {params.cohort} {params.evaluation}"
        " --fusion {input.fusion} --table {output.table} --facts {output.facts} --curves {output.curves}"
        " --text {output.text} > {log} 2>&1"
