#!/usr/bin/env python3
"""Makes the pictures of the dashboard in docs/pictures, from a demo that has run for a while."""

import json
import pathlib
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/judges"))

from browser import Tab, running_browser, running_demo  # noqa: E402

PICTURES = ROOT / "docs/pictures"
MOST_BYTES = 300_000
RUNS_FOR = 150  # seconds: the chart of the rate needs a few minutes to be one
SIZE = {"width": 1440, "height": 940}


def patient_to_show(url):
    """Of those with an open alert of their own, the one with readings on most days."""
    alerts = json.load(urllib.request.urlopen(url + "/alerts?state=on"))
    ids = [alert["patient_id"] for alert in alerts if alert["queue"] == "clinical"]
    query = "SELECT patient_id FROM gold.bp_daily WHERE patient_id IN ({}) GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 1"
    body = {"query": query.format(", ".join("?" for _ in ids)), "parameters": ids}
    request = urllib.request.Request(url + "/sql", json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["rows"][0][0]


def shoot(tab, place, name):
    page = tab.open(place)
    page.wait_for_timeout(3000)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    if path.stat().st_size > MOST_BYTES:
        sys.exit(f"{path} has {path.stat().st_size} bytes; at most {MOST_BYTES} are wanted")


def main():
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_demo(folder) as url, running_browser() as browser:
        light = Tab(browser, url, viewport=SIZE)
        light.open("overview")
        time.sleep(RUNS_FOR)
        shoot(light, "overview", "overview")
        dark = Tab(browser, url, viewport=SIZE, color_scheme="dark")
        shoot(dark, f"patients/{patient_to_show(url)}", "patient")


if __name__ == "__main__":
    main()
