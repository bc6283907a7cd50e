"""The page of a report, in a real browser."""

import json
import shutil

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeRegressor

from genestimators import generalization_report
from tests.diagnostics import toys

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Text on its background, by the formula of WCAG 2: the least ratio, and where it is.
CONTRAST = """
const numbers = text => text.match(/[\\d.]+/g).map(Number);
const channel = v => { v /= 255;
  return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const luminance = ([r, g, b]) =>
  0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const background = node => { for (; node; node = node.parentElement) {
  const c = numbers(getComputedStyle(node).backgroundColor);
  if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
let worst = [99, ""], seen = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim()) continue;
  if (["TITLE", "DESC", "STYLE"].includes(node.tagName.toUpperCase())) continue;
  const style = getComputedStyle(node);
  const inked = node.namespaceURI.endsWith("svg") ? style.fill : style.color;
  const a = luminance(numbers(inked)), b = luminance(background(node));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  seen += 1;
  if (ratio < worst[0]) worst = [ratio, walker.currentNode.data];
}
return [worst[0], worst[1], seen, getComputedStyle(document.body).backgroundColor];
"""


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver")
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("there is no Chromium with its driver here; see `make browser`")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability(
        "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"}
    )
    service = webdriver.ChromeService(executable_path=driver)
    opened = webdriver.Chrome(options=options, service=service)
    yield opened
    opened.quit()


def _report(kind):
    told = {"n_repeats": 2, "random_state": 0}
    if kind == "tree":
        X, y = toys.regression(80)
        return generalization_report(DecisionTreeRegressor(), X, y, **told)
    if kind == "classifier":
        X, y = toys.classes(90, k=3)
        labels = np.array(["<b>ham</b>", "spam & eggs", "x" * 60])[y]
        return generalization_report(LogisticRegression(), X, labels, **told)
    X, y = toys.regression(60)
    return generalization_report(Ridge(), X, 1e9 * y, **told)


@pytest.fixture(scope="module", params=["tree", "classifier", "large"])
def opened(request, browser, tmp_path_factory):
    """A report, and the browser that shows it."""
    report = _report(request.param)
    path = tmp_path_factory.mktemp("page") / "report.html"
    report.to_html(path)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri())
    return report, browser, path


def test_opens_without_errors_or_requests(opened):
    _, browser, path = opened
    assert browser.get_log("browser") == []
    asked = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    others = [url for url in asked if not url.startswith("data:")]
    assert set(others) <= {path.as_uri()}
    assert browser.title == "Generalization report"
    assert browser.execute_script("return document.scripts.length") == 0


def test_numbers_are_those_of_the_object(opened):
    report, browser, _ = opened
    shown = browser.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('data[id]')]"
        ".map(one => [one.id, [one.value, one.textContent]]))"
    )
    found = report.decomposition
    expected = {
        "loss": report.loss,
        "loss-low": report.loss_interval[0],
        "loss-high": report.loss_interval[1],
        "t-loss": report.loss,
        "t-training": report.training_loss,
        "t-variance": found.variance,
        "t-rest": found.bias_and_noise,
        "t-noise": found.noise_upper_bound,
        "t-seed": found.seed_variance,
    }
    assert set(shown) == set(expected)
    for name, value in expected.items():
        exact, text = shown[name]
        assert float(exact) == value
        assert float(text) == pytest.approx(value, rel=0.005, abs=1e-300)
    text = browser.execute_script("return document.body.innerText")
    for statement in report.verdict:
        assert statement.text in text
        assert statement.remedy in text
    assert report.advice() in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_in_both_themes(opened, theme):
    """WCAG 2, level AA: a contrast of 4.5 at least."""
    _, browser, _ = opened
    feature = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    ratio, where, seen, background = browser.execute_script(CONTRAST)
    assert seen > 50
    assert ratio >= 4.5, where
    dark = "255, 255, 255" not in background
    assert dark == (theme == "dark")


@pytest.mark.parametrize("width", [320, 360, 1200])
def test_does_not_scroll_sideways(opened, width):
    _, browser, _ = opened
    size = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        inner, content, least = browser.execute_script(
            "return [window.innerWidth, document.documentElement.scrollWidth, "
            "Math.min(...[...document.querySelectorAll('svg text')]"
            ".map(one => one.getBoundingClientRect().height))]"
        )
        assert inner == width
        assert content <= width
        assert least >= 11  # pixels: text in pictures stays readable
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_screen_reader_finds_its_way(opened):
    _, browser, _ = opened
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    known = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node.get("ignored")
    ]
    headings = [name for role, name in known if role == "heading"]
    assert headings[0] == "How well will it generalise?"
    assert {"Verdict", "Numbers", "What to expect"} <= set(headings)
    pictures = [name for role, name in known if role in ("image", "img")]
    assert len(pictures) == 3
    assert all(pictures)
    assert any(role == "table" for role, _ in known)
    assert browser.execute_script("return document.documentElement.lang") == "en"
