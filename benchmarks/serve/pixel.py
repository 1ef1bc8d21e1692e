"""pixel.py BINARY LAKE: how long a critical reading takes to a pixel of the dashboard.

A browser has the page of alerts open while a stream of 200 readings a second runs. Five critical readings a second are
posted in an open loop, each of a patient of its own; the delay runs from the moment before a post is sent to the frame
behind the one in which its alert stands in the list. Prints {"results": [{"who", "seconds": [...], "peak_mb", "note"}]}.
"""

import concurrent.futures
import json
import pathlib
import statistics
import sys
import threading
import time

from serve import Served, percentile, result  # which finds the judges' modules, too
from browser import Tab, running_browser
from test_alerts import reading

READINGS, EVERY, WARM = 160, 0.2, 10  # the first ones are not counted
STREAMS = "[{name: posts, http: {}}, {name: wearables, generator: {patients: 2000, rate: 200}}]"
# The frame in which the list has a patient is painted before the next one begins.
WATCH = """() => {
  window.seen = {};
  const look = () => {
    for (const [who] of document.querySelector('.alerts').innerText.matchAll(/pixel-\\d+/g)) {
      if (!(who in window.seen)) {
        window.seen[who] = 0;
        requestAnimationFrame(() => requestAnimationFrame(() => {
          window.seen[who] = performance.timeOrigin + performance.now();
        }));
      }
    }
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def main():
    served = Served(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), STREAMS)
    sent, connections = {}, threading.local()

    def post(number):
        if not hasattr(connections, "one"):
            connections.one = served.connect()
        body = json.dumps(reading(f"r{number}", -5, 205, 100, f"pixel-{number}"))
        sent[f"pixel-{number}"] = time.time()
        connections.one.request("POST", "/ingest/posts", body, {"Content-Type": "application/fhir+json"})
        answer = connections.one.getresponse()
        if answer.status != 202:
            raise SystemExit(f"{answer.status}: {answer.read().decode()}")
        answer.read()

    try:
        with running_browser() as browser, concurrent.futures.ThreadPoolExecutor(8) as pool:
            tab = Tab(browser, f"http://{served.http}")
            page = tab.open("alerts")
            page.wait_for_selector(".alerts")
            page.evaluate(WATCH)
            begin, posts = time.monotonic(), []
            for number in range(READINGS):
                page.wait_for_timeout(max(0.0, begin + number * EVERY - time.monotonic()) * 1e3)
                posts.append(pool.submit(post, number))
            for one in posts:
                one.result()
            tab.until(f"Object.values(window.seen).filter(Boolean).length >= {READINGS}", seconds=60)
            seen = page.evaluate("window.seen")
            assert tab.wrong == [], tab.wrong
    finally:
        served.stop()
    seconds = [seen[f"pixel-{number}"] / 1e3 - sent[f"pixel-{number}"] for number in range(WARM, READINGS)]
    told = result("vitalake dashboard: critical reading, from the post to a painted row of the list of alerts", seconds, served.peak,
                  f"p95 {percentile(seconds, 0.95) * 1e3:.0f} ms")
    print(json.dumps({"results": [told], "seconds": statistics.median(seconds)}))


if __name__ == "__main__":
    main()
