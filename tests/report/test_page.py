import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from avsieve.report import page as page_module
from avsieve.report.corpus import Corpus
from avsieve.report.facts import Provenance
from avsieve.report.figure import OF_A_LIST
from avsieve.report.flagged import flagged_table
from avsieve.report.page import render_page, render_summary
from avsieve.report.registry import FIGURES
from avsieve.report.run import Run
from avsieve.report.sheet import Trusted, make_rows, most_certain
from avsieve.report.verdict import verdict_of

from .made_up import (
    make_audit,
    make_comparison,
    make_decisions,
    make_media,
    make_results,
    make_summary,
    make_truth,
    on_two_lists,
)

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Balance(HTMLParser):
    """Collect tags, and check that each is closed where it should be."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href", "srcset", "data", "action") and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href") and v]

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag


def parse(page):
    parser = Balance()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    decisions = make_decisions()
    results, gains, curves = make_results()
    failure = {
        "utterance": "s9/v9/1",
        "stage": "extract",
        "code": "not_media",
        "detail": "<b>ftyp</b>",
        "meaning": "no",
        "later": 0,
    }
    with make_media(tmp_path_factory.mktemp("shards"), decisions["utterance"].tolist()) as media:
        truth = make_truth(decisions)
        rows = make_rows(most_certain(decisions, 3), media, Trusted(decisions), truth, faces=5, players=8, voice_s=0.1)
    return Run(
        decisions=decisions,
        summary=make_summary(decisions),
        results=results,
        gains=gains,
        curves=curves,
        truth=make_truth(decisions),
        failures=pd.DataFrame([failure]),
        times=pd.DataFrame([{"rule": "align_faces", "jobs": 4, "seconds": 3.2, "peak_mb": np.nan, "per_s": 90.0}]),
        provenance=[Provenance("embed_audio", 4, 1, [("device", "cpu")])],
        certain=rows,
        close=rows[:1],
        wrong=rows[:1],
    )


@pytest.fixture(scope="module")
def page(run):
    return render_page(run)


@pytest.fixture
def no_figures(monkeypatch):
    """Leave the figures out, whose drawing takes most of the time, for tests that do not look at them."""
    monkeypatch.setattr(page_module, "_plots", lambda place, subject: [])


def test_the_page_is_well_formed_and_brings_everything_along(page, run):
    found = parse(page)
    assert all(link.startswith(("data:", "#")) for link in found.links)
    assert found.tags.count("script") == 2  # the table's rows as data, and what searches them
    of_run = [figure for figure in FIGURES.values() if figure.place not in OF_A_LIST]
    drawn = [figure.draw(run) for figure in of_run]
    drawn += [f.draw(item) for f in FIGURES.values() if f.place in OF_A_LIST for item in run.evaluated]
    assert found.tags.count("svg") == len([svg for svg in drawn if svg is not None]) >= 5
    assert found.tags.count("audio") == 3 * 3 + 2 * 3


def test_the_page_tells_what_the_run_found(page):
    for text in (
        "labels found wrong",
        "1.000",
        "gated fusion",
        "score average",
        "s9/v9/1",
        "align_faces",
        "embed_audio",
    ):
        assert text in page
    assert "may be one person" in page
    assert "with fewer than 20 speakers" in page


@pytest.mark.usefixtures("no_figures")
def test_what_comes_from_the_data_is_escaped(run):
    evil = '<script>alert("1")</script>'
    summary = make_summary(run.decisions, warnings={"emptied_speakers": {"count": 1, "speakers": [evil]}})
    nothing = {"decisions": run.decisions.head(0), "results": pd.DataFrame(), "curves": pd.DataFrame()}
    page = render_page(replace(run, title=evil, summary=summary, **nothing))
    assert "<script>alert" not in page
    assert "<b>ftyp" not in page
    assert "&lt;script&gt;" in page
    parse(page)


@pytest.mark.usefixtures("no_figures")
def test_ids_with_markup_stay_data_in_the_table(run):
    evil = "s0/v0/</script><img src=x onerror=alert(1)>"
    decisions = run.decisions.copy()
    row = decisions.index[decisions["decision"] == "noisy"][0]
    decisions.loc[row, "utterance"] = evil
    page = render_page(replace(run, decisions=decisions, certain=(), close=(), wrong=()))
    assert "onerror=alert(1)>" not in page
    assert evil in rows_of(page)["utterance"]
    parse(page)


def rows_of(page):
    return json.loads(re.search(r'id="flagged-data">(.*?)</script>', page, re.DOTALL)[1])


def test_all_that_was_flagged_can_be_found_on_the_page(run, page):
    flagged = run.decisions[run.decisions["decision"] == "noisy"]
    rows = rows_of(page)
    assert sorted(rows["utterance"]) == sorted(flagged["utterance"])
    assert rows["p_wrong"] == sorted(rows["p_wrong"], reverse=True)
    assert all(f"<code>{name}</code>" in page for name in flagged["utterance"])
    few = flagged_table(run.decisions, 2)
    assert (few.total, few.shown, len(few.plain)) == (len(flagged), 2, 2)


def test_links_within_the_page_lead_somewhere(page):
    ids = set(re.findall(r'\sid="([^"]+)"', page))
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert {"flagged", "where", "close"} <= links
    assert {link for link in links if not link.startswith("find=")} <= ids
    assert len(re.findall(r'\sid="u-', page)) == len(set(re.findall(r'\sid="(u-[^"]+)"', page)))


def test_the_page_begins_with_the_verdict_and_what_to_do_next(run, page):
    first = page[: page.index('class="tiles"')]
    n = int((run.decisions["decision"] == "noisy").sum())
    assert f"{n:,} of " in first
    assert "avsieve review results" in first
    assert "results/lists/train_clean.txt" in first
    assert page.index('id="flagged"') < page.index('id="close"') < page.index('id="sheet"') < page.index('id="worth"')


def test_what_is_not_expected_is_not_said_to_be_none(run):
    summary = make_summary(run.decisions) | {"estimated": {"precision": None, "recall": 0.25, "f1": None}}
    (told,) = [line for line in verdict_of(replace(run, summary=summary, truth=None)).sure if "expects" in line]
    assert told == "The method expects recall 0.250: of a hundred wrong ones about 25 are flagged."


def test_only_the_script_of_the_page_may_run(page):
    digest = re.search(r"script-src 'sha256-([^']+)'", page)[1]
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() == digest


def test_equal_runs_give_equal_bytes(run, page):
    assert render_page(run) == page


def test_figures_follow_the_colours_of_the_page(page):
    svgs = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert all("currentColor" in svg for svg in svgs)
    assert not any("#123456" in svg for svg in svgs)
    assert all(re.match(r"<svg [^>]*viewBox", svg) and not re.match(r'<svg [^>]*\bwidth="', svg) for svg in svgs)


def test_a_bare_run_has_a_page_too(run):
    bare = Run(decisions=run.decisions, summary=make_summary(run.decisions, estimated=None, warnings={}))
    page = render_page(bare)
    parse(page)
    assert "What it is worth" not in page
    assert "no truth is known" in page
    assert "None: every stage could use every utterance." in page
    assert "found wrong" in render_summary(bare)


def test_a_run_where_nothing_was_flagged_has_a_page(run):
    decisions = run.decisions.assign(decision="clean", kind="", p_wrong=0.01)
    page = render_page(Run(decisions=decisions, summary=make_summary(decisions)))
    parse(page)
    assert "No label was found wrong." in page


def test_a_run_of_voices_alone_has_a_page(run):
    decisions = run.decisions.assign(visual_similarity=np.nan, p_visual_wrong=np.nan)
    results = run.results[run.results["model"] == "audio"]
    page = render_page(replace(run, decisions=decisions, results=results, gains=pd.DataFrame({"model": []})))
    parse(page)
    assert "no face" in page


def test_an_empty_list_has_a_page(run):
    empty = run.decisions.head(0)
    page = render_page(Run(decisions=empty, summary=make_summary(empty) | {"utterances": 0, "speakers": 0}))
    parse(page)
    assert "</html>" in page


def test_many_utterances_make_no_large_page(run):
    many = pd.concat([run.decisions.assign(utterance=run.decisions["utterance"] + str(i)) for i in range(400)])
    many = many.reset_index(drop=True)
    page = render_page(replace(run, decisions=many, truth=None, certain=(), close=(), wrong=()))
    assert len(page) < 1_500_000
    flagged = int((many["decision"] == "noisy").sum())
    assert len(rows_of(page)["utterance"]) == min(flagged, 5000)
    assert len(flagged_table(many, 100).plain) == 100


def tile(page, name):
    """Return the value and the note of a tile."""
    found = re.search(rf"<b[^>]*>([^<]*)</b><span>{re.escape(name)}</span><small>([^<]*)</small>", page)
    return found and found.groups()


@pytest.mark.usefixtures("no_figures")
def test_the_title_names_the_corpus_its_size_and_the_day(run):
    corpus = Corpus("tree", ("/data/mp4 & <b>",), "2026-11-28")
    page = render_page(replace(run, title="Clean", corpus=corpus, place="/runs/one/results"))
    assert "<title>Clean: tree /data/mp4 &amp; &lt;b&gt;, 48 utterances</title>" in page
    assert "<h1>Clean: tree /data/mp4 &amp; &lt;b&gt;</h1>" in page
    head = page.split("<h1>")[1].split("<nav")[0]
    assert (
        "48 utterances of 4 speakers; decided on 2026-11-28 (the date of <code>results/lists/decisions.parquet" in head
    )
    assert "results in <code>/runs/one/results</code>" in head
    parse(page)


def test_pairs_of_a_label_and_whom_it_rather_is_have_a_table(page):
    table = page.split("Who they rather are")[1].split("</table>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    assert [[re.sub(r"<[^>]+>", "", cell) for cell in row] for row in rows] == [
        ["s0", "s1", "4", "1", "0.800"], ["s1", "s2", "1", "1", "0.800"], ["s2", "s3", "1", "1", "0.800"],
    ]  # fmt: skip
    assert 'href="#find=s0%2F%20s1"' in table


@pytest.mark.usefixtures("no_figures")
def test_every_card_names_its_files_and_the_times_of_its_faces(run, page):
    cards = page.split("<article")[1:]
    assert len(cards) == 5
    for card in cards:
        utterance = re.search(r"<code>([^<]+)</code>", card)[1]
        assert f"000.wav.tar: {utterance}.wav</code>" in card
        assert "<small>1.2 s</small>" in card
        assert "frame 0030 (1.20 s)" in card
    bare = [replace(row, places=[], strips=[replace(row.strips[0], faces=[])]) for row in run.certain]
    assert f"<code>{bare[0].utterance}.wav</code>" in render_page(replace(run, certain=bare, close=(), wrong=()))


@pytest.mark.usefixtures("no_figures")
def test_the_audit_stands_beside_what_the_method_expects(run):
    assert 'id="audit"' not in render_page(run)
    assert "audit_noise" in [step.code.split()[-1] for step in verdict_of(run).steps]
    audited = replace(run, audit=make_audit(run.decisions))
    page = render_page(audited)
    parse(page)
    told = "An audit, with 8 labels broken on purpose, measures precision 0.900 (95 % interval 0.710 to 0.990)"
    assert any(line.startswith(told) for line in verdict_of(audited).sure)
    part = page.split('id="audit"')[1].split("</section>")[0]
    for text in ("0.710 – 0.990", "<td>whole video</td>", "<td>two voices at once", "results/audit/audit.json"):
        assert text in part
    assert not [step for step in verdict_of(audited).steps if "audit" in step.code]


@pytest.mark.usefixtures("no_figures")
def test_an_audit_of_another_list_is_named_and_not_shown(run):
    other = replace(run, audit=make_audit(run.decisions), audit_misfit="the audit is of another list (abc, not def)")
    page = render_page(other)
    parse(page)
    assert "Not shown: the audit is of another list (abc, not def)." in page
    assert "0.710" not in page
    assert "The audit is of another list (abc, not def), so its figures say nothing here." in verdict_of(other).sure
    assert [step for step in verdict_of(other).steps if "audit_noise" in step.code]


@pytest.mark.usefixtures("no_figures")
def test_an_audit_that_measured_nothing_says_so(run):
    page = render_page(replace(run, audit=make_audit(run.decisions, measured={}, recall_by_kind={})))
    parse(page)
    assert "nothing could be measured" in page


@pytest.mark.usefixtures("no_figures")
def test_the_disk_that_each_stage_takes_stands_beside_its_time(run):
    disk = pd.DataFrame(
        [{"folder": "align", "files": 20, "bytes": 480_000}, {"folder": "lists", "files": 2, "bytes": 96}]
    )
    page = render_page(replace(run, disk=disk))
    parse(page)
    part = page.split('id="run"')[1]
    assert '<td><code>align/</code></td><td class="n">20</td><td class="n">480 kB</td><td class="n">10.0</td>' in part
    assert "<b>480 kB</b>" in part


def test_columns_of_another_table_are_refused(run):
    few = replace(run, columns=run.decided, decisions=run.decisions.head(5))
    with pytest.raises(ValueError, match="columns of 48 rows with decisions of 5"):
        _ = few.decided


def test_the_headline_is_chosen_before_anybody_looked(run):
    better = run.results[run.results["model"] == "gated"].assign(model="linear")
    better = better.assign(eer=better["eer"] / 10)
    results = pd.concat([run.results, better])
    gains = pd.concat([run.gains, run.gains.assign(model="linear")])
    for wanted, label in (("gated", "gated fusion"), ("linear", "linear fusion"), ("", "score average")):
        (told,) = verdict_of(replace(run, results=results, gains=gains, headline=wanted)).worth
        assert told.lower().startswith(label)
    (told,) = verdict_of(replace(run, headline="gated")).worth
    assert told == (
        "Gated fusion, trained on all and on the cleansed list: equal error rate (EER) 5.00 and 2.00 %. The gain is "
        "3.00 points, 95 % interval 1.00 to 4.00 points: the gain shows."
    )


@pytest.mark.usefixtures("no_figures")
def test_an_error_rate_stands_in_the_verdict_and_in_one_table(run):
    page = render_page(replace(run, headline="gated"))
    first, rest = page.split('id="flagged"')
    assert first.count("5.00 and 2.00") == 1
    assert not re.findall(r'class="tile".*EER', first)
    worth = rest.split('id="worth"')[1].split("</section>")[0]
    assert worth.count("<table>") == 1
    (row,) = [row for row in worth.split("<tr>") if row.startswith("<td>gated fusion")]
    cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
    assert cells[1:6] == ["5.00 3.10 – 7.20", "2.00 1.10 – 3.30", "3.00", "1.00 to 4.00", "the gain shows"]


def test_a_headline_that_was_not_evaluated_gives_way_in_a_fixed_order(run):
    rows = run.results[run.results["model"] != "gated"]
    (told,) = verdict_of(replace(run, results=rows, gains=pd.DataFrame({"model": []}), headline="gated")).worth
    assert told == (
        "Score average, which is not trained, has an equal error rate (EER) of 3.00 %, 95 % interval 1.50 to 6.00 %."
    )
    voices = rows[rows["model"] == "audio"]
    (told,) = verdict_of(replace(run, results=voices, headline="gated")).worth
    assert told.startswith("Voice alone, which is not trained, has an equal error rate (EER) of 8.00 %")


def test_damaged_trials_are_pooled_and_each_condition_has_a_line(run):
    assert "Damaged voices and faces" not in render_page(run)
    results, gains, curves = make_results(["whole", "blur", "crossed", "pooled"])
    results = results[(results["condition"] != "crossed") | (results["model"] != "audio")]  # has nothing in common
    page = render_page(replace(run, results=results, gains=gains, curves=curves))
    Balance().feed(page)
    part = page.split("Damaged voices and faces")[1].split("</section>")[0]
    assert "32.00" in part  # the voice, pooled
    assert part.count("<svg") == 2
    rows = [
        re.findall(r"<td[^>]*>([^<]*)</td>", row)
        for row in part.split("<tr>")
        if "<td>blur" in row or "<td>crossed" in row
    ]
    # Trained models by the cleansed list.
    assert rows == [["blur", "200", "16.00", "6.00", "4.00"], ["crossed", "200", "-", "9.00", "6.00"]]


def test_no_difference_is_called_none(run):
    (told,) = verdict_of(replace(run, gains=run.gains.assign(eer_gain_low=-0.01), headline="gated")).worth
    assert told.endswith("The gain is 3.00 points, 95 % interval -1.00 to 4.00 points: no difference shown.")


@pytest.mark.usefixtures("no_figures")
def test_the_headline_stands_on_trusted_trials_with_the_raw_ones_beside(run):
    results, gains, curves = on_two_lists()
    both = replace(run, results=results, gains=gains, curves=curves, headline="gated")
    page = render_page(both)
    parse(page)
    (told,) = verdict_of(both).worth
    assert "5.00 and 2.00 % on trials on utterances that the cleansing trusts." in told
    trusted, given = page.split("On trials on utterances that the cleansing trusts")[1].split(
        "On trials with the labels as they were given"
    )
    assert "<b>8.00</b>" in trusted
    assert "<b>18.00</b>" in given
    assert "their EER has a floor" in page


def test_every_list_of_the_users_has_its_name_its_table_and_its_curves(run):
    facts, lines = make_comparison()
    rows = [row | {"list": name} for row in facts["gains"] for name in ("O", "E")]
    told = [{"list": name, "labels": "official"} for name in ("O", "E")]
    facts |= {"list": "O", "labels": "official", "gains": rows, "trial_lists": told}
    made = make_results(["whole", "blur", "pooled"])
    tables = (pd.concat([t.assign(list=n, labels="official") for n in "OE"]) for t in made)
    results, gains, curves = tables
    several = replace(run, results=results, gains=gains, curves=curves, headline="gated", comparison=facts)
    page = render_page(replace(several, comparison_curves=lines.assign(list="O")))
    parse(page)
    assert "5.00 and 2.00 % on the trial list O." in verdict_of(several).worth[0]
    worth, compared = page.split('id="worth"')[1].split('id="compared"')
    for section in (worth, compared.split('id="similarities"')[0]):
        own, other = section.split("<h3>On the trial list O</h3>")[1].split("<h3>On the trial list E</h3>")
        assert "<table>" in own
        assert "<table>" in other
    for name in ("O", "E"):
        assert f"Detection error trade-off of every model on the trial list {name}" in worth
    assert "On the trial list O and those of each condition below" in worth


@pytest.mark.usefixtures("no_figures")
def test_builtin_models_on_real_people_leave_a_mark(run):
    keys = ["faces.detector", "visual.model"]
    page, words = (show(replace(run, builtin=keys)) for show in (render_page, render_summary))
    first = page.split('<div class="warning')[1]
    assert "faces.detector, visual.model: builtin models" in first
    assert first.startswith(" severe")
    assert "WARNING           faces.detector, visual.model: builtin models" in words
    assert "builtin models" not in render_page(run) + render_summary(run)


@pytest.mark.usefixtures("no_figures")
def test_lists_and_models_that_are_left_out_are_named(run):
    reasons = {"trusted": "nobody is trusted", "given": ""}
    listed = [{"list": labels, "labels": labels, "left_out": why} for labels, why in reasons.items()]
    facts = [("left_out", ""), ("trial_lists", json.dumps(listed)), ("models_left_out.all/gated.0", "too few people")]
    page = render_page(replace(run, provenance=[Provenance("evaluate_fusion", 1, 1, facts)]))
    assert "no trials on utterances that the cleansing trusts: nobody is trusted" in page
    assert "not trained, so not evaluated: all/gated.0 (too few people)" in page


@pytest.mark.usefixtures("no_figures")
def test_who_is_only_tested_is_counted_apart_from_the_list(run):
    failures = pd.concat([run.failures, run.failures.assign(utterance=run.decisions["utterance"].iloc[0])])
    page = render_page(replace(run, failures=failures))
    assert tile(page, "utterances failed") == ("1", "listed below; 1 more of people who are only tested")
    assert "48 of 4 speakers, 1 failed" in render_summary(replace(run, failures=failures))


@pytest.mark.usefixtures("no_figures")
def test_costs_of_ratios_have_a_column_where_some_system_has_them(run, page):
    assert "actDCF" not in page
    assert "Cllr" not in page
    results = run.results.assign(**{"act_dcf_0.05": np.nan, "cllr": np.nan})
    assert "Cllr" not in render_page(replace(run, results=results))
    results.loc[results["model"] == "gated", "cllr"] = 0.125
    shown = render_page(replace(run, results=results))
    parse(shown)
    assert "Cllr, bits" in shown
    assert "actDCF" not in shown
    assert "0.125 → 0.125" in shown
    assert '<td class="n">-</td>' in shown  # of those that have none


def test_minimum_costs_name_their_prior_and_the_list(page):
    assert "minDCF, prior 0.01" in page
    assert "0.250 → 0.100" in page
