"""replay.py PROGRAM DATA: readings of real and of Synthea's people through PROGRAM (monitor_replay), a Markdown table.

DATA holds bp/ and synthea/ as the tests have them. Beside what the monitor tells a person stand the readings that cross
a severe limit (above 180 or 120; pregnant from 160 or 110), counted here: what a plain threshold would tell.
"""

import csv
import datetime
import io
import json
import pathlib
import subprocess
import sys
import tarfile

START = datetime.datetime(2026, 1, 5, 8, tzinfo=datetime.timezone.utc).timestamp()
MONTHS = {"Baseline": 0, "6Months": 6, "12Months": 12}


def ghana(folder):
    """Visits months apart."""
    with open(folder / "bp/bp_ghana.csv", newline="") as file:
        for row in csv.DictReader(file):
            yield "Ghana, visits months apart", row["ID"], START + MONTHS[row["Time_Elapsed"]] * 30 * 86400, row["SBP"], row["DBP"], 0


def pregnancy(folder):
    """Every 30 minutes for up to 4 hours; the reading at booking is of weeks before, the day is not known."""
    with open(folder / "bp/bp_preg.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["Time_Elapsed"] == "Booking":
                continue
            yield "Pregnancy day unit, every 30 minutes", row["ID"], START + 60 * int(row["Time_Elapsed"]), row["SBP"], row["DBP"], 1


def synthea(folder):
    """Visits over years."""
    with tarfile.open(folder / "synthea/bundles-120.tar.xz") as archive:
        for member in archive:
            if not member.name.endswith(".json"):
                continue
            for entry in json.load(io.TextIOWrapper(archive.extractfile(member)))["entry"]:
                values = {}
                for part in entry["resource"].get("component", []) if entry["resource"]["resourceType"] == "Observation" else []:
                    values[part["code"]["coding"][0]["code"]] = part.get("valueQuantity", {}).get("value")
                if values.get("8480-6") is not None and values.get("8462-4") is not None:
                    when = datetime.datetime.fromisoformat(entry["resource"]["effectiveDateTime"]).timestamp()
                    yield ("Synthea, visits over years", entry["resource"]["subject"]["reference"], when, values["8480-6"],
                           values["8462-4"], 0)


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    lines, severe, left_out = [], {}, {}
    for source in (ghana, pregnancy, synthea):
        readings = []
        for name, patient, seconds, systolic, diastolic, pregnant in source(folder):
            systolic, diastolic = number(systolic), number(diastolic)
            if systolic is None or diastolic is None:
                left_out[name] = left_out.get(name, 0) + 1
                continue
            high = systolic >= 160 or diastolic >= 110 if pregnant else systolic > 180 or diastolic > 120
            severe[name] = severe.get(name, 0) + high
            readings.append((name.replace(",", ";"), patient, int(seconds), systolic, diastolic, pregnant))
        readings.sort(key=lambda r: r[2])
        lines += [",".join(map(str, r)) for r in readings]
    done = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    print("| readings of | people | readings | severe, per 1,000 | spike or shift, per 1,000 | alerts for a person, per 1,000 | times told, per 1,000 | of these |")
    print("|---|---|---|---|---|---|---|---|")
    for line in done.stdout.splitlines():
        name, people, readings, flagged, alerts, told, rules = line.split(",", 6)
        name = name.replace(";", ",")
        print(f"| {name} | {people} | {readings} | {1000 * severe[name] / int(readings):.1f} | {flagged} | {alerts} | {told} | {rules} |")
    for name, count in left_out.items():
        print(f"\n{name}: {count} readings without a number are left out.")


if __name__ == "__main__":
    main()
