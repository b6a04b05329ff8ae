"""The small models that ship with the package, trained anew: `snakemake --cores N rebuild_models`.

INPUTS: none; the people are made up, and others than those of the embedded corpus.
OUTPUTS: results/rebuilt: the files of src/avsieve/models, with their provenance. Copy them there to ship them.
"""


rule rebuild_models:
    """All three."""
    input:
        "results/rebuilt/detector.onnx",
        "results/rebuilt/faces.onnx",
        "results/rebuilt/audio_ecapa_small.safetensors",
    localrule: True


rule render_people:
    """Render people to train the visual models on (`train`) and to measure them on (`held`)."""
    output:
        frames="results/rebuilt/people/{part}.tar",
        index="results/rebuilt/people/{part}.parquet",
        truth="results/rebuilt/people/{part}.truth.parquet",
        status="results/rebuilt/people/{part}.status.parquet",
        list="results/rebuilt/people/{part}.txt",
    log:
        "results/logs/render_people/{part}.log",
    conda:
        W.env("media")
    params:
        *W.code("render_people"),
        people=lambda w: {
            "train": "--people 600",
            "held": "--first 10000 --people 60 --scenes 4 --frames-per-scene 3",
        }[w.part],
    message:
        "Rendering people: {wildcards.part}"
    shell:
        "python $AVSIEVE_SCRIPTS/render_people.py --frames {output.frames} --truth {output.truth}"
        " --status {output.status} --train-list {output.list} {params.people} > {log} 2>&1"


rule train_tiny_detector:
    """Train the detector in SCRFD's layout."""
    input:
        frames="results/rebuilt/people/train.tar",
        truth="results/rebuilt/people/train.truth.parquet",
        held_frames="results/rebuilt/people/held.tar",
        held_truth="results/rebuilt/people/held.truth.parquet",
    output:
        model="results/rebuilt/detector.onnx",
        provenance="results/rebuilt/detector.json",
    log:
        "results/logs/train_tiny_detector.log",
    conda:
        W.env("training")
    params:
        *W.code("train_tiny_detector"),
    message:
        "Training the small detector"
    shell:
        "python $AVSIEVE_SCRIPTS/train_tiny_detector.py --frames {input.frames} --truth {input.truth}"
        " --held-out-frames {input.held_frames} --held-out-truth {input.held_truth} --model {output.model}"
        " --provenance {output.provenance} > {log} 2>&1"


rule align_people:
    """Align the rendered people with the detector just trained."""
    input:
        model="results/rebuilt/detector.onnx",
        frames="results/rebuilt/people/{part}.tar",
        extracted="results/rebuilt/people/{part}.status.parquet",
    output:
        faces="results/rebuilt/people/{part}.faces.tar",
        faces_index="results/rebuilt/people/{part}.faces.parquet",
        detections="results/rebuilt/people/{part}.detections.parquet",
        status="results/rebuilt/people/{part}.aligned.parquet",
        provenance="results/rebuilt/people/{part}.faces.json",
    log:
        "results/logs/align_people/{part}.log",
    conda:
        W.env("faces")
    params:
        *W.code("align_faces"),
    message:
        "Aligning people: {wildcards.part}"
    shell:
        "python $AVSIEVE_SCRIPTS/align_faces.py --frames {input.frames} --extracted {input.extracted}"
        " --detector {input.model} --detector-size 224 --max-failed 0.02 --faces {output.faces}"
        " --detections {output.detections} --status {output.status} --provenance {output.provenance} > {log} 2>&1"


rule train_tiny_faces:
    """Train the face encoder, and export it for InsightFace."""
    input:
        list="results/rebuilt/people/train.txt",
        faces="results/rebuilt/people/train.faces.tar",
        held_faces="results/rebuilt/people/held.faces.tar",
        held_detections="results/rebuilt/people/held.detections.parquet",
    output:
        weights="results/rebuilt/faces_mobileface_small.safetensors",
        trained="results/rebuilt/faces_mobileface_small.json",
        history="results/rebuilt/faces_mobileface_small.csv",
        model="results/rebuilt/faces.onnx",
        provenance="results/rebuilt/faces.json",
    log:
        "results/logs/train_tiny_faces.log",
    conda:
        W.env("training")
    params:
        *W.code("train_visual", "avsieve.encoders.mobileface"),
        *W.code("export_face_encoder"),
    message:
        "Training the small face encoder"
    shell:
        "python $AVSIEVE_SCRIPTS/train_visual.py --list {input.list} --faces {input.faces} --output {output.weights}"
        " --log {output.history} --provenance {output.trained} --steps 1500 --batch 64 --lr 3e-3 --lr-end 1e-5"
        " --optimiser adamw --weight-decay 1e-3 --margin 0.3 --device cpu --seed 1 --checkpoint-every 200 --half"
        " > {log} 2>&1;"
        " python $AVSIEVE_SCRIPTS/export_face_encoder.py --weights {output.weights} --trained {output.trained}"
        " --held-out-faces {input.held_faces} --held-out-detections {input.held_detections} --model {output.model}"
        " --provenance {output.provenance} >> {log} 2>&1"


rule train_tiny_audio:
    """Train the small ECAPA on made-up voices."""
    output:
        model="results/rebuilt/audio_ecapa_small.safetensors",
        provenance="results/rebuilt/audio_ecapa_small.json",
    log:
        "results/logs/train_tiny_audio.log",
    conda:
        W.env("encoders")
    params:
        *W.code("train_tiny_audio", "avsieve.encoders.ecapa"),
        work=W.at("results/rebuilt/voices"),
    message:
        "Training the small audio encoder"
    shell:
        "python $AVSIEVE_SCRIPTS/train_tiny_audio.py --work {params.work} --output {output.model} > {log} 2>&1"
