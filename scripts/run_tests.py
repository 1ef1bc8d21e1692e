#!/usr/bin/env python3
"""Builds the product and its tests, runs them all and ends with one line: `N passed, N failed, N skipped`.

1. release build: every test that ctest knows (VL_CHECK is on in every build, so this is the product).
2. asan-ubsan build: the tests labelled `fast`, but for those that go through all orders, faults or seeds (EXHAUSTIVE).
3. judges: other engines read, and write to, the tables this build makes (tests/judges, pytest).

A later step runs even if an earlier one failed; the exit code is 1 if anything did.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "reports"
# They go through all orders, faults or seeds, or many commits. The code under them runs in other tests, too; under
# sanitizers they would take longer than all others together.
EXHAUSTIVE = ("HomeRaceTest.InEveryOrder*", "HomeRaceTest.WhoIsKilled*", "HomeRaceTest.SeveralProcesses*", "CrashTest.Anywhere*",
              "*IngestFault.*/Gone", "*IngestFault.*/AnswerLost", "*.InARunEach/*", "ConflictRuleOfPanels.ARetractionReaches*",
              "StreamWriterTest.SmallFilesStayFew*", "FhirPageTest.CorrectionsInBetween*", "*GoldPropertyTest.*",
              "GoldTest.PersonsFollow*", "GoldTest.AReadingThatNames*", "GoldTest.RefreshesOfTwoProcesses*")


class Counts:
    """Passed, failed and skipped test cases, summed over the runners."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count_junit(path):
    """Counts the cases of a JUnit file (GoogleTest, ctest and pytest differ a little in it)."""
    counts = Counts()
    for case in ET.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif (case.find("skipped") is not None or case.get("status") in ("notrun", "disabled")
              or case.get("result") in ("skipped", "suppressed")):
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def run(command, **kwargs):
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, **kwargs).returncode


def build(preset, jobs, target="all"):
    """Configures a preset and builds a target of it; the build's output is shown only if it fails."""
    start = time.time()
    for command in (["cmake", "--preset", preset, "--log-level=WARNING"],
                    ["cmake", "--build", "--preset", preset, "--parallel", str(jobs), "--target", target]):
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print(done.stdout[-20000:])
            print(f"{preset}: build failed")
            return False
    print(f"{preset}: built in {time.time() - start:.0f} s", flush=True)
    return True


def ctest(preset, jobs, labels=None, without=()):
    """Runs ctest, without the GoogleTest cases of these patterns. A test binary's cases count one by one, any other
    test as one; a binary that ctest calls failed without a failed case (it crashed, or timed out) counts as one."""
    out = REPORTS / preset
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.xml"):
        old.unlink()
    command = ["ctest", "--test-dir", f"build/{preset}", "--output-on-failure", "--parallel", str(jobs),
               "--no-tests=error", "--output-junit", str(out / "ctest.xml")]
    if labels:
        command += ["--label-regex", labels]
    run(command, env={**os.environ, "GTEST_OUTPUT": f"xml:{out}/", "GTEST_FILTER": f"*-{':'.join(without)}",
                      "LSAN_OPTIONS": f"suppressions={pathlib.Path('tests/lsan.supp').resolve()}"})
    if not (out / "ctest.xml").exists():
        return Counts(failed=1)
    total = Counts()
    for case in ET.parse(out / "ctest.xml").getroot().iter("testcase"):
        passed = case.get("status") == "run"
        own = out / f"{case.get('name')}_test.xml"
        try:
            counts = count_junit(own) if own.exists() else None
        except ET.ParseError:
            counts = None
        if counts is None:
            counts = Counts(passed=1) if passed else Counts(failed=1)
        elif not passed and counts.failed == 0:
            counts.failed = 1
        total += counts
    return total


def judges(jobs):
    """Runs the judges, a file at a time in each of `jobs` processes."""
    report = REPORTS / "judges.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    run([".deps/venv/bin/python", "-m", "pytest", "tests/judges", "-q", "-p", "no:cacheprovider",
         "-n", str(jobs), "--dist", "loadfile", "--durations=8", f"--junitxml={report}"])
    return count_junit(report) if report.exists() else Counts(failed=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=["release", "asan-ubsan", "judges"], action="append",
                        help="run only this step (may be given again)")
    args = parser.parse_args()
    steps = args.only or ["release", "asan-ubsan", "judges"]

    total = Counts()
    for step in steps:
        start = time.time()
        if step == "release":
            counts = ctest(step, args.jobs) if build(step, args.jobs) else Counts(failed=1)
        elif step == "asan-ubsan":
            print("asan-ubsan: in the release build alone:", ", ".join(EXHAUSTIVE), flush=True)
            counts = (ctest(step, args.jobs, "^fast$", EXHAUSTIVE) if build(step, args.jobs, "unit_tests")
                      else Counts(failed=1))
        else:
            counts = judges(args.jobs) if build("release", args.jobs, "vitalake") else Counts(failed=1)
        print(f"{step}: {counts} in {time.time() - start:.0f} s\n", flush=True)
        total += counts
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
