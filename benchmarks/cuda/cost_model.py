#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What DeepLabv3+ on Xception-65 costs on a GPU: what its measured kernels add up to, and what a fused kernel could reach.

Every layer at 513x513, output stride 16, in half precision. split: one depthwise and one pointwise kernel a layer, the
times of the tables in h100, which `run` wrote. fused: depthwise and pointwise in one kernel; the best tile of a model of
tensor cores, depthwise arithmetic, second-level cache, neighbours in a cluster and device memory.
"""

import argparse
import itertools
import re
import sys
from dataclasses import dataclass, replace
from math import ceil, isnan
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "peers"))
from networks import Layers  # noqa: E402

CACHE = 30e6  # bytes of activations that stay in the second-level cache from one kernel to the next
LARGEST_TILE = 64 * 768  # float sums of a block: 192 KB of its registers


@dataclass(frozen=True)
class Card:
    """Operations and bytes per second; seconds that a kernel takes at least. The defaults are what was planned with."""

    tensor: float = 790e12
    efficiency: float = 0.85  # of the tensor cores, in a kernel's steady state; a guess on every card
    memory: float = 4.3e12
    cache: float = 5.5e12  # read by all multiprocessors, each its own lines
    cache_same: float = 5.5e12  # ..., all of them the same lines
    neighbours: float = 1e15  # written into the shared memory of a cluster's other blocks
    kernel: float = 1.3e-6
    clusters: bool = True
    at_once: tuple = (132, 132, 132, 132)  # blocks with 200 KB, in clusters of 1, 2, 4 and 8
    clock: float = 1.755e9
    shared: int = 227 << 10


GUESSED = Card()
# constants.md; `kernel` is what cuBLASLt's short products take above the model (`--products`).
H100 = replace(
    GUESSED, tensor=800e12, memory=2.9e12, cache=7.4e12, cache_same=15.6e12, neighbours=3.6e12, kernel=3e-6, clock=1.98e9,
    at_once=(132, 132, 120, 120),
)  # fmt: skip
MMA = 615 / 800  # mma.sync from registers, beside cuBLASLt
CARDS = {
    "guessed H200": GUESSED,
    "measured H100": H100,
    "measured H100, no clusters": replace(H100, clusters=False),
    "measured H100, no clusters, mma.sync": replace(H100, clusters=False, efficiency=H100.efficiency * MMA),
    "measured H100, 0.6 us a kernel": replace(H100, kernel=0.6e-6),
    "H100 with 4.3 TB/s of memory": replace(H100, memory=4.3e12),
}


@dataclass(frozen=True)
class Step:
    """A pointwise or dense convolution, with the depthwise one before it if there is one."""

    layer: object
    depthwise: object
    batch: int

    @property
    def extent(self):
        return round(self.layer.positions**0.5)

    @property
    def inputs(self):
        """Elements that the step reads."""
        first = self.depthwise or self.layer
        return self.batch * first.positions * (first.stride**2 if first.kernel > 1 else 1) * first.inputs

    @property
    def outputs(self):
        return self.batch * self.layer.positions * self.layer.outputs

    @property
    def between(self):
        return self.batch * self.depthwise.positions * self.depthwise.inputs if self.depthwise else 0

    @property
    def terms(self):
        return self.layer.inputs * self.layer.kernel**2

    @property
    def operations(self):
        return 2 * self.outputs * self.terms

    def from_memory(self, elements):
        """Bytes that come from device memory: weights, and activations too large for the cache."""
        return 2 * self.terms * self.layer.outputs + (2 * elements if 2 * elements > CACHE else 0)


def steps(batch):
    depthwise = None
    for layer in Layers("deeplabv3plus_xception65"):
        if layer.depthwise:
            depthwise = layer
        else:
            yield Step(layer, depthwise, batch)
            depthwise = None


def floor(step, card):
    """Neither faster than its multiply-adds nor than its bytes."""
    return max(step.operations / card.tensor, step.from_memory(step.inputs + step.outputs) / card.memory)


def tiles(step):
    """Rows, columns, outputs of a block; blocks of a cluster that share a tile's pixels, and those that share weights."""
    extent, outputs = step.extent, step.layer.outputs
    columns = [c for c in (16, 17, 22, 33, 43, 65) if c < extent] + [extent]
    widths = [n for n in (24, 48, 64, 96, 128, 184, 192, 248, 256, 368, 384, 512, 728, 768) if n <= ceil(outputs / 64) * 64]
    return itertools.product((1, 2, 3, 4, 5, 6, 8, 11), columns, widths, (1, 2, 4, 8), (1, 2, 4))


def fused(step, card, known={}):
    """Seconds of the best tile; of steps that are alike it is looked for once."""
    alike = (step.batch, *(repr(replace(one, scope="")) for one in (step.layer, step.depthwise) if one), card)
    if alike not in known:
        known[alike] = card.kernel + best_tile(step, card)
    return known[alike]


def best_tile(step, card):
    best = float("inf")
    for rows, columns, width, sharers, weight_sharers in tiles(step):
        across = ceil(step.layer.outputs / width)
        cluster = sharers * weight_sharers
        if rows * columns > 256 or cluster > (8 if card.clusters else 1) or across % sharers:
            continue
        pixels, extent = rows * columns, step.extent
        blocks = step.batch * ceil(extent / rows) * ceil(extent / columns) * across
        # The tensor cores take 64 of the one and a multiple of 8 of the other; either side may be the pixels.
        padded = min(ceil(pixels / 64) * 64 * ceil(width / 8) * 8, ceil(pixels / 8) * 8 * ceil(width / 64) * 64)
        halo = pixels * step.layer.kernel**2
        if step.depthwise:
            d = step.depthwise
            high, wide = ((n - 1) * d.stride + 1 + 2 * d.rate for n in (rows, columns))
            halo = min(9 * pixels, high * wide, d.positions * d.stride**2)
        stages = 3 * width * 128 + 2 * ceil(pixels / 8) * 8 * 128 + (2 * halo * 128 if step.depthwise else 0)
        if padded > LARGEST_TILE or stages > card.shared:
            continue
        per, at_once = card.at_once[0], card.at_once[cluster.bit_length() - 1]
        products = 2 * padded * ceil(step.terms / 16) * 16 / (card.tensor * card.efficiency / per)
        reads = 2 * width * step.terms / weight_sharers / (card.cache_same / per)
        reads += (2 * halo * step.layer.inputs / sharers + 2 * pixels * width) / (card.cache / per)
        arithmetic = exchange = 0
        if step.depthwise:  # 3 conversions and 9 multiply-adds, three issue slots of four used
            arithmetic = 12 * pixels * step.layer.inputs / sharers / (128 * card.clock * 0.75)
            exchange = 2 * pixels * step.layer.inputs * (sharers - 1) / sharers / (card.neighbours / per)
        parts = sorted((products, reads, arithmetic, exchange))
        waves = ceil(blocks / at_once)
        body = waves * (parts[-1] + 0.25 * parts[-2])  # they overlap, not quite
        best = min(best, max(body, step.from_memory(step.inputs + step.outputs) / card.memory))
    return best


def rows_of(path):
    """Cells of every row of a Markdown file's tables."""
    for line in path.read_text().splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("|").split("|")]


class Measured:
    """Times of single kernels in fp16, from the tables of `run`."""

    def __init__(self, folder):
        self.pointwise, self.depthwise = {}, {}
        for row in rows_of(folder / "pointwise.md"):
            if found := re.fullmatch(r"(\d+) x (\d+) -> (\d+)", row[0]):
                self.pointwise.setdefault(tuple(map(int, found.groups())), float(row[1]) * 1e-6)  # fp16 comes first
        for row in rows_of(folder / "depthwise.md"):
            if row[0] == "fp16":
                extent, channels = map(int, row[2].split("x")[1:])
                key = (int(row[1]), extent, channels, int(row[3]), int(row[4]))
                self.depthwise[key] = (float(row[7]) * 1e-6, float(row[5]) * 1e-6)  # ours, PyTorch's

    def split(self, step, card):
        """Depthwise, ours and PyTorch's, and the product; what was not measured at 70 % of its floor's rate."""
        own = theirs = 0.0
        if step.depthwise:
            d = step.depthwise
            key = (step.batch, d.stride * (round(d.positions**0.5) - 1) + 1, d.inputs, d.stride, d.rate)
            own = 2 * (step.inputs + step.between) / (0.7 * card.memory)
            own, theirs = self.depthwise.get(key, (own, float("nan")))
        outputs = max(48, step.layer.outputs)  # 21 logits: not a multiple of 8 takes twice the time of 48
        key = (step.batch * step.layer.positions, step.layer.inputs, outputs)
        product = self.pointwise.get(key) if step.layer.kernel == 1 else None
        return own, theirs, product or card.kernel + floor(step, card) / 0.7


def products(measured, batches):
    """Prints how far the model, without its time per kernel, is from cuBLASLt's products."""
    print("| pixels x inputs -> outputs | modelled, us | measured, us | difference |\n|---|---|---|---|")
    for batch in batches:
        plain = {}
        for step in steps(batch):
            plain[batch * step.layer.positions, step.layer.inputs, step.layer.outputs] = replace(step, depthwise=None)
        for key in sorted(plain.keys() & measured.pointwise.keys()):
            us = 1e6 * fused(plain[key], replace(H100, kernel=0)), 1e6 * measured.pointwise[key]
            print("| {} x {} -> {} |".format(*key) + f" {us[0]:.2f} | {us[1]:.2f} | {us[1] - us[0]:.2f} |")


def summary(measured, batches):
    print("| milliseconds | " + " | ".join(f"batch {b}" for b in batches) + " |")
    print("|---" * (len(batches) + 1) + "|")

    def line(name, function):
        values = [1e3 * sum(map(function, steps(batch))) for batch in batches]
        print(f"| {name} | " + " | ".join("-" if isnan(v) else f"{v:.2f}" for v in values) + " |")

    for name in ("guessed H200", "measured H100"):
        line(f"{name}: floor", lambda s, c=CARDS[name]: floor(s, c))
    for name, card in CARDS.items():
        line(f"{name}: fused", lambda s, c=card: fused(s, c))
    line("split: depthwise of PyTorch", lambda s: measured.split(s, H100)[1])
    line("split: depthwise of atrous", lambda s: measured.split(s, H100)[0])
    line("split: products of cuBLASLt", lambda s: measured.split(s, H100)[2])
    line("split: sum with ours", lambda s: sum(measured.split(s, H100)[::2]))
    line("better of fused and split, layer by layer", lambda s: min(fused(s, H100), sum(measured.split(s, H100)[::2])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--products", action="store_true", help="compare the model with cuBLASLt's products instead")
    options = parser.parse_args()
    measured = Measured(Path(__file__).parent / "h100")
    if options.products:
        products(measured, options.batches)
    else:
        summary(measured, options.batches)


if __name__ == "__main__":
    main()
