#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole networks in PyTorch, uint8 images on the device to label maps on the device, in half precision.

Batch norms are folded and weights lie channels last for everyone. eager: as written, with cudnn.benchmark; graph: the same
in a CUDA graph; compile: torch.compile with max-autotune and freezing, in a CUDA graph too.
"""

import argparse
import copy
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "peers"))
from networks import NETWORKS, SIZE, Layers  # noqa: E402
from timing_gpu import TYPES, Calls, Replay, card, medians  # noqa: E402
from torch_model import Model  # noqa: E402

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


class Network:
    """A network with drawn weights, and the labels that float32 finds for the first image."""

    def __init__(self, name, device):
        self.name, self.device = name, device
        model = HalfModel(name).to(memory_format=torch.channels_last)
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, allow_tf32=False):
            model.to(device).draw(photos(2).to(device))
            model.fold()
            self.expected = model(photos(1).to(device)).cpu()
        self.model = model.cpu()

    def agreement(self, labels):
        """Share of pixels. With drawn weights rounding errors grow from layer to layer: 0.3 to 0.8 is what to expect."""
        return (labels[:1].cpu() == self.expected).float().mean().item()

    def on(self, kind):
        return copy.deepcopy(self.model).to(self.device, TYPES[kind], memory_format=torch.channels_last)


def compiled(model):
    import torch._inductor.config as config

    torch._dynamo.reset()
    config.freezing = True
    return torch.compile(model, mode="max-autotune-no-cudagraphs", dynamic=False)


def measure(network, kind, batch, variants, rounds):
    """A row of the table as a dictionary."""
    model, images = network.on(kind), photos(batch).to(network.device)
    row = {"network": network.name, "type": kind, "batch": batch}
    torch.cuda.reset_peak_memory_stats()
    agreement = network.agreement(model(images))
    contestants = {}
    if "eager" in variants:
        contestants["eager"] = Calls(lambda: model(images))
        row["eager MB"] = torch.cuda.max_memory_allocated() / 1e6
    if "graph" in variants:
        contestants["graph"] = Replay(lambda: model(images), calls=1)
    if "compile" in variants:
        begin = time.monotonic()
        fast = compiled(model)
        found = network.agreement(fast(images))
        row["compiling"] = time.monotonic() - begin
        if found > agreement - 0.1:
            torch.cuda.reset_peak_memory_stats()
            contestants["compile"] = Replay(lambda: fast(images), calls=1)
            row["compile MB"] = torch.cuda.max_memory_allocated() / 1e6
        else:
            print(f"compiled labels agree with float32 in {found:.2f}, eager ones in {agreement:.2f}: left out")
    return row | medians(contestants, rounds)


def profile(network, kind, batch):
    """Prints the kernels of one eager call that take longest."""
    model, images = network.on(kind), photos(batch).to(network.device)
    model(images)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
        model(images)
        torch.cuda.synchronize()
    kernels = sorted(profiler.key_averages(), key=lambda k: -k.self_device_time_total)[:16]
    print(f"\n| {network.name}, {kind}, batch {batch}: kernel | calls | us |\n|---|---|---|")
    for k in kernels:
        print(f"| `{k.key[:90]}` | {k.count} | {k.self_device_time_total:.0f} |")
    print(flush=True)


def show(row, variants):
    best = min(row[v] for v in variants if v in row)
    flops = 2 * Layers(row["network"]).multiply_adds() * row["batch"]
    cells = [row["network"], row["type"], row["batch"]]
    cells += [f"{1e3 * row[v]:.3f}" if v in row else "-" for v in variants]
    cells += [f"{flops / best * 1e-12:.0f}", f"{row.get('eager MB', 0):.0f}", f"{row.get('compile MB', 0):.0f}"]
    cells += [f"{row.get('compiling', 0):.0f}"]
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--types", nargs="+", choices=TYPES, default=list(TYPES))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--variants", nargs="+", choices=["eager", "graph", "compile"], default=["eager", "graph", "compile"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no case after these")
    parser.add_argument("--profile", action="store_true", help="print the kernels that take longest, too")
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    begin = time.monotonic()
    print(f"{card()}\n\nMilliseconds; TFLOP/s of the fastest.\n")
    columns = ["network", "type", "batch", *options.variants, "TFLOP/s", "eager MB", "compile MB", "compiling, s"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|", flush=True)
    for name in options.networks:
        network = Network(name, "cuda")
        for batch in options.batches:
            for kind in options.types:
                if time.monotonic() - begin > options.seconds:
                    print(f"\n{name}, batch {batch}, {kind} and what follows was left out: the time was up")
                    return
                try:
                    row = measure(network, kind, batch, options.variants, options.rounds)
                    show(row, options.variants)
                    if options.profile:
                        profile(network, kind, batch)
                except Exception as error:  # the others still run
                    print(f"{name}, batch {batch}, {kind}: {type(error).__name__}: {str(error)[:300]}", flush=True)
                torch.cuda.empty_cache()


if __name__ == "__main__":
    with torch.no_grad():  # freezing asks for it
        main()
