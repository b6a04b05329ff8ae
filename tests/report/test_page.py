import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from avsieve.report.facts import Provenance
from avsieve.report.figures import similarity_scatter
from avsieve.report.page import Run, render_page, render_summary
from avsieve.report.sheet import Trusted, make_rows, most_certain

from .made_up import make_decisions, make_media, make_results, make_summary, make_truth

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
        rows = make_rows(most_certain(decisions, 3), media, Trusted(decisions), make_truth(decisions), voice_s=0.1)
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


def test_the_page_is_well_formed_and_brings_everything_along(page):
    found = parse(page)
    assert all(link.startswith(("data:", "#")) for link in found.links)
    assert "script" not in found.tags
    assert found.tags.count("svg") == 5
    assert found.tags.count("audio") == 3 * 3 + 2 * 3


def test_the_page_tells_what_the_run_found(page):
    for text in ("labels found wrong", "1.000", "gated fusion", "5.00 → 2.00", "s9/v9/1", "align_faces", "embed_audio"):
        assert text in page
    assert "may be one person" in page
    assert "with fewer than 20 speakers" in page


def test_what_comes_from_the_data_is_escaped(run):
    evil = '<script>alert("1")</script>'
    summary = make_summary(run.decisions, warnings={"emptied_speakers": {"count": 1, "speakers": [evil]}})
    nothing = {"decisions": run.decisions.head(0), "results": pd.DataFrame(), "curves": pd.DataFrame()}
    page = render_page(replace(run, title=evil, summary=summary, **nothing))
    assert "<script" not in page
    assert "<b>ftyp" not in page
    assert "&lt;script&gt;" in page
    parse(page)


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


def test_many_points_are_sampled(run):
    many = pd.concat([run.decisions.assign(utterance=run.decisions["utterance"] + str(i)) for i in range(400)])
    assert len(similarity_scatter(many, None, most=100)) < 100_000
