"""alert_latency.py BINARY LAKE BROKERS TOPIC [RATE SECONDS]: how long from a reading to its alert at a client of server-sent
events, while RATE readings a second come (2000) for SECONDS (30).

Open loop: each message has its time, whether the ones before it were taken or not. An alert's `updated_at` is the time the
broker gave the reading that raised it, so what is measured is from there to the client. Every alert must come, once.
"""

import http.client
import json
import pathlib
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone

from confluent_kafka import Producer

binary, lake, brokers, topic = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
rate, seconds = (int(n) for n in (sys.argv[5:7] if len(sys.argv) > 6 else (2000, 30)))
# One reading in a hundred is critical, each of another patient: at once, an alert that is opened.
EVERY = 100
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def part(code, value):
    return {"code": {"coding": [{"system": LOINC, "code": code}]},
            "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}}


def reading(number):
    critical = number % EVERY == 0
    who = f"c{number // EVERY}" if critical else f"n{number % 5000}"
    return {"resourceType": "Observation", "id": f"o{number}", "status": "final",
            "code": {"coding": [{"system": LOINC, "code": "85354-9"}]}, "subject": {"reference": f"Patient/{who}"},
            "effectiveDateTime": datetime.now(timezone.utc).isoformat(),
            "component": [part("8480-6", 210 if critical else 118 + number % 9), part("8462-4", 80)]}


def follow(host, delays, enough):
    connection = http.client.HTTPConnection(host, timeout=120)
    connection.request("GET", "/alerts/stream")
    answer = connection.getresponse()
    seen = set()
    while len(seen) < enough and (line := answer.readline()):
        if not line.startswith(b"data: "):
            continue
        now, alert = time.time(), json.loads(line[6:])
        if alert["change"] != "opened" or alert["rule"] != "severe-high":
            continue
        assert alert["alert_id"] not in seen, alert
        seen.add(alert["alert_id"])
        delays.append(now - datetime.fromisoformat(alert["updated_at"]).timestamp())


total = rate * seconds
lake.mkdir(parents=True, exist_ok=True)
patients = lake.parent / f"{lake.name}-patients.ndjson"
patients.write_text("".join(json.dumps({"resourceType": "Patient", "id": f"c{i}", "birthDate": "1950-01-01"}) + "\n"
                            for i in range(total // EVERY + 1)))
subprocess.run([binary, "--lake", lake, "ingest", patients], check=True, stdout=subprocess.DEVNULL)
config = lake.with_suffix(".yaml")
config.write_text(f"lake: {lake}\nserve: {{http: \"127.0.0.1:0\"}}\nstreams:\n  - name: vitals\n"
                  f"    kafka: {{brokers: \"{brokers}\", topic: {topic}, group: {topic}-latency}}\n")
log = open(lake.with_suffix(".log"), "w")
service = subprocess.Popen([binary, "run", "--config", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
address = lake / "_vitalake/http.json"
while not address.exists() or json.loads(address.read_text())["pid"] != service.pid:
    if service.poll() is not None:
        raise SystemExit(f"it ended early: see {log.name}")
    time.sleep(0.05)
host = json.loads(address.read_text())["url"].removeprefix("http://")
delays = []
client = threading.Thread(target=follow, args=(host, delays, total // EVERY), daemon=True)
client.start()
producer = Producer({"bootstrap.servers": brokers, "linger.ms": 0})
begin = time.perf_counter()
for number in range(total):
    while (wait := begin + number / rate - time.perf_counter()) > 0:
        time.sleep(min(wait, 0.001))
    message = reading(number)
    producer.produce(topic, json.dumps(message), key=message["subject"]["reference"])
    producer.poll(0)
producer.flush(60)
client.join(60)
service.send_signal(signal.SIGTERM)
if service.wait(timeout=120) != 0 or len(delays) != total // EVERY:
    raise SystemExit(f"{len(delays)} of {total // EVERY} alerts came; see {log.name}")
delays.sort()
print(json.dumps({"readings": total, "alerts": len(delays), "rate": rate,
                  "p50_ms": round(delays[len(delays) // 2] * 1000, 2),
                  "p99_ms": round(delays[len(delays) * 99 // 100] * 1000, 2), "max_ms": round(delays[-1] * 1000, 2)}))
