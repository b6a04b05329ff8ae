"""One page with everything that matters.

INPUTS: the lists, scores and evaluation; faces and wavs of what is shown; the status tables and provenance of all stages.
OUTPUTS: results/report/index.html, results/report/summary.txt.
"""


rule write_report:
    """Write the report."""
    input:
        status=expand(
            "results/{stage}/{shard}.status.parquet",
            stage=W.stages,
            shard=W.shards,
        ),
        faces=W.shown["faces"],
        wavs=W.shown["wavs"],
        plan="results/plan/utterances.parquet",
        decisions="results/lists/decisions.parquet",
        summary="results/lists/summary.json",
        results="results/evaluation/results.csv",
        gains="results/evaluation/gains.csv",
        curves="results/evaluation/curves.parquet",
        comparison=list(W.comparison.values()),
        truth=brought(W.truth),
    output:
        page=report(
            "results/report/index.html",
            caption="../report/page.rst",
            category="Report",
        ),
        text="results/report/summary.txt",
    log:
        "results/logs/write_report.log",
    benchmark:
        "results/benchmarks/write_report.tsv"
    conda:
        W.env("report")
    params:
        *W.code("write_report", *W.figures),
        folders=flags(W.report_folders),
        truth=flags(W.truth_flag),
        comparison=flags(W.comparison_flags),
        content=W.watch.files("truth", W.truth),
        choice=flags({"headline": W.headline, "builtin": W.builtin_models}),
        report=flags(W.config.report),
    message:
        "Writing the report"
    shell:
        "python $AVSIEVE_SCRIPTS/write_report.py --decisions {input.decisions} --summary {input.summary}"
        " --plan {input.plan} --results {input.results} --gains {input.gains} --curves {input.curves}"
        " {params.comparison} {params.truth}"
        " {params.folders} {params.choice}"
        " {params.report} --out {output.page} --summary-text {output.text} > {log} 2>&1"
