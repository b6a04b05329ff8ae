"""Joint models: both encoders and a fusion, trained on the signals of a list, and what they make of the trials.

INPUTS: results/lists, results/extract (wavs), results/align (faces); for the trials results/evaluation, results/damage.
OUTPUTS: results/models/joint, results/joint.
"""


rule train_joint:
    """Train a joint model on a list."""
    input:
        lambda wildcards: brought(W.joint.files(wildcards)),
        list=W.list_of,
        plan=P.plan.utterances,
        wav=expand(P.extract.wav, shard=W.shards),
        wav_index=expand(P.extract.wav_index, shard=W.shards),
        faces=W.joint.faces,
        faces_index=W.joint.faces_index,
    output:
        model=P.models.joint,
        history=P.models.joint_history,
        provenance=P.models.joint_provenance,
    log:
        P.log("train_joint", "{list}", "{model}", "{seed}"),
    benchmark:
        P.benchmark("train_joint", "{list}", "{model}", "{seed}")
    conda:
        W.env("encoders")
    threads: training_threads(W.config)
    resources:
        **W.training,
        **W.needs("train_joint"),
    params:
        *W.code("train_joint"),
        code=W.joint_code,
        options=W.joint.settings,
        fusion=flags(W.config.fusion, leave=["models", "seeds", "twins", "precision"]),
        weights=W.joint.started_from,
        folders=W.joint.recordings,
        recordings=W.joint.watched_recordings,
        precision=W.config.training.precision,
        board=W.board,
        device=W.config.device,
    message:
        "Training `{wildcards.model}` on the signals of the list `{wildcards.list}`, seed {wildcards.seed}"
    shell:
        "{resources.launch} python $AVSIEVE_SCRIPTS/train_joint.py --list {input.list} --list-name {wildcards.list}"
        " --plan {input.plan} --wav {input.wav} --faces {input.faces} --model {wildcards.model} --seed {wildcards.seed}"
        " {params.options} {params.fusion} {params.folders} --device {params.device} --devices {resources.devices}"
        " --nodes {resources.nodes} --precision {params.precision} --workers {resources.workers} --threads 2"
        " {params.board} --out {output.model} > {log} 2>&1"


rule embed_joint:
    """Embed the utterances of the trials with a joint model, as they are and damaged."""
    input:
        W.cohort,
        W.joint.damaged,
        model=P.models.joint,
        trials=brought(W.trials),
        wav=expand(P.extract.wav, shard=W.shards),
        wav_index=expand(P.extract.wav_index, shard=W.shards),
        faces=W.joint.faces,
        faces_index=W.joint.faces_index,
    output:
        embeddings=P.joint.embeddings,
        origin=P.joint.origin,
    log:
        P.log("embed_joint", "{list}", "{model}", "{seed}"),
    benchmark:
        P.benchmark("embed_joint", "{list}", "{model}", "{seed}")
    conda:
        W.env("encoders")
    resources:
        **W.needs("embed_joint"),
        gpu=W.gpu,
    params:
        *W.code("embed_joint"),
        code=W.joint_code,
        damaged=W.joint.damaged_flags,
        cohort=flags(W.cohort_file),
        lists=W.watch.files("lists", W.trials),
        precision=W.config.audio.precision,
        device=W.config.device,
    message:
        "Embedding the trials with `{wildcards.model}` of the list `{wildcards.list}`, seed {wildcards.seed}"
    shell:
        "python $AVSIEVE_SCRIPTS/embed_joint.py --model {input.model} --trials {input.trials:q} --wav {input.wav}"
        " --faces {input.faces} {params.damaged} {params.cohort} --device {params.device}"
        " --precision {params.precision} --threads {threads} --out {output.embeddings} > {log} 2>&1"
