# SPDX-License-Identifier: MIT
"""What is timed: engines in processes of their own, and the program `segment`; and whether the machine was quiet.

A contestant has `times()`, milliseconds of some runs; `labels`, its label map; `first`, seconds to its first label map;
`memory`, its peak in megabytes. All of them are bound to the first processors, as many as there are threads.
"""

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
QUIET = 1.10  # a round counts if calibration takes at most this times its best


def runs_worth(milliseconds):
    """As many runs as take 0.3 s, 1 to 10."""
    return max(1, min(10, round(300 / milliseconds)))


def first_processors(threads):
    """Of those that this process may use."""
    return sorted(os.sched_getaffinity(0))[:threads]


def bound_to(threads):
    return lambda: os.sched_setaffinity(0, first_processors(threads))


class Engine:
    """One of engines.py in a process of its own (worker.py)."""

    def __init__(self, name, network, threads, options):
        self.name, self.memory = name, 0
        self.process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", name, network, str(threads), options.models, options.image],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if options.verbose else subprocess.DEVNULL,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
            preexec_fn=bound_to(threads),
        )
        try:
            started = self._answer()
            self.first = started["first"]
            self.labels = np.load(started["labels"])
            os.remove(started["labels"])
            self.warm, self.repeat = 1, 1
            once = self.times()[0]
            self.warm = int(once < 1000)  # cold caches do not show in long runs
            self.repeat = runs_worth(once)
        except BaseException:
            self.stop()
            raise

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("its process ended")
        return json.loads(line)

    def times(self):
        self.process.stdin.write(f"{self.warm + self.repeat}\n")
        self.process.stdin.flush()
        answer = self._answer()
        self.memory = answer["memory"]
        return answer["times"][self.warm :]

    def stop(self):
        with contextlib.suppress(BrokenPipeError):  # it may have died with a request unread
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Atrous:
    """`segment`, started for every round. Its time to the first result is that of the whole program for one image."""

    name = "atrous"

    def __init__(self, network, threads, options):
        self.threads, self.memory, self.repeat = threads, 0, 1
        weights = options.models / f"{network}.safetensors"
        self.command = [options.segment, options.image, "--network", network, "--weights", weights]
        self.command += ["--threads", threads, "--policy", options.policy]
        begin = time.perf_counter()
        once = self._run()
        self.first = time.perf_counter() - begin
        with tempfile.TemporaryDirectory() as folder:
            self._run("--labels", Path(folder) / "labels.png")
            self.labels = np.asarray(Image.open(Path(folder) / "labels.png"))
        self.repeat = runs_worth(once)

    def _run(self, *more):
        command = [*map(str, self.command), *map(str, more)]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=bound_to(self.threads))
        printed = run.stdout.read()
        _, status, used = os.wait4(run.pid, 0)
        self.memory = max(self.memory, used.ru_maxrss * 1024 / 1e6)
        found = re.search(r"([\d.]+) ms", printed)
        if status or not found:
            raise RuntimeError(f"{' '.join(command)}: wait status {status}, printed {printed[-300:]!r}")
        return float(found[1])

    def times(self):
        return [self._run("--repeat", self.repeat)]  # prints a median

    def stop(self):
        pass


class Calibration:
    """Times a matrix product on each processor in use, and so tells whether the machine is as fast as it ever was."""

    def __init__(self, threads):
        self.best = dict.fromkeys(first_processors(threads), float("inf"))
        self.matrix = np.ones((768, 768), np.float32)
        for _ in range(5):
            self.quiet()

    def quiet(self):
        everywhere, quiet = os.sched_getaffinity(0), True
        for processor, best in self.best.items():
            os.sched_setaffinity(0, [processor])
            times = []
            for _ in range(5):
                begin = time.perf_counter()
                self.matrix @ self.matrix
                times.append(time.perf_counter() - begin)
            self.best[processor] = min(best, *times)
            quiet &= statistics.median(times) <= QUIET * self.best[processor]
        os.sched_setaffinity(0, everywhere)
        return quiet
