# SPDX-License-Identifier: MIT
"""Times atrous and other engines on the same networks in interleaved rounds.

A round runs each contestant once in turn; a round in which the machine was slower than at its best is repeated. The
result of a contestant is the median over rounds of the medians of its runs.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the calibration

import argparse
import contextlib
import datetime
import hashlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

import machine
import table
from engines import ENGINES
from networks import NETWORKS, SIZE
from timing import Atrous, Calibration, Engine


def complain(network, threads, what):
    print(f"{network}, {threads} thread(s), {what}", file=sys.stderr, flush=True)


def started(network, threads, options, stack):
    """All contestants that start; why the others do not goes to standard error. They stop at the end of `stack`."""
    makers = [("atrous", lambda: Atrous(network, threads, options))]
    makers += [(name, lambda name=name: Engine(name, network, threads, options)) for name in options.engines]
    entries = []
    for name, make in makers:
        try:
            entries.append(make())
            stack.callback(entries[-1].stop)
        except Exception as error:
            complain(network, threads, f"{name}: {error}")
    return entries


def one_round(entries, network, threads):
    """{name: median}; an entry that fails is dropped from `entries`, and the others go on."""
    times = {}
    for entry in list(entries):
        try:
            times[entry.name] = statistics.median(entry.times())
        except Exception as error:
            entries.remove(entry)
            complain(network, threads, f"{entry.name} dropped: {error}")
        time.sleep(0.05)  # until threads that spin have gone to sleep
    return times


def rounds(entries, network, threads, wanted):
    """{name: [median of each round]} and the number of noisy rounds, which do not count. Drops entries that fail."""
    calibration, samples, noisy = Calibration(threads), {entry.name: [] for entry in entries}, 0
    good = 0
    while good < wanted and noisy < 3 * wanted:
        quiet = calibration.quiet()
        times = one_round(entries, network, threads)
        if quiet and calibration.quiet():
            good += 1
            for name, median in times.items():
                samples[name].append(median)
        else:
            noisy += 1
            time.sleep(1)
    if good < wanted:
        complain(network, threads, f"given up after {noisy} noisy rounds: {good} of {wanted} rounds count")
    return samples, noisy


def compare(network, threads, options):
    """Results of one network, each a dictionary."""
    with contextlib.ExitStack() as stack:
        entries = started(network, threads, options, stack)
        before = machine.peak(options.peak, threads)
        samples, noisy = rounds(entries, network, threads, options.rounds)
        peak = max(before, machine.peak(options.peak, threads))
    reference = next((entry.labels for entry in entries if entry.name != "atrous"), None)
    results = []
    for entry in entries:
        if samples[entry.name]:
            result = {"network": network, "threads": threads, "engine": entry.name, "peak": peak, "noisy": noisy}
            result |= {"median": statistics.median(samples[entry.name]), "rounds": samples[entry.name]}
            result |= {"first": entry.first, "memory": entry.memory}
            result["labels"] = hashlib.sha256(entry.labels.tobytes()).hexdigest()
            result["equal"] = None if reference is None else float((entry.labels == reference).mean())
            results.append(result)
    return results


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--models", type=Path, required=True, help="folder that export.py wrote")
    add("--build", type=Path, required=True, help="CMake folder with segment and bench.peak")
    add("--networks", default=",".join(NETWORKS))
    add("--engines", default=",".join(ENGINES))
    add("--threads", default="1,2")
    add("--policy", default="openmp", help="of atrous")
    add("--rounds", type=int, default=5)
    add("--image", type=Path, required=True)
    add("--json", type=Path, help="file to write the results to")
    add("--markdown", type=Path, help="file to write the table to")
    add("--verbose", action="store_true", help="show what the engines print")
    options = parser.parse_args()
    options.networks = options.networks.split(",")
    options.engines = [name for name in options.engines.split(",") if name]
    possible = [threads for threads in machine.PEAK_THREADS if threads <= len(os.sched_getaffinity(0))]
    if not set(options.threads.split(",")) <= set(map(str, possible)):
        parser.error(f"--threads: of {','.join(map(str, possible))}, not {options.threads}")
    options.threads = [int(threads) for threads in options.threads.split(",")]
    options.segment = options.build / "examples/segment"
    options.peak = options.build / "benchmarks/bench.peak"
    return options


def main():
    options = arguments()
    run = {
        "date": datetime.datetime.now().isoformat(" ", "minutes"),
        "machine": f"{machine.processor()}, {machine.memory()}; {machine.system()}",
        "compiler": machine.compiler(options.build),
        "versions": machine.versions(options.engines, options.segment),
        "results": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "image.png"
        Image.open(options.image).convert("RGB").resize((SIZE, SIZE)).save(picture)
        options.image = picture
        for network in options.networks:
            for threads in options.threads:
                run["results"] += compare(network, threads, options)
                if options.json:
                    options.json.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    text = table.markdown([run])
    print(text, end="")
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    ours = sum(result["engine"] == "atrous" for result in run["results"])
    sys.exit(ours < len(options.networks) * len(options.threads))  # atrous failed somewhere


if __name__ == "__main__":
    main()
