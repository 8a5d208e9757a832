"""Studies with made-up scans over conditions, their pages, and a browser to open them in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest

from tsunagu.report.figures import _drawn
from tsunagu.report.page import Scan, page
from tsunagu.report.reading import read_outcome

BETA, SHARE = "one_minus_beta", "share of <calibrate>"
HOSTILE = "</script><img src=x onerror=window.pwned=1>"
REQUIRED = "TSUNAGU_NEEDS_BROWSER"


def scan_of(score, label, weight, seed, points=21, shares=(0.5,)) -> Scan:
    """Scores that move and blur with one condition, and with a second one where there are several shares."""
    draw = np.random.default_rng(seed)
    grid = np.geomspace(1e-6, 1.0, points)
    beta, share = (part.ravel() for part in np.meshgrid(grid, shares, indexing="ij"))
    noise = draw.normal(0.0, 1.0, (len(beta), len(score)))
    scores = score - 0.2 * np.log(beta)[:, None] + noise * (0.3 - 0.1 * np.log(beta) + share)[:, None]
    metrics = {
        "loss of calibrate": 0.2 + 0.1 * share**2 - 0.01 * np.log(beta),
        "loss of classify": 0.3 + beta,
    }
    # Weights of both signs, as those of a generator at next-to-leading order.
    signed = np.where(draw.random(len(weight)) < 0.05, -weight, weight)
    return Scan(
        scores=scores,
        labels=label,
        weights=signed,
        conditions={BETA: beta, **({SHARE: share} if len(shares) > 1 else {})},
        metrics=metrics,
    )


def of_trial(trial, output, **grid) -> Scan:
    columns = trial.predictions.take("test", output.name, output.target, "weight")
    return scan_of(*columns, trial.seed, **grid)


@final
@dataclass(frozen=True)
class Made:
    """A page on the disk, and the study that it is of."""

    path: Path
    outcome: Any
    grid: dict[str, Any]

    @property
    def address(self) -> str:
        return self.path.as_uri()

    def scan(self, method: int, seed: int) -> Scan:
        output = next(each for each in self.outcome.outputs if each.classifies)
        return of_trial(self.outcome.methods[method].trials[seed], output, **self.grid)


def make_page(out: Path, scanned: Callable[[str], bool] = lambda folder: True, **grid: Any) -> Made:
    outcome = read_outcome(out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "tsunagu.report.page.scans.collect_scan",
            lambda trial, output, _: of_trial(trial, output, **grid) if scanned(trial.folder.name) else None,
        )
        text, _ = page(outcome, *_drawn(outcome))
    path = out / "report.html"
    path.write_text(text, encoding="utf-8")
    return Made(path, outcome, grid)


@pytest.fixture(scope="session")
def large(study_folder, tmp_path_factory) -> Made:
    """Seven methods with ten seeds, scanned at 21 values."""
    blurs = {f"{kind} network": 0.9 + 0.2 * number for number, kind in enumerate("abcdefg")}
    return make_page(study_folder(tmp_path_factory.mktemp("large") / "out", 3000, blurs, range(1, 11)))


@pytest.fixture(scope="session")
def small(study_folder, tmp_path_factory) -> Made:
    """Two methods with three seeds: one with two conditions, one with none; texts that try to become code."""
    out = study_folder(
        tmp_path_factory.mktemp("small") / "out", 6000, {HOSTILE: 0.9, "plain": 1.7}, (1, 2, 3)
    )
    for name in ("summary.json", "results.csv"):
        text = (out / name).read_text(encoding="utf-8")
        text = text.replace("H to tau tau", HOSTILE).replace(",plain,", f",{HOSTILE},")
        (out / name).write_text(text, encoding="utf-8")
    return make_page(out, lambda folder: folder.startswith("trial0"), points=5, shares=(0.0, 0.5, 1.0))


@pytest.fixture(scope="session")
def make_scan() -> Callable[..., Scan]:
    return scan_of


@pytest.fixture(scope="session")
def hostile() -> str:
    return HOSTILE


def _programs() -> tuple[str | None, str | None]:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None), shutil.which("chromedriver")


@pytest.fixture(scope="session")
def open_browser() -> Callable[..., Any]:
    """Starts a headless Chromium; the tests that need one are skipped where there is none."""
    browser, driver = _programs()
    if not browser or not driver:
        reason = "no Chromium with its driver: apt-get install chromium chromium-driver"
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(reason)
    webdriver = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
    from selenium.webdriver.chrome.service import Service

    def start(*, scripts: bool = True) -> Any:
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for word in (
            "headless=new",
            "no-sandbox",
            "disable-dev-shm-usage",
            "disable-gpu",
            "window-size=1280,1000",
        ):
            options.add_argument(f"--{word}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        if not scripts:
            setting = {"profile.managed_default_content_settings.javascript": 2}
            options.add_experimental_option("prefs", setting)
        return webdriver.Chrome(options=options, service=Service(driver))

    return start


@pytest.fixture(scope="module")
def browser(open_browser) -> Iterator[Any]:
    """One that a whole module uses; a test opens its page anew."""
    driver = open_browser()
    yield driver
    driver.quit()
