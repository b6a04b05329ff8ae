"""A run in other layouts: a rule for each form of `avsieve.export.registry`, named after it.

INPUTS: results/lists, results/align (faces), results/extract (wavs; frames, if they are wanted).
OUTPUTS: results/export (counts); the files themselves lie in the folder `export.out`.
"""

for FORM in W.forms:

    rule:
        """Write faces and sound of the run in another layout."""
        name:
            f"export_{FORM}"
        input:
            brought(W.export_files),
            W.export_shards(),
            plan=P.plan.utterances,
            clean=P.lists.flagged,
            decisions=P.lists.decisions,
        output:
            P.of(P.export.summary, form=FORM),
        log:
            P.log(f"export_{FORM}"),
        benchmark:
            P.benchmark(f"export_{FORM}")
        conda:
            W.env("core")
        threads: W.forms[FORM].threads
        params:
            *W.code("export", W.forms.module(FORM)),
            form=FORM,
            export=W.export_flags(FORM),
            lists=W.watch.files("lists", W.export_files),
        message:
            "Writing the export {params.form}"
        shell:
            "python $AVSIEVE_SCRIPTS/export.py {params.form} {params.export} --threads {threads}"
            " --summary {output} > {log} 2>&1"
