# SPDX-License-Identifier: MIT
"""One engine in a process of its own: worker.py ENGINE NETWORK THREADS MODELS IMAGE

Loads, runs once, and answers in a line of JSON; then runs as often as each line of standard input says, and answers.
"""

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from engines import ENGINES


def peak_memory():
    """Megabytes."""
    return int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) * 1024 / 1e6


def main():
    engine, network, threads, models, image = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever an engine prints
    pixels = np.array(Image.open(image))

    def answer(**values):
        print(json.dumps(values), file=answers, flush=True)

    begin = time.perf_counter()
    run = ENGINES[engine](Path(models), network, int(threads))
    labels = run(pixels)
    first = time.perf_counter() - begin
    with tempfile.NamedTemporaryFile(suffix=".npy", delete=False) as file:
        np.save(file, labels)
    answer(first=first, labels=file.name)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            run(pixels)
            times.append((time.perf_counter() - begin) * 1e3)
        answer(times=times, memory=peak_memory())


if __name__ == "__main__":
    main()
