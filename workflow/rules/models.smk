"""The small models that ship with the package, trained anew: `snakemake --cores N rebuild_models`.

INPUTS: none; the people are made up, and others than those of the embedded corpus.
OUTPUTS: results/rebuilt: the files of src/avsieve/models, with their provenance. Copy them there to ship them.
"""

from avsieve.training.encoder.settings import TrainAudio, TrainVisual

SHIPPED_FACES = TrainVisual(
    arch="mobileface_small",
    steps=1500,
    lr=3e-3,
    optimiser="adamw",
    weight_decay=1e-3,
    margin=0.3,
    seed=1,
)
SHIPPED_VOICES = TrainAudio(
    arch="ecapa_small",
    steps=1200,
    augment=["none", "none", "noise", "filter"],
    seed=2,
)


rule rebuild_models:
    """All three."""
    input:
        P.rebuilt.detector,
        P.rebuilt.face_encoder,
        P.rebuilt.voice_encoder,
    localrule: True


rule render_people:
    """Render people to train the visual models on (`train`) and to measure them on (`held`)."""
    output:
        frames=P.rebuilt.frames,
        index=P.rebuilt.frames_index,
        truth=P.rebuilt.truth,
        status=P.rebuilt.rendered,
        list=P.rebuilt.list,
    log:
        P.log("render_people", "{part}"),
    conda:
        W.env("media")
    params:
        *W.code("render_people"),
        people=lambda w: {
            "train": "--seed 1 --first 0 --people 600 --scenes 5 --frames-per-scene 4",
            "held": "--seed 1 --first 10000 --people 60 --scenes 4 --frames-per-scene 3",
        }[w.part],
    message:
        "Rendering people: {wildcards.part}"
    shell:
        "python $AVSIEVE_SCRIPTS/render_people.py --frames {output.frames} --truth {output.truth}"
        " --status {output.status} --train-list {output.list} {params.people} > {log} 2>&1"


rule train_tiny_detector:
    """Train the detector in SCRFD's layout."""
    input:
        frames=P.of(P.rebuilt.frames, part="train"),
        truth=P.of(P.rebuilt.truth, part="train"),
        held_frames=P.of(P.rebuilt.frames, part="held"),
        held_truth=P.of(P.rebuilt.truth, part="held"),
    output:
        model=P.rebuilt.detector,
        provenance=P.rebuilt.detector_provenance,
    log:
        P.log("train_tiny_detector"),
    conda:
        W.env("training")
    params:
        *W.code("train_tiny_detector"),
        training="--steps 1200 --batch 32 --lr 4e-3 --size 192 --seed 1",
    message:
        "Training the small detector"
    shell:
        "python $AVSIEVE_SCRIPTS/train_tiny_detector.py --frames {input.frames} --truth {input.truth}"
        " --held-out-frames {input.held_frames} --held-out-truth {input.held_truth} {params.training}"
        " --model {output.model} --provenance {output.provenance} > {log} 2>&1"


rule align_people:
    """Align the rendered people with the detector just trained."""
    input:
        model=P.rebuilt.detector,
        frames=P.rebuilt.frames,
        extracted=P.rebuilt.rendered,
    output:
        faces=P.rebuilt.faces,
        faces_index=P.rebuilt.faces_index,
        detections=P.rebuilt.detections,
        status=P.rebuilt.aligned,
        provenance=P.rebuilt.aligned_provenance,
    log:
        P.log("align_people", "{part}"),
    conda:
        W.env("faces")
    params:
        *W.code("align_faces"),
    message:
        "Aligning people: {wildcards.part}"
    shell:
        "python $AVSIEVE_SCRIPTS/align_faces.py --frames {input.frames} --extracted {input.extracted}"
        " --detector {input.model} --detector-size 224 --min-score 0.5 --no-tracking --landmarks none"
        " --face-jpeg-quality 95 --no-aligned --device cpu --threads {threads} --max-failed 0.02 --faces {output.faces}"
        " --detections {output.detections} --status {output.status} --provenance {output.provenance} > {log} 2>&1"


rule train_tiny_faces:
    """Train the face encoder, and export it for InsightFace."""
    input:
        list=P.of(P.rebuilt.list, part="train"),
        faces=P.of(P.rebuilt.faces, part="train"),
        held_faces=P.of(P.rebuilt.faces, part="held"),
        held_detections=P.of(P.rebuilt.detections, part="held"),
    output:
        weights=P.rebuilt.face_weights,
        trained=P.rebuilt.face_training,
        history=P.rebuilt.face_history,
        model=P.rebuilt.face_encoder,
        provenance=P.rebuilt.face_provenance,
    log:
        P.log("train_tiny_faces"),
    conda:
        W.env("training")
    params:
        *W.code("train_visual", "avsieve.encoders.mobileface"),
        *W.code("export_face_encoder"),
        arch=SHIPPED_FACES.arch,
        training=flags(SHIPPED_FACES),
    message:
        "Training the small face encoder"
    shell:
        "python $AVSIEVE_SCRIPTS/train_visual.py --list {input.list} --faces {input.faces} --output {output.weights}"
        " --log {output.history} --provenance {output.trained} {params.training} --device cpu --devices 1"
        " --precision fp32 --workers 0 --threads 1 --checkpoint-every 200 --half > {log} 2>&1;"
        " python $AVSIEVE_SCRIPTS/export_face_encoder.py --arch {params.arch} --weights {output.weights} --trained {output.trained}"
        " --held-out-faces {input.held_faces} --held-out-detections {input.held_detections} --model {output.model}"
        " --provenance {output.provenance} >> {log} 2>&1"


rule train_tiny_audio:
    """Train the small ECAPA on synthetic voices."""
    output:
        model=P.rebuilt.voice_encoder,
        provenance=P.rebuilt.voice_provenance,
    log:
        P.log("train_tiny_audio"),
    conda:
        W.env("encoders")
    params:
        *W.code("train_tiny_audio", "avsieve.encoders.ecapa"),
        work=W.at(P.rebuilt.voices),
        voices="--people 500 --videos 6 --seconds 3.5 --threads 1",
        training=flags(SHIPPED_VOICES),
    message:
        "Training the small audio encoder"
    shell:
        "python $AVSIEVE_SCRIPTS/train_tiny_audio.py --work {params.work} {params.voices} {params.training}"
        " --output {output.model} > {log} 2>&1"
