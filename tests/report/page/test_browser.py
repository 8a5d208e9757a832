"""The page in a real headless Chromium: what is redrawn is right, nothing leaves, and it needs neither mouse nor script."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tsunagu.metrics import auc
from tsunagu.report.numbers import mean_rejection, rejection
from tsunagu.report.page.bins import bin_scores, binned_auc
from tsunagu.report.page.scan import Scan

READY = "return document.querySelector('#explore').dataset.drawn"
POINTS = 21


def show(browser, made):
    """The page with its sliders in view and drawn; what earlier pages logged is forgotten."""
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(made.address)
    run(browser, "document.querySelector('#explore').scrollIntoView({behavior: 'instant'})")
    wait(browser, lambda: run(browser, READY))
    return browser


def run(browser, script, *values):
    return browser.execute_script(script, *values)


def wait(browser, condition):
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, 60, 0.02).until(lambda _: condition())


def element(browser, name):
    return browser.find_element("id", name)


def changing(browser, act):
    """Waits until what an action changes is drawn."""
    before = run(browser, READY)
    act()
    wait(browser, lambda: run(browser, READY) != before)


def reading(browser, name="auc"):
    return float(element(browser, f"read-{name}").get_attribute("data-value"))


def press(browser, name, *keys):
    from selenium.webdriver.common.keys import Keys

    for key in keys:
        changing(browser, lambda key=key: element(browser, name).send_keys(getattr(Keys, key)))


def select(browser, name, text):
    from selenium.webdriver.support.ui import Select

    changing(browser, lambda: Select(element(browser, name)).select_by_visible_text(text))


def exact_areas(made, method, point, seeds):
    scans = [made.scan(method, seed) for seed in seeds]
    return np.array([auc(scan.scores[scan.order[point]], scan.labels, scan.weights) for scan in scans])


def test_a_slider_moved_by_keys_gives_the_areas_that_python_has(browser, large):
    show(browser, large)
    slider = element(browser, "condition-0")
    for keys in (["HOME"], ["ARROW_RIGHT", "ARROW_RIGHT", "ARROW_RIGHT"], ["END"], ["ARROW_LEFT"]):
        press(browser, "condition-0", *keys)
        point = int(slider.get_attribute("value"))
        assert reading(browser) == pytest.approx(exact_areas(large, 0, point, range(10)).mean(), abs=1e-3)
        value = np.geomspace(1e-6, 1.0, POINTS)[point]
        assert float(slider.get_attribute("aria-valuetext").split()[-1]) == pytest.approx(value, rel=0.01)


def test_a_slider_dragged_with_the_mouse_does_the_same(browser, large):
    from selenium.webdriver.common.action_chains import ActionChains

    show(browser, large)
    slider = element(browser, "condition-0")
    before = reading(browser)
    width = slider.size["width"]
    drag = (
        ActionChains(browser)
        .move_to_element(slider)
        .click_and_hold()
        .move_by_offset(-int(0.3 * width), 0)
        .release()
    )
    changing(browser, drag.perform)
    point = int(slider.get_attribute("value"))
    assert 2 <= point <= 6
    assert reading(browser) != before
    assert reading(browser) == pytest.approx(exact_areas(large, 0, point, range(10)).mean(), abs=1e-3)


def test_one_seed_and_another_method(browser, large):
    show(browser, large)
    select(browser, "method", "c network")
    press(browser, "condition-0", "HOME")
    select(browser, "seed", "seed 4")
    assert reading(browser) == pytest.approx(exact_areas(large, 2, 0, [3])[0], abs=1e-3)


@pytest.mark.parametrize(
    ("by", "name"), [("signal efficiency", "signal"), ("background efficiency", "background")]
)
def test_a_working_point_keeps_its_efficiency(browser, large, by, name):
    show(browser, large)
    select(browser, "by", by)
    press(browser, "cut", "ARROW_LEFT")
    press(browser, "condition-0", "HOME", "ARROW_RIGHT")
    level = {"signal": 0.49, "background": 10**-2.05}[name]
    assert reading(browser, name) == pytest.approx(level, rel=1e-3)
    shares = []
    for seed in range(10):
        scan = large.scan(0, seed)
        scores, own = scan.scores[scan.order[1]], scan.labels == (name == "signal")
        shares.append(share_above(scores, own, ~own, scan.weights, level))
    other = {"signal": "background", "background": "signal"}[name]
    assert reading(browser, other) == pytest.approx(np.mean(shares), rel=0.05)


def share_above(scores, own, others, weights, level):
    """The share of the others above the score that leaves ``level`` of the own."""
    order = np.argsort(-scores[own])
    passed = np.cumsum(weights[own][order]) / weights[own].sum()
    cut = scores[own][order][np.searchsorted(passed, level)]
    return weights[others & (scores >= cut)].sum() / weights[others].sum()


def test_the_table_of_a_cut_is_that_of_the_events(browser, large):
    show(browser, large)
    select(browser, "seed", "seed 1")
    scan = large.scan(0, 0)
    scores = scan.scores[scan.order[POINTS // 2]]
    cells = [
        float(each.text.replace("\N{MINUS SIGN}", "-"))
        for each in browser.find_elements("css selector", "#confusion td")
    ]
    expected = [
        scan.weights[(scan.labels == label) & ((scores > 0) == taken)].sum()
        / scan.weights[scan.labels == label].sum()
        for label in (0, 1)
        for taken in (False, True)
    ]
    assert cells == pytest.approx(expected, abs=0.005)


def test_two_conditions_make_a_product_and_a_method_has_none(browser, small, hostile):
    show(browser, small)
    press(browser, "condition-0", "HOME", "ARROW_RIGHT")
    press(browser, "condition-1", "END")
    assert reading(browser) == pytest.approx(exact_areas(small, 0, 1 * 3 + 2, range(3)).mean(), abs=1e-3)
    select(browser, "method", "plain")
    assert not browser.find_elements("id", "condition-0")
    stored = [
        trial.predictions.take("test", "score", "is_higgs", "weight")
        for trial in small.outcome.methods[1].trials
    ]
    assert reading(browser) == pytest.approx(np.mean([auc(*each) for each in stored]), abs=1e-3)


def test_a_held_curve_stays(browser, large):
    show(browser, large)
    names = "return document.querySelector('#explore-roc').data.map((trace) => trace.name)"
    before = run(browser, names)
    changing(browser, element(browser, "hold").click)
    press(browser, "condition-0", "HOME")
    assert len(run(browser, names)) == len(before) + 1
    assert element(browser, "hold").get_attribute("aria-pressed") == "true"


def test_the_curve_is_that_of_the_static_figures(browser, small):
    show(browser, small)
    select(browser, "method", "plain")
    drawn = run(
        browser,
        "return document.querySelector('#explore-roc').data.find((trace) => trace.line?.width === 2.2).y",
    )
    efficiency = np.linspace(0.01, 1.0, 100)
    stored = [
        trial.predictions.take("test", "score", "is_higgs", "weight")
        for trial in small.outcome.methods[1].trials
    ]
    middle, _, _ = mean_rejection([rejection(*each, efficiency) for each in stored])
    found = np.array(drawn, np.float64)
    both = np.isfinite(found) & np.isfinite(middle)
    assert both.sum() > 40
    np.testing.assert_allclose(np.log(found[both]), np.log(middle[both]), atol=0.12)
    assert np.abs(np.log(found[both] / middle[both])).mean() < 0.02


def test_the_mathematics_of_the_page_is_that_of_python(browser, large):
    show(browser, large)
    draw = np.random.default_rng(1)
    label = draw.integers(0, 2, 3000).astype(float)
    score = draw.normal(0, 1, 3000) + 1.2 * label
    weight = np.where(draw.random(3000) < 0.1, -1.0, 1.0)
    shares = bin_scores(Scan(scores=score[None], labels=label, weights=weight), 1).shares.astype(np.float64)
    maths = "return tsunagu.maths"
    assert run(browser, f"{maths}.area(arguments[0], arguments[1])", *shares[0].tolist()) == pytest.approx(
        binned_auc(shares)[0] / shares[0].sum(axis=1).prod(), abs=1e-12
    )
    halves = np.array([0.0, 1.0, -2.5, 6e-8, 65504.0, 0.1, -3e-5], np.float16)
    found = run(
        browser, f"{maths}.shorts && arguments[0].map(tsunagu.maths.half)", halves.view(np.uint16).tolist()
    )
    assert found == halves.astype(float).tolist()
    curve = draw.normal(0, 1, 50).cumsum().tolist()
    expected = 0.5 * (np.maximum.accumulate(curve) + np.minimum.accumulate(curve[::-1])[::-1])
    assert run(browser, f"{maths}.rising(arguments[0])", curve) == pytest.approx(expected.tolist())
    xs, ys = np.sort(draw.random(20)), draw.random(20)
    for x in (-1.0, 0.3, 0.77, 2.0):
        assert run(
            browser, f"{maths}.interpolate(...arguments)", x, xs.tolist(), ys.tolist()
        ) == pytest.approx(np.interp(x, xs, ys))
    rows = draw.uniform(1, 9, (4, 3))
    band = run(browser, f"{maths}.band(arguments[0], true)", rows.tolist())
    for name, values in zip(("middle", "low", "high"), mean_rejection(list(rows)), strict=True):
        assert band[name] == pytest.approx(values.tolist())
    assert run(browser, f"{maths}.front([1, 2, 3, 2], [3, 2, 1, 3])") == [True, True, True, False]


def test_nothing_leaves_the_page_and_nothing_is_refused(browser, large):
    show(browser, large)
    press(browser, "condition-0", "END")
    run(browser, "scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    wait(browser, lambda: run(browser, "return document.querySelectorAll('#stages svg').length > 0"))
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = {
        each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"
    }
    assert large.address in sent
    assert not [url for url in sent - {large.address} if not url.startswith("data:")]
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def test_texts_of_the_data_do_nothing(browser, small, hostile):
    show(browser, small)
    run(
        browser,
        "for (const box of document.querySelectorAll('section')) box.scrollIntoView({behavior: 'instant'})",
    )
    assert run(browser, "return window.pwned") is None
    assert browser.find_element("tag name", "h1").text == browser.title == hostile
    assert run(browser, "return document.querySelectorAll('img[src=x]').length") == 0
    assert "share of <calibrate>" in browser.find_element("id", "conditions").text
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def test_all_of_it_can_be_reached_and_used_with_keys_alone(browser, large):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    show(browser, large)
    run(browser, "scrollTo(0, 0); document.activeElement.blur()")
    reached = []
    for _ in range(60):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(run(browser, "return document.activeElement.id"))
        if reached[-1] == "learning-method":
            break
    wanted = ["method", "seed", "by", "hold", "condition-0", "cut", "across", "upwards", "learning-method"]
    assert [name for name in reached if name in wanted] == wanted
    for name in wanted:
        assert run(browser, "return document.getElementById(arguments[0])", name).accessible_name
    chosen = run(browser, "document.getElementById('seed').focus(); return document.activeElement.value")
    changing(browser, lambda: ActionChains(browser).send_keys(Keys.ARROW_DOWN).perform())
    assert run(browser, "return document.activeElement.value") != chosen


def test_it_opens_in_less_than_two_seconds(browser, large):
    def opened():
        show(browser, large)
        return run(browser, "return performance.getEntriesByType('navigation')[0].loadEventEnd")

    assert min(opened() for _ in range(3)) < 2000


@pytest.mark.parametrize("width", [360, 1280])
def test_no_width_makes_the_page_scroll_sideways(browser, small, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        show(browser, small)
        run(
            browser,
            "for (const box of document.querySelectorAll('figure')) box.scrollIntoView({behavior: 'instant'})",
        )
        assert run(browser, "return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_dark_theme_has_other_colours(browser, small):
    ink = "return document.querySelector('#explore-roc .xtick text').style.fill"
    show(browser, small)
    light = run(browser, ink)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        wait(browser, lambda: run(browser, ink) != light)
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_it_can_be_printed(browser, small):
    import base64

    show(browser, small)
    sheets = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    content = base64.b64decode(sheets["data"])
    assert 2 <= content.count(b"/Type /Page\n") <= 8
    assert not run(browser, "return document.documentElement.classList.contains('paper')")


def test_without_scripts_there_are_pictures_and_numbers(open_browser, small):
    driver = open_browser(scripts=False)
    try:
        driver.get(small.address)
        pictures = driver.find_elements("tag name", "img")
        assert len(pictures) == 6
        assert all(picture.is_displayed() and picture.size["height"] > 100 for picture in pictures)
        assert not driver.find_element("id", "explore").is_displayed()
        assert "0.9060" in driver.find_element("id", "results").text
    finally:
        driver.quit()
