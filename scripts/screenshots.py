#!/usr/bin/env python3
"""Makes the pictures of the dashboard in docs/pictures, from a demo that has run for a while."""

import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/judges"))

from browser import Tab, running_browser, running_demo  # noqa: E402

PICTURES = ROOT / "docs/pictures"
MOST_BYTES = 300_000
RUNS_FOR = 150  # seconds: the chart of the rate needs a few minutes to be one
SIZE = {"width": 1440, "height": 940}


def gravest_patient(page):
    """The hash of the patient of the first open alert."""
    page.wait_for_selector(".alert-table tbody a.rowlink")
    return page.get_attribute(".alert-table tbody a.rowlink", "href").removeprefix("#/")


def shoot(tab, place, name):
    page = tab.open(place)
    page.wait_for_timeout(3000)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    if path.stat().st_size > MOST_BYTES:
        sys.exit(f"{path} has {path.stat().st_size} bytes; at most {MOST_BYTES} are wanted")
    return page


def main():
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_demo(folder) as url, running_browser() as browser:
        light = Tab(browser, url, viewport=SIZE)
        light.open("overview")
        time.sleep(RUNS_FOR)
        patient = gravest_patient(shoot(light, "overview", "overview"))
        shoot(Tab(browser, url, viewport=SIZE, color_scheme="dark"), patient, "patient")


if __name__ == "__main__":
    main()
