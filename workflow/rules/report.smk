"""One page with everything that matters.

INPUTS: the lists, scores and evaluation; faces and wavs of what is shown; the status tables and provenance of all stages;
with report.with_audit the audit, which is shown too where it is there without having been asked for.
OUTPUTS: results/report/index.html, results/report/summary.txt.
"""


rule write_report:
    """Write the report."""
    input:
        status=W.status,
        faces=W.shown["faces"],
        boxes=W.shown["boxes"],
        wavs=W.shown["wavs"],
        clips=W.shown["clips"],
        plan=P.plan.utterances,
        decisions=P.lists.decisions,
        summary=P.lists.summary,
        results=P.evaluation.results,
        gains=P.evaluation.gains,
        curves=P.evaluation.curves,
        comparison=list(W.comparison.values()),
        truth=brought(W.truth),
        audit=W.audit,
        rounds=W.round_facts,
    output:
        page=report(
            P.report.page,
            caption="../report/page.rst",
            category="Report",
        ),
        text=P.report.text,
    log:
        P.log("write_report"),
    benchmark:
        P.benchmark("write_report")
    conda:
        W.env("report")
    resources:
        **W.needs("write_report"),
    params:
        *W.code("write_report", *W.fusion.modules, *W.figures),
        folders=flags(W.report_folders),
        truth=flags(W.truth_flag),
        comparison=flags(W.comparison_flags | W.round_flag),
        content=W.watch.files("truth", W.truth),
        choice=flags({"headline": W.fusion.headline, "builtin": W.builtin_models}),
        report=flags(W.config.report, leave=["with_audit"]),
        audit=flags(W.audit_flag),
        audited=W.audited,
    message:
        "Writing the report"
    shell:
        "python $AVSIEVE_SCRIPTS/write_report.py --decisions {input.decisions} --summary {input.summary}"
        " --plan {input.plan} --results {input.results} --gains {input.gains} --curves {input.curves}"
        " {params.comparison} {params.truth} {params.audit}"
        " {params.folders} {params.choice}"
        " {params.report} --out {output.page} --summary-text {output.text} > {log} 2>&1"
