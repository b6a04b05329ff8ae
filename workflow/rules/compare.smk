"""What the cleansing is worth: `snakemake compare_lists`. {list} is `all` or `clean`, {seed} that of a training.

INPUTS: results/lists, wavs and faces, the trials; results/evaluation/gains.csv for the fusion models.
OUTPUTS: results/comparison.
"""


rule list_arm:
    """Leave the people who are kept for testing out of a training list."""
    input:
        list=W.list_of,
        plan="results/plan/utterances.parquet",
    output:
        "results/comparison/lists/{list}.txt",
    log:
        "results/logs/list_arm/{list}.log",
    benchmark:
        "results/benchmarks/list_arm/{list}.tsv"
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
        list="results/comparison/lists/{list}.txt",
        wav=expand("results/extract/{shard}.wav.tar", shard=W.shards),
        wav_index=expand("results/extract/{shard}.wav.parquet", shard=W.shards),
    output:
        model="results/comparison/models/audio/{list}.{seed}.safetensors",
        history="results/comparison/models/audio/{list}.{seed}.csv",
        provenance="results/comparison/models/audio/{list}.{seed}.json",
    log:
        "results/logs/train_audio_arm/{list}.{seed}.log",
    benchmark:
        "results/benchmarks/train_audio_arm/{list}.{seed}.tsv"
    params:
        training=W.training_of("audio"),


use rule train_visual as train_visual_arm with:
    input:
        list="results/comparison/lists/{list}.txt",
        faces=expand("results/align/{shard}.faces.tar", shard=W.shards),
        faces_index=expand("results/align/{shard}.faces.parquet", shard=W.shards),
    output:
        model="results/comparison/models/visual/{list}.{seed}.safetensors",
        history="results/comparison/models/visual/{list}.{seed}.csv",
        provenance="results/comparison/models/visual/{list}.{seed}.json",
    log:
        "results/logs/train_visual_arm/{list}.{seed}.log",
    benchmark:
        "results/benchmarks/train_visual_arm/{list}.{seed}.tsv"
    params:
        training=W.training_of("visual"),


rule embed_trial_voices:
    """Embed the voices of the trials, and of the cohort, with a trained encoder."""
    input:
        W.cohort,
        trials=brought(W.trials),
        model="results/comparison/models/audio/{list}.{seed}.safetensors",
        wav=expand("results/extract/{shard}.wav.tar", shard=W.shards),
        wav_index=expand("results/extract/{shard}.wav.parquet", shard=W.shards),
    output:
        "results/comparison/embeddings/audio/{list}.{seed}.parquet",
    log:
        "results/logs/embed_trial_voices/{list}.{seed}.log",
    benchmark:
        "results/benchmarks/embed_trial_voices/{list}.{seed}.tsv"
    conda:
        W.env("torch", W.config.training.audio.arch)
    resources:
        gpu=W.gpu,
    params:
        *W.code("embed_trial_voices", *W.network("audio", W.config.training.audio.arch)),
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
        model="results/comparison/models/visual/{list}.{seed}.safetensors",
        faces=expand("results/align/{shard}.faces.tar", shard=W.shards),
        faces_index=expand("results/align/{shard}.faces.parquet", shard=W.shards),
        detections=expand("results/align/{shard}.detections.parquet", shard=W.shards),
    output:
        "results/comparison/embeddings/visual/{list}.{seed}.parquet",
    log:
        "results/logs/embed_trial_faces/{list}.{seed}.log",
    benchmark:
        "results/benchmarks/embed_trial_faces/{list}.{seed}.tsv"
    conda:
        W.env("torch")
    resources:
        gpu=W.gpu,
    params:
        *W.code(
            "embed_trial_faces", *W.network("visual", W.config.training.visual.arch)
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
        all="results/comparison/lists/all.txt",
        clean="results/comparison/lists/clean.txt",
        embeddings=W.arm_embeddings,
        fusion="results/evaluation/gains.csv",
    output:
        table="results/comparison/comparison.csv",
        facts="results/comparison/comparison.json",
        curves="results/comparison/curves.parquet",
        text="results/comparison/comparison.txt",
    log:
        "results/logs/compare_lists.log",
    benchmark:
        "results/benchmarks/compare_lists.tsv"
    conda:
        W.env("core")
    params:
        *W.code("compare_lists"),
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
