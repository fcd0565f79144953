#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole networks in PyTorch, uint8 images on the device to label maps on the device, in half precision.

Batch norms are folded and weights lie channels last for everyone. eager: as written, with cudnn.benchmark; graph: the same
in a CUDA graph; compile: torch.compile with max-autotune and freezing, in a CUDA graph too. Cases may be compiled side by
side; each is timed alone.
"""

import argparse
import os
import sys
import time
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "peers"))
from networks import NETWORKS, SIZE, Layers  # noqa: E402
from timing_gpu import TYPES, Calls, Replay, card, medians  # noqa: E402
from torch_model import Model  # noqa: E402
from workers import Group  # noqa: E402

PLUS = [f"deeplabv3plus_{backbone}" for backbone in ("xception65", "resnet101", "mobilenet_v2")]
NETWORKS |= {f"{name}_os8": partial(NETWORKS[name], output_stride=8) for name in PLUS}
NAMES = PLUS + [f"{name}_os8" for name in PLUS]


class HalfModel(Model):
    """Computes in the type of its weights."""

    def normalise(self, image):
        dtype = next(self.parameters()).dtype
        return image.permute(0, 3, 1, 2).to(dtype) * (2 / 255) - 1


def photos(count):
    """uint8 (count, SIZE, SIZE, 3): one picture, rolled, so that images differ."""
    picture = Image.open(Path(__file__).parents[2] / "docs" / "bird.png").convert("RGB").resize((SIZE, SIZE))
    one = torch.from_numpy(np.array(picture))
    return torch.stack([one.roll(17 * i, 1) for i in range(count)])


class Case:
    """A network with drawn weights in one type, images, and the labels that float32 finds for the first one."""

    def __init__(self, name, kind, batch, variants, rounds, threads):
        torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        self.name, self.kind, self.batch, self.variants, self.rounds = name, kind, batch, variants, rounds
        self.row = {}

    def prepare(self):
        model = HalfModel(self.name).to(memory_format=torch.channels_last)
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, allow_tf32=False):
            model.to("cuda").draw(photos(2).to("cuda"))
            model.fold()
            self.expected = model(photos(1).to("cuda"))
        self.model = model.to(TYPES[self.kind], memory_format=torch.channels_last)
        self.images = photos(self.batch).to("cuda")
        torch.cuda.empty_cache()

    def agreement(self, labels):
        """Share of pixels. With drawn weights rounding errors grow from layer to layer: 0.3 to 0.8 is what to expect."""
        return (labels[:1] == self.expected).float().mean().item()

    def as_written(self):
        """Times eager calls and their graph."""
        self.found = self.agreement(self.model(self.images))
        return self.measure([v for v in self.variants if v != "compile"])

    def compile(self):
        begin = time.monotonic()
        self.fast = compiled(self.model)
        found = self.agreement(self.fast(self.images))
        self.row["compiling"] = time.monotonic() - begin
        assert found > self.found - 0.1, f"labels agree with float32 in {found:.2f}, eager ones in {self.found:.2f}"

    def as_compiled(self):
        """Times all again, together with what was compiled."""
        return self.measure(self.variants)

    def measure(self, variants):
        """Seconds and peak memory of each; leaves no memory in use, for the other processes."""
        contestants = {}
        for variant in variants:
            torch.cuda.reset_peak_memory_stats()
            contestants[variant] = self.contestant(variant)
            self.row[f"{variant} MB"] = torch.cuda.max_memory_allocated() / 1e6
        row = self.row | medians(contestants, self.rounds)
        contestants.clear()
        torch.cuda.empty_cache()
        return row

    def contestant(self, variant):
        work = self.fast if variant == "compile" else self.model
        return Calls(lambda: work(self.images)) if variant == "eager" else Replay(lambda: work(self.images), calls=1)

    def profile(self):
        """The kernels of one eager call that take longest, as a table."""
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
            self.model(self.images)
            torch.cuda.synchronize()
        kernels = sorted(profiler.key_averages(), key=lambda k: -k.self_device_time_total)[:16]
        title = f"\n| {self.name}, {self.kind}, batch {self.batch}: kernel | calls | us |\n|---|---|---|\n"
        return title + "\n".join(f"| `{k.key[:90]}` | {k.count} | {k.self_device_time_total:.0f} |" for k in kernels)


def compiled(model):
    import torch._inductor.config as config

    torch._dynamo.reset()
    config.freezing = True
    return torch.compile(model, mode="max-autotune-no-cudagraphs", dynamic=False)


def show(case, row, variants, to=sys.stdout):
    name, kind, batch = case
    times = [row[v] for v in variants if v in row]
    if not times:
        return
    cells = [name, kind, batch] + [f"{1e3 * row[v]:.3f}" if v in row else "-" for v in variants]
    cells += [f"{2e-12 * Layers(name).multiply_adds() * batch / min(times):.0f}"]
    cells += [f"{row[key]:.0f}" if key in row else "-" for key in ("eager MB", "compile MB", "compiling")]
    print("| " + " | ".join(map(str, cells)) + " |", file=to, flush=True)


def measure(cases, options):
    """Shows a row of each case that could be timed; returns the profiles, and how many cases failed."""
    threads = max(1, os.cpu_count() // len(cases))
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", str(2 * threads))
    made_of = {case: (*case, options.variants, options.rounds, threads) for case in cases}
    with Group(Case, made_of, partial(print, file=sys.stderr, flush=True)) as group:
        group.step("prepare", parallel=True)
        rows = group.step("as_written")
        profiles = group.step("profile") if options.profile else {}
        if "compile" in options.variants:
            for case, row in rows.items():  # what is known, should compiling take longer than anyone waits
                show(case, row, options.variants, sys.stderr)
            group.step("compile", parallel=True, seconds=options.patience)
            rows |= group.step("as_compiled")
        failed = len(cases) - len(group.workers)
    for case, row in rows.items():
        show(case, row, options.variants)
    return list(profiles.values()), failed


def case(text):
    """NETWORK,TYPE,BATCH"""
    name, kind, batch = text.split(",")
    if name not in NAMES or kind not in TYPES:
        raise ValueError
    return name, kind, int(batch)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--types", nargs="+", choices=TYPES, default=list(TYPES))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--cases", type=case, nargs="+", metavar="NETWORK,TYPE,BATCH", help="these alone, in this order")
    parser.add_argument("--variants", nargs="+", choices=["eager", "graph", "compile"], default=["eager", "graph", "compile"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--together", type=int, default=1, help="cases that compile side by side, sharing memory")
    parser.add_argument("--patience", type=float, help="seconds after which what is not compiled is given up")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no case after these")
    parser.add_argument("--profile", action="store_true", help="print the kernels of an eager call that take longest, too")
    return parser.parse_args()


def main():
    options = arguments()
    cases = options.cases or list(product(options.networks, options.types, options.batches))
    begin, profiles, failed = time.monotonic(), [], 0
    print(f"{card()}\n\nMilliseconds; TFLOP/s of the fastest.\n")
    columns = ["network", "type", "batch", *options.variants, "TFLOP/s", "eager MB", "compile MB", "compiling, s"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|", flush=True)
    for i in range(0, len(cases), options.together):
        if time.monotonic() - begin > options.seconds:
            print(f"\n{len(cases) - i} of {len(cases)} cases were left out: the time was up")
            break
        found, fewer = measure(cases[i : i + options.together], options)
        profiles, failed = profiles + found, failed + fewer
    if failed:
        print(f"\n{failed} of {len(cases)} cases failed, at least in part: see the messages")
    for table in profiles:
        print(table)


if __name__ == "__main__":
    main()
