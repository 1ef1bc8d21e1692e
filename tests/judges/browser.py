"""A browser on the dashboard, and `vitalake demo` behind it."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.request

from playwright.sync_api import sync_playwright

from product import ROOT, command

AXE = ROOT / ".deps/web/node_modules/axe-core/axe.min.js"
PAGES = ["overview", "patients", "alerts", "data/tables", "data/tables/silver.observation", "data/ledger", "data/quarantine", "sql"]


@contextlib.contextmanager
def running_demo(folder, *options):
    """A demo with its own lake; gives its URL once it serves."""
    lake = pathlib.Path(folder) / "lake"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VITALAKE_")}
    with open(pathlib.Path(folder) / "demo.log", "w") as log:
        process = subprocess.Popen(command("--lake", lake, "demo", "--port", 0, *options), stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=subprocess.STDOUT, env=environment)
    try:
        yield wait_for_url(lake, process, pathlib.Path(folder) / "demo.log")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def wait_for_url(lake, process, log):
    deadline = time.monotonic() + 90
    while True:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        with contextlib.suppress(OSError, ValueError, KeyError):
            url = json.loads((lake / "_vitalake/http.json").read_text())["url"]
            if urllib.request.urlopen(url + "/readyz", timeout=5).status == 200:
                return url
        time.sleep(0.1)


@contextlib.contextmanager
def running_browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


class Tab:
    """A page that remembers what went wrong, and which addresses were asked."""

    def __init__(self, browser, url, **options):
        self.url, self.wrong, self.asked = url, [], []
        self.context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda m: self.wrong.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, place):
        self.page.goto(f"{self.url}/#/{place}")
        self.settle()
        return self.page

    def settle(self):
        """Until the stream is there and nothing is a skeleton any more."""
        self.page.wait_for_selector(".live.is-live")
        self.until("!document.querySelector('main .skeleton')")

    def until(self, expression, argument=None, seconds=20):
        """What the expression gives once it is true. Playwright's own wait_for_function needs `eval`, which the page's policy
        forbids."""
        deadline = time.monotonic() + seconds
        while not (found := self.page.evaluate(expression, argument)):
            assert time.monotonic() < deadline, f"not within {seconds} s: {expression}"
            self.page.wait_for_timeout(50)
        return found

    def close(self):
        self.context.close()
