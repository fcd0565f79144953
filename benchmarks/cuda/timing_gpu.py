# SPDX-License-Identifier: MIT
"""Times on a GPU: graphs of several calls, replayed in interleaved rounds."""

import math
import statistics

import torch

CALLS_WORTH = 400e-6  # seconds that one replay should take at least
TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


def between(work):
    """Seconds on the device."""
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    work()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) * 1e-3


def captured(work, calls):
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(calls):
            work()
    return graph


class Replay:
    """Calls of `work`, captured once: the processor's launch time does not count."""

    def __init__(self, work, calls=None):
        for _ in range(2):  # also lets cuDNN choose
            work()
        self.calls, self.graph = 1, captured(work, 1)
        self()
        self.calls = calls or min(1000, math.ceil(CALLS_WORTH / self()))
        self.graph = captured(work, self.calls)
        self.graph.replay()

    def __call__(self):
        self.graph.replay()  # keeps the device busy while the next one is submitted
        return between(self.graph.replay) / self.calls


class Calls:
    """Calls of `work` as a program makes them, one after the other."""

    def __init__(self, work, seconds=0.05):
        for _ in range(3):
            work()
        torch.cuda.synchronize()
        self.work = work
        self.calls = max(2, min(30, round(seconds / max(between(work), 1e-6))))

    def __call__(self):
        def several():
            for _ in range(self.calls):
                self.work()

        return between(several) / self.calls


def medians(contestants, rounds):
    """{name: what gives seconds} -> {name: median of interleaved rounds}"""
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            times[name].append(contestant())
    return {name: statistics.median(values) for name, values in times.items()}


def card():
    p = torch.cuda.get_device_properties(0)
    versions = f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}"
    return f"{p.name}, {p.multi_processor_count} multiprocessors, {versions}"
