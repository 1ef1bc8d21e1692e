"""The dashboard as a person uses it: a browser on `vitalake demo`, with nothing but the network between."""

import gzip
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from browser import AXE, PAGES, Tab, running_browser, running_demo
from product import ROOT

SCREENSHOTS = ROOT / "build/screenshots"
MOST_BYTES = 250 * 1024
PATIENT = "patients/pat-000002"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running_demo(tmp_path_factory.mktemp("demo")) as at:
        yield at


@pytest.fixture(scope="module")
def browser():
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with running_browser() as one:
        yield one


@pytest.fixture
def tab(browser, url):
    one = Tab(browser, url)
    yield one
    one.close()


def ask(url, path, method="GET", body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, headers, method=method)
    try:
        return urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        return error


def assets(url):
    page = ask(url, "/").read().decode()
    return [part.split('"')[0] for part in page.split('"/')[1:]]


def test_an_alert_comes_within_20_seconds(url):
    """The demo is to have something to look at at once."""
    deadline = time.monotonic() + 20
    while not json.load(ask(url, "/alerts?state=on")):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_page_and_assets_are_served_for_browsers(url):
    page = ask(url, "/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff" and page.headers["Cache-Control"] == "no-cache"
    text = page.read().decode()
    assert "<style" not in text and "style=" not in text and "<script>" not in text and "//" not in text
    assert ask(url, "/", "HEAD").headers["Content-Length"] == str(len(text.encode()))
    names = assets(url)
    assert {name.rsplit(".", 1)[1] for name in names} >= {"js", "css", "svg"}
    for name in names:
        packed = ask(url, "/" + name, **{"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip" and "immutable" in packed.headers["Cache-Control"]
        plain = ask(url, "/" + name)
        assert plain.headers["Content-Encoding"] is None and gzip.decompress(packed.read()) == plain.read()
        assert ask(url, "/" + name, **{"If-None-Match": packed.headers["ETag"]}).status == 304
    assert ask(url, "/assets/app-0.js").status == 404
    assert ask(url, "/", "POST").status == 405


@pytest.mark.parametrize("place", [*PAGES, PATIENT])
def test_every_page_loads_cleanly(tab, url, place):
    page = tab.open(place)
    page.screenshot(path=SCREENSHOTS / f"{place.replace('/', '-')}.png")
    assert not page.query_selector(".fault"), page.inner_text(".fault")
    assert tab.wrong == []
    assert all(asked.startswith(url + "/") for asked in tab.asked), tab.asked


def test_what_is_loaded_is_small(tab):
    sizes = []
    tab.page.on("response", lambda r: sizes.append(int(r.headers.get("content-length", 0))) if "/assets/" in r.url or r.url.endswith("/") else None)
    tab.open("overview")
    assert 50_000 < sum(sizes) < MOST_BYTES


def test_the_chart_moves_with_the_stream(tab):
    page = tab.open("overview")
    drawn = "document.querySelector('.uplot canvas').toDataURL()"
    before, counted = page.evaluate(drawn), page.inner_text(".tile:first-child .d")
    tab.until("before => document.querySelector('.uplot canvas').toDataURL() !== before", before)
    tab.until("before => document.querySelector('.tile .d').innerText !== before", counted)


def test_an_alert_appears_live_and_is_acknowledged(tab, url):
    page = tab.open("alerts")
    page.wait_for_selector(".alerts tbody tr")
    known = page.eval_on_selector_all(".alerts tbody a.rowlink", "links => links.map(l => l.hash)")
    # One that is still on: others end within a second.
    newest = ("known => [...document.querySelectorAll('.alerts tbody tr')].filter(row => row.querySelector('button'))"
              ".map(row => row.querySelector('a.rowlink').hash).find(hash => !known.includes(hash))")
    fresh = tab.until(newest, known, seconds=40)
    alert = fresh.split("/")[2].split("?")[0]
    page.click(f".alerts tbody tr:has(a[href*='{alert}']) button")
    page.fill("dialog input", "night shift")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".alerts tbody tr:has(a[href*='{alert}']) .acked")
    stands = {a["alert_id"]: a for a in json.load(ask(url, "/alerts?limit=1000"))}
    assert stands[alert]["acknowledged_by"] == "night shift"
    assert tab.wrong == []


def type_query(page, query):
    page.fill("textarea", query)
    page.keyboard.press("Control+Enter")


def test_a_query_runs_is_drawn_and_downloaded(tab, tmp_path):
    page = tab.open("sql")
    type_query(page, "SELECT gender, count(*) AS patients FROM silver.patient GROUP BY ALL ORDER BY patients DESC")
    page.wait_for_selector(".result tbody tr td.num:last-child")
    found = page.eval_on_selector_all(".result tbody td.num:not(.row-number)", "cells => cells.map(c => Number(c.innerText))")
    assert sum(found) == 200
    page.click("text=Chart")
    assert len(page.query_selector_all(".bar-line")) == len(found)
    with page.expect_download() as started:
        page.click("text=CSV")
    started.value.save_as(tmp_path / "result.csv")
    assert (tmp_path / "result.csv").read_text().splitlines()[0] == "gender,patients"
    type_query(page, "SELECT nothing FROM silver.patient")
    assert "LINE 1" in page.wait_for_selector(".fault pre").inner_text()


def test_a_query_is_cancelled(tab, url):
    page = tab.open("sql")
    for _ in range(3):
        type_query(page, "SELECT count(*) FROM range(400000) a, range(400000) b WHERE (a.range * b.range) % 7 = 3")
        page.wait_for_timeout(300)  # for it to be under way
        page.click("text=Cancel")
        page.wait_for_selector("text=nothing was changed")
    # Two statements run at once: those that were cancelled hold no place.
    begun = time.monotonic()
    answer = ask(url, "/sql", "POST", {"query": "SELECT 42 AS x"}, **{"Content-Type": "application/json"})
    assert json.load(answer)["rows"] == [[42]] and time.monotonic() - begun < 10


def test_completion_knows_tables_and_columns(tab):
    page = tab.open("sql")
    page.wait_for_selector("summary:has-text('gold.patient_observations')")
    page.fill("textarea", "")
    page.type("textarea", "SELECT * FROM gold.pat")
    page.wait_for_selector("#completions [role=option]:has-text('gold.patient_observations')")
    page.keyboard.press("Tab")
    assert page.input_value("textarea") == "SELECT * FROM gold.patient_observations"


def test_everything_is_reached_by_keyboard(tab):
    page = tab.open("overview")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for key, title in (("p", "Patients"), ("a", "Alerts"), ("d", "Data"), ("o", "Overview")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_selector(f".top h1:text-is('{title}')")
    page.keyboard.press("/")
    page.keyboard.type("pat-000002")
    page.wait_for_selector("[role=option]:has-text('years')")
    page.keyboard.press("Enter")
    page.wait_for_selector(".phead h2")
    assert "pat-000002" in page.inner_text(".phead p")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_selector(".alerts tbody tr")
    page.keyboard.press("j")
    page.wait_for_selector(".detail h2")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")


# What is there is the same in the dark: there only its colours are looked at.
@pytest.mark.parametrize("scheme, rules", [("light", None), ("dark", ["color-contrast"])])
def test_no_accessibility_violations(browser, url, scheme, rules):
    tab = Tab(browser, url, color_scheme=scheme)
    tab.open("overview")
    tab.page.evaluate(AXE.read_text())
    found = []
    for place in [*PAGES, PATIENT, "alerts?show=off"]:
        tab.page.evaluate("place => { location.hash = '#/' + place; }", place)
        tab.page.wait_for_timeout(100)
        tab.settle()
        options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
        result = tab.page.evaluate("options => axe.run(document, options)", options)
        for violation in result["violations"]:
            nodes = [(node["target"], node["failureSummary"]) for node in violation["nodes"][:3]]
            found.append((place, violation["id"], nodes))
        tab.page.screenshot(path=SCREENSHOTS / f"{place.split('?')[0].replace('/', '-')}-{scheme}.png")
    tab.close()
    assert found == []


def test_a_phone_shows_every_page_without_scrolling_sideways(browser, url):
    tab = Tab(browser, url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    for place in [*PAGES, PATIENT]:
        page = tab.open(place)
        wide = page.evaluate("document.documentElement.scrollWidth")
        page.screenshot(path=SCREENSHOTS / f"{place.replace('/', '-')}-phone.png", full_page=True)
        assert wide <= 390, place
    tab.close()


def test_the_lines_the_demo_prints_do_what_they_say(tmp_path):
    with running_demo(tmp_path, "--patients", 20, "--postgres-port", 0):
        deadline = time.monotonic() + 60
        while " psql " not in (text := (tmp_path / "demo.log").read_text()):
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        lines = [line.strip() for line in text.splitlines() if line.strip().startswith(("curl ", "psql ", "python3 "))]
        path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
        answers = [subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=True,
                                  env={**os.environ, "PATH": path}).stdout for line in lines]
    daily, search, population, tables = answers
    assert "mean_systolic" in daily
    assert json.loads(search)["entry"][0]["resource"]["resourceType"] == "Observation"
    assert sum(int(row[1]) for row in json.loads(population)["rows"]) == 20
    assert "patient_observations" in tables


def test_a_service_that_ends_is_told(browser, tmp_path):
    with running_demo(tmp_path, "--patients", 20) as url:
        tab = Tab(browser, url)
        page = tab.open("overview")
    page.wait_for_selector(".fault:has-text('does not answer')")
    assert page.inner_text(".tile:first-child .v")  # what was known stays
    tab.close()
