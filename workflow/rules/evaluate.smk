"""Error rates of every fusion model, trained on the full and on the cleansed list.

INPUTS: results/embed_audio, results/embed_visual, results/models/fusion; trials, where the configuration names a list;
results/damage_audio, results/damage_visual, where signals are damaged.
OUTPUTS: results/evaluation.
"""


rule make_trials:
    """Make trials from the held-out speakers."""
    input:
        plan=P.plan.utterances,
        sex=brought(W.sex),
        truth=brought(W.trial_truth),
    output:
        P.evaluation.trials,
    log:
        P.log("make_trials"),
    benchmark:
        P.benchmark("make_trials")
    conda:
        W.env("core")
    params:
        *W.code("make_trials"),
        files=flags(W.trial_files),
        content=W.watch.files("tables", [*W.sex, *W.trial_truth]),
        trials=flags(W.trial_settings),
    message:
        "Making trials"
    shell:
        "python $AVSIEVE_SCRIPTS/make_trials.py --plan {input.plan} {params.files} {params.trials}"
        " --out {output} > {log} 2>&1"


rule make_trusted_trials:
    """Make trials of those of their utterances that the cleansing trusts."""
    input:
        plan=P.plan.utterances,
        decisions=P.lists.decisions,
        sex=brought(W.sex),
    output:
        P.evaluation.trusted,
    log:
        P.log("make_trusted_trials"),
    benchmark:
        P.benchmark("make_trusted_trials")
    conda:
        W.env("core")
    params:
        *W.code("make_trusted_trials"),
        files=flags(W.trial_files, leave=["truth"]),
        content=W.watch.files("tables", W.sex),
        trials=flags(W.trial_settings),
    message:
        "Making trials on trusted utterances"
    shell:
        "python $AVSIEVE_SCRIPTS/make_trusted_trials.py --plan {input.plan} --decisions {input.decisions}"
        " {params.files} {params.trials} --out {output} > {log} 2>&1"


rule list_cohort:
    """Choose the cohort of the AS-norm, once for all models."""
    input:
        list=brought([W.cohort_list]),
        plan=P.plan.utterances,
    output:
        P.evaluation.cohort,
    log:
        P.log("list_cohort"),
    benchmark:
        P.benchmark("list_cohort")
    conda:
        W.env("core")
    params:
        *W.code("list_cohort"),
        cohort=flags({"per_speaker": W.config.evaluation.as_norm.per_speaker}),
        lists=W.watch.files("lists", [W.cohort_list]),
    message:
        "Choosing the cohort of the score normalisation"
    shell:
        "python $AVSIEVE_SCRIPTS/list_cohort.py --list {input.list:q} --plan {input.plan} {params.cohort}"
        " --out {output} > {log} 2>&1"


rule make_damage:
    """Say which utterances of the trials are damaged under each condition, and how, once for all models."""
    input:
        trials=brought(W.trials),
        plan=P.plan.utterances,
    output:
        P.evaluation.damage,
    log:
        P.log("make_damage"),
    benchmark:
        P.benchmark("make_damage")
    conda:
        W.env("core")
    params:
        *W.code("make_damage"),
        damage=flags(W.damage.settings),
        lists=W.watch.files("lists", W.trials),
    message:
        "Choosing the utterances to damage"
    shell:
        "python $AVSIEVE_SCRIPTS/make_damage.py --trials {input.trials:q} --plan {input.plan} {params.damage}"
        " --out {output} > {log} 2>&1"


rule evaluate_fusion:
    """Evaluate all models on the trials."""
    input:
        W.cohort,
        brought(W.trained_on),
        brought(W.trial_truth),
        trials=brought(W.trials),
        audio=expand(P.of(P.embed.embeddings, modality="audio"), shard=W.shards),
        visual=expand(P.of(P.embed.embeddings, modality="visual"), shard=W.shards),
        sequences=W.sequences.files,
        damage=W.damage.files,
        models=W.fusion.models,
        joint=W.joint.tables,
        origins=W.joint.origins,
    output:
        results=P.evaluation.results,
        gains=P.evaluation.gains,
        curves=P.evaluation.curves,
        against=P.evaluation.against,
        times=P.evaluation.times,
        provenance=P.evaluation.provenance,
    log:
        P.log("evaluate_fusion"),
    benchmark:
        P.benchmark("evaluate_fusion")
    conda:
        W.env("torch")
    resources:
        **W.needs("evaluate_fusion"),
        gpu=W.gpu,
    params:
        *W.code("evaluate_fusion", *W.fusion.modules),
        evaluation=flags(
            W.config.evaluation,
            leave=[
                "trials",
                "holdout",
                "holdout_seed",
                "sex",
                "max_targets",
                "same_sex_share",
                "trials_seed",
                "as_norm",
                "damage",
            ],
        ),
        cohort=flags(W.cohort_file | W.cohort_top),
        sequences=flags(W.sequences.flags),
        damage=flags(W.damage.flags),
        models=flags(W.fusion.model_flags),
        joint=flags(W.joint.table_flags),
        labels=flags(W.trial_labels),
        truth=flags(W.trial_files, leave=["sex"]),
        builtin=flags({"builtin": W.builtin_models}),
        lists=W.watch.files(
            "lists", [*W.trials, *W.config.evaluation.trained_on, *W.trial_truth]
        ),
        device=W.config.device,
    message:
        "Evaluating fusion models"
    shell:
        "python $AVSIEVE_SCRIPTS/evaluate_fusion.py --trials {input.trials:q} {params.labels} {params.truth}"
        " {params.builtin} --audio {input.audio}"
        " --visual {input.visual} {params.models} {params.joint} {params.sequences} {params.damage} {params.cohort} {params.evaluation} --device {params.device} --threads {threads}"
        " --results {output.results} --gains {output.gains} --curves {output.curves}"
        " --against {output.against} --times {output.times} --provenance {output.provenance} > {log} 2>&1"
