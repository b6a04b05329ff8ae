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
            plan="results/plan/utterances.parquet",
            clean="results/lists/train_all_clean.txt",
            decisions="results/lists/decisions.parquet",
        output:
            f"results/export/{FORM}.json",
        log:
            f"results/logs/export_{FORM}.log",
        benchmark:
            f"results/benchmarks/export_{FORM}.tsv"
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
