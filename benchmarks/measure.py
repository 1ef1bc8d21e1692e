"""Runs one command and says how long it took and how much memory its process tree held."""

import json
import subprocess
import time
from dataclasses import dataclass, field

import psutil


@dataclass
class Measured:
    seconds: float      # the command's own figure for its job when it prints one, else wall time
    wall: float
    peak_mb: float      # resident memory of the process tree, sampled every 10 ms
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


def measure(command, timeout=1800, env=None):
    start = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=env)
    watched, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        peak = max(peak, tree_rss(watched))
        if time.perf_counter() - start > timeout:
            process.kill()
            raise TimeoutError(f"more than {timeout} s: {command}")
        time.sleep(0.01)
    wall = time.perf_counter() - start
    output, errors = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode}\n{output[-2000:]}\n{errors[-4000:]}")
    try:
        info = json.loads(output.strip().splitlines()[-1])
        info = info if isinstance(info, dict) else {}
    except (IndexError, ValueError):
        info = {}
    return Measured(info.get("seconds", wall), wall, peak / 2**20, info)
