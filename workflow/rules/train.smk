"""Training from a list: {list} is `all` (before cleansing) or `clean` (after it).

INPUTS: results/lists, and wavs, faces or embeddings.
OUTPUTS: results/models.
"""


rule train_audio:
    """Train an audio encoder on a list."""
    input:
        list=W.list_of,
        wav=expand(P.extract.wav, shard=W.shards),
        wav_index=expand(P.extract.wav_index, shard=W.shards),
    output:
        model=P.of(P.models.encoder, modality="audio"),
        history=P.of(P.models.history, modality="audio"),
        provenance=P.of(P.models.provenance, modality="audio"),
    log:
        P.log("train_audio", "{list}"),
    benchmark:
        P.benchmark("train_audio", "{list}")
    conda:
        W.env("encoders")
    threads: training_threads(W.config)
    resources:
        **W.training,
        **W.needs("train_audio"),
    params:
        *W.code(
            "train_audio", *W.encoder("audio", W.config.training.audio.arch).modules
        ),
        training=flags(W.config.training.audio),
        weights=W.started_from["audio"],
        recordings=W.recordings,
        precision=W.config.training.precision,
        board=W.board,
        device=W.config.device,
    message:
        "Training an audio encoder on the list `{wildcards.list}`"
    shell:
        "{resources.launch} python $AVSIEVE_SCRIPTS/train_audio.py --list {input.list} --wav {input.wav} {params.training}"
        " --device {params.device} --devices {resources.devices} --nodes {resources.nodes}"
        " --precision {params.precision} --workers {resources.workers} --threads 2 {params.board} --output {output.model} --log {output.history}"
        " --provenance {output.provenance} > {log} 2>&1"


rule train_visual:
    """Train a visual encoder on a list."""
    input:
        list=W.list_of,
        faces=W.crops.trained,
        faces_index=W.crops.trained_index,
    output:
        model=P.of(P.models.encoder, modality="visual"),
        history=P.of(P.models.history, modality="visual"),
        provenance=P.of(P.models.provenance, modality="visual"),
    log:
        P.log("train_visual", "{list}"),
    benchmark:
        P.benchmark("train_visual", "{list}")
    conda:
        W.env("encoders")
    threads: training_threads(W.config)
    resources:
        **W.training,
        **W.needs("train_visual"),
    params:
        *W.code(
            "train_visual", *W.encoder("visual", W.config.training.visual.arch).modules
        ),
        training=flags(W.config.training.visual),
        weights=W.started_from["visual"],
        precision=W.config.training.precision,
        board=W.board,
        device=W.config.device,
    message:
        "Training a visual encoder on the list `{wildcards.list}`"
    shell:
        "{resources.launch} python $AVSIEVE_SCRIPTS/train_visual.py --list {input.list} --faces {input.faces} {params.training}"
        " --device {params.device} --devices {resources.devices} --nodes {resources.nodes}"
        " --precision {params.precision} --workers {resources.workers} --threads 2 {params.board} --output {output.model} --log {output.history}"
        " --provenance {output.provenance} > {log} 2>&1"


rule train_fusion:
    """Train a fusion model on a list."""
    input:
        list=W.list_of,
        plan=P.plan.utterances,
        audio=expand(P.of(P.embed.embeddings, modality="audio"), shard=W.shards),
        visual=expand(P.of(P.embed.embeddings, modality="visual"), shard=W.shards),
        sequences=W.sequences.of_model,
        twins=W.twins.of_model,
        weights=lambda wildcards: W.fusion.weights[wildcards.model],
    output:
        models=expand(P.models.fusion, seed=W.config.fusion.seeds, allow_missing=True),
        histories=expand(
            P.models.fusion_history, seed=W.config.fusion.seeds, allow_missing=True
        ),
        provenances=expand(
            P.models.fusion_provenance, seed=W.config.fusion.seeds, allow_missing=True
        ),
    log:
        P.log("train_fusion", "{list}", "{model}"),
    benchmark:
        P.benchmark("train_fusion", "{list}", "{model}")
    conda:
        W.env("encoders")
    # No param, since it changes how fast the weights come and not which.
    resources:
        **W.needs("train_fusion"),
        gpu=W.gpu * W.config.training.devices,
        devices=W.config.training.devices,
    params:
        *W.code("train_fusion"),
        model=W.model_code,
        options=W.fusion.settings,
        sequences=W.sequences.flags_of_model,
        twins=W.twins.flags_of_model,
        fusion=flags(W.config.fusion, leave=["models", "seeds", "twins"]),
        seeds=W.config.fusion.seeds,
        weights=lambda wildcards: W.fusion.started_from[wildcards.model](wildcards),
        board=W.fusion.board,
        device=W.config.device,
    message:
        "Training `{wildcards.model}` fusion on the list `{wildcards.list}`"
    shell:
        "python $AVSIEVE_SCRIPTS/train_fusion.py --list {input.list} --list-name {wildcards.list} --plan {input.plan}"
        " --audio {input.audio} --visual {input.visual} {params.sequences} {params.twins} --model {wildcards.model} --seed {params.seeds}"
        " {params.options} {params.fusion} --device {params.device} --devices {resources.devices} --threads {threads}"
        " {params.board} --out {output.models} > {log} 2>&1"
