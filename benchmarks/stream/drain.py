"""drain.py BINARY LAKE COUNT SOURCE: `vitalake run` on a stream with COUNT messages, until the ledger, written last, has them.

SOURCE: the stream's source as a line of the configuration. The seconds run from the start of the process to the moment
bronze and silver have everything; it is stopped then.
"""

import json
import pathlib
import re
import signal
import subprocess
import sys
import time

binary, lake, count, source = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
lake.mkdir(parents=True, exist_ok=True)
config, log = lake.with_suffix(".yaml"), lake.with_suffix(".log")
config.write_text(f"lake: {lake}\nstreams:\n  - name: bench\n    {source}\n")
start = time.perf_counter()
with open(log, "w") as out:
    service = subprocess.Popen([binary, "run", "--config", config, "--log-level", "debug"], stdin=subprocess.DEVNULL,
                               stdout=out, stderr=out)
done, seen = 0, 0
while done < count:
    time.sleep(0.02)
    if service.poll() is not None:
        raise SystemExit(f"it ended early:\n{log.read_text()[-2000:]}")
    with open(log) as said:
        said.seek(seen)
        text = said.read()
    cut = text.rfind("\n") + 1
    seen += len(text[:cut].encode())
    done += sum(int(n) for n in re.findall(r"stream bench: (\d+) messages in", text[:cut]))
seconds = time.perf_counter() - start
service.send_signal(signal.SIGTERM)
if service.wait(timeout=120) != 0:
    raise SystemExit(log.read_text()[-2000:])
print(json.dumps({"seconds": seconds}))
