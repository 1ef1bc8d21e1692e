"""Runs one command and says how long it took and how much memory its process tree held."""

import json
import os
import pathlib
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field

import psutil


@dataclass
class Measured:
    seconds: float      # the command's own figure for its job when it prints one, else wall time
    wall: float
    peak_mb: float      # resident memory of the process tree
    info: dict = field(default_factory=dict)  # the JSON object on its last line of output


def tree_rss(process):
    total = 0
    try:
        for p in [process, *process.children(recursive=True)]:
            try:
                total += p.memory_info().rss
            except psutil.Error:
                pass
    except psutil.Error:
        pass
    return total


def high_water(pid):
    """The peak that the kernel has kept for one process since its start, in bytes."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def percentile(seconds, share):
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


class Sampler(threading.Thread):
    """The highest resident memory of a process tree: the sum over it now and then, or its root's own peak."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.process, self.peak, self.ended = psutil.Process(pid), 0, threading.Event()

    def run(self):
        turn = 0
        while not self.ended.wait(0.01):
            self.peak = max(self.peak, high_water(self.process.pid))
            if turn % 10 == 0:
                self.peak = max(self.peak, tree_rss(self.process))
            turn += 1


def measure(command, timeout=1800, env=None):
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                                   text=True, env=env)
        sampler = Sampler(process.pid)
        sampler.start()
        killer = threading.Timer(timeout, process.kill)
        killer.start()
        _, status = os.waitpid(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        killer.cancel()
        sampler.ended.set()
        sampler.join()
        output.seek(0), errors.seek(0)
        text, complaints = output.read(), errors.read()
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode} after {wall:.0f} s\n{text[-2000:]}\n{complaints[-4000:]}")
    try:
        info = json.loads(text.strip().splitlines()[-1])
        info = info if isinstance(info, dict) else {}
    except (IndexError, ValueError):
        info = {}
    return Measured(info.get("seconds", wall), wall, sampler.peak / 2**20, info)
