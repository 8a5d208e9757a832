"""The page as a file: whole, small, the same every time, and closed to what stands in the data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from tsunagu.report import report
from tsunagu.report.page.vendor import SHA256, VERSION, plotly, stylesheet_names


class Reader(HTMLParser):
    """Elements with their attributes, and the texts of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.raw = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] in ("script", "style") and self.cdata_elem:
            self.raw.append((*self.elements[-1], data))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def text(small):
    return small.path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def reader(text):
    return Reader(text)


def _source(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_seven_methods_ten_seeds_and_21_values_fit_into_three_megabytes(large):
    assert large.path.stat().st_size < 3_000_000


def test_only_the_scripts_and_styles_that_are_meant_may_run(reader):
    (policy,) = [each["content"] for each in reader.all("meta") if each.get("http-equiv")]
    rules = {name: sources for name, *sources in (rule.split() for rule in policy.split("; "))}
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    assert rules["img-src"] == ["data:"]
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        found = [
            _source(data) for name, attributes, data in reader.raw if name == tag and "type" not in attributes
        ]
        assert found == rules[rule]
        assert not any("src" in attributes for attributes in reader.all(tag))
    assert not [
        name
        for _, attributes in reader.elements
        for name in attributes
        if name == "style" or name.startswith("on")
    ]


def test_nothing_is_loaded_from_anywhere(reader):
    addresses = [each[name] for _, each in reader.elements for name in ("src", "href") if name in each]
    assert addresses
    assert not [each for each in addresses if re.match(r"(?!data:)[a-z]+:|//", each)]


def test_texts_of_the_data_are_texts(text, reader, hostile):
    assert hostile not in text
    assert reader.all("img") == [each for each in reader.all("img") if each["src"].startswith("data:image/")]
    (data,) = [data for name, attributes, data in reader.raw if attributes.get("id") == "data"]
    embedded = json.loads(data)
    assert hostile in embedded["looks"]
    assert not set("<>&") & set(data)
    assert len(re.findall("<script", text)) == len(re.findall("</script>", text)) == 3


def test_every_figure_is_there_as_a_picture_and_every_picture_has_words(reader):
    pictures = reader.all("img")
    assert len(pictures) == 2 + 1 + 1 + 2  # violins, ROC curve, choices, learning curves
    assert all(each["alt"] for each in pictures)
    assert all(each.get("aria-label") for each in reader.all("div") if each.get("role") in ("img", "region"))


def test_ids_are_there_once_and_labels_and_links_lead_to_them(reader):
    ids = [each["id"] for _, each in reader.elements if "id" in each]
    assert len(ids) == len(set(ids))
    assert {each["for"] for each in reader.all("label") if "for" in each} <= set(ids)
    assert {each["href"][1:] for each in reader.all("a") if each["href"].startswith("#")} <= set(ids)


def test_the_report_writes_it_beside_its_figures_and_tells_of_it(own, quick, tmp_path):
    assert own / "report.html" in report(own)
    first = (own / "report.html").read_text(encoding="utf-8")
    assert 'href="figures/roc_score.pdf"' in first
    report(own, tmp_path / "elsewhere")
    other = (tmp_path / "elsewhere" / "report.html").read_text(encoding="utf-8")
    assert 'href="./roc_score.pdf"' in other
    assert (
        other.replace('href="./', 'href="figures/').replace("<code>.</code>", "<code>figures</code>") == first
    )


def test_a_study_without_a_score_has_a_page_without_sliders(own, quick):
    summary = json.loads((own / "summary.json").read_text(encoding="utf-8"))
    del summary["outputs"]["score"]
    (own / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    report(own)
    reader = Reader((own / "report.html").read_text(encoding="utf-8"))
    assert not reader.all("input")
    assert {"results", "spread", "learning"} < {each.get("id") for each in reader.all("section")}


def test_plotly_is_the_file_that_its_makers_publish():
    folder = files("tsunagu.report.page") / "vendor"
    content = (folder / "plotly-cartesian.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256
    assert f"v{VERSION}" in plotly()[:200]
    assert "MIT License" in (folder / "plotly-LICENSE.txt").read_text(encoding="utf-8")
    assert "</script" not in plotly()
    assert stylesheet_names()
