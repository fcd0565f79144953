#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Depthwise 3x3 convolutions of Xception-65: PyTorch (cuDNN, channels last), the kernel of depthwise.cuh, and a copy."""

import argparse
import ctypes
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.append(str(Path(__file__).parents[1] / "peers"))
from networks import Layers  # noqa: E402
from timing_gpu import TYPES, Replay, card, medians  # noqa: E402

RATES = (1, 2, 6, 12, 18, 24, 36)
VARIANTS = [  # channels and columns of a thread, rows on their way, rows of a thread
    (*kernel, rows) for kernel in ((8, 1, 1), (8, 1, 3), (4, 1, 3), (4, 2, 2)) for rows in (1, 2, 4, 8, 16, 33)
]
TOLERANCE = {"fp16": 1e-3, "bf16": 8e-3}  # of a result rounded to 11 and 8 bits


class Shape(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("batch", "height", "width", "channels", "stride", "rate")]


def shapes():
    """(extent, channels, stride), once each; those with stride 1 are run at every rate."""
    layers = [layer for layer in Layers("deeplabv3plus_xception65") if layer.depthwise]
    found = {(layer.stride * (round(layer.positions**0.5) - 1) + 1, layer.inputs, layer.stride) for layer in layers}
    return sorted(found | {(65, 2048, 1)})  # the last: exit flow at output stride 8


class Variant(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("channels", "columns", "ahead", "rows")]


class Case:
    def __init__(self, library, kind, batch, extent, channels, stride, rate):
        self.library, self.kind = library, kind
        self.shape = Shape(batch, extent, extent, channels, stride, rate)
        dtype, last = TYPES[kind], torch.channels_last
        self.x = torch.randn(batch, channels, extent, extent, device="cuda", dtype=dtype).to(memory_format=last)
        self.weights = torch.randn(channels, 1, 3, 3, device="cuda", dtype=dtype)
        self.taps = self.weights.view(channels, 9).t().contiguous()
        self.bias = torch.randn(channels, device="cuda")
        out = (extent - 1) // stride + 1
        self.y = torch.full((batch, channels, out, out), torch.nan, device="cuda", dtype=dtype).to(memory_format=last)
        self.from_, self.to = (torch.randn(self.x.nbytes + self.y.nbytes >> 3, device="cuda") for _ in range(2))

    def torch(self, x=None, weights=None, bias=None):
        s = self.shape
        x, weights = (self.x, self.weights) if x is None else (x, weights)
        return F.conv2d(x, weights, bias, s.stride, s.rate, s.rate, s.channels)

    def own(self, variant):
        pointers = [t.data_ptr() for t in (self.x, self.taps, self.bias, self.y)]
        function = getattr(self.library, f"depthwise_{self.kind}")
        stream = torch.cuda.current_stream().cuda_stream
        status = function(*map(ctypes.c_void_p, pointers), self.shape, Variant(*variant), ctypes.c_void_p(stream))
        assert status == 0, f"CUDA error {status}"

    def copy(self):
        stream = torch.cuda.current_stream().cuda_stream
        arguments = (self.from_.data_ptr(), self.to.data_ptr(), self.from_.nbytes, stream)
        status = self.library.copy_bytes(*map(ctypes.c_void_p, arguments))
        assert status == 0, f"CUDA error {status}"

    def check(self):
        """Every variant against float32, at least once each."""
        with torch.backends.cudnn.flags(enabled=False):
            expected = self.torch(self.x.float(), self.weights.float(), self.bias)
        for variant in VARIANTS:
            self.y.fill_(torch.nan)
            self.own(variant)
            error = ((self.y.float() - expected).norm() / expected.norm()).item()
            assert error < TOLERANCE[self.kind], f"{variant}: error {error}"

    def measure(self, rounds):
        """Seconds of all three, and the variant that was fastest in a first round."""
        useful = [v for v in VARIANTS if v[3] < 2 * self.y.shape[2] / self.shape.rate]
        own = {v: Replay(lambda v=v: self.own(v)) for v in useful}
        best = min(own, key=lambda v: min(own[v](), own[v]()))
        contestants = {"torch": Replay(self.torch), "copy": Replay(self.copy), "own": own[best]}
        return medians(contestants, rounds), best


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", default="build/cuda/sm_90a/libdepthwise.so", help="depthwise.cu, built by `run`")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--types", nargs="+", choices=TYPES, default=list(TYPES))
    parser.add_argument("--extents", type=int, nargs="+", help="maps of these rows and columns alone")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no case after these")
    options = parser.parse_args()
    library = ctypes.CDLL(str(Path(options.library).resolve()))
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = False
    begin = time.monotonic()
    print(f"{card()}\n\nShares are of the bandwidth of a copy of as many bytes.")
    print("Variants are channels x columns x rows ahead x rows.\n")
    print("| type | batch | input | stride | rate | PyTorch, us | share | own, us | share | variant | PyTorch / own |")
    print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    cases = [
        (kind, batch, *shape, rate)
        for batch in options.batches
        for kind in options.types
        for shape in shapes()
        if not options.extents or shape[0] in options.extents
        for rate in (RATES if shape[2] == 1 else (1,))
    ]
    for i, (kind, batch, extent, channels, stride, rate) in enumerate(cases):
        if time.monotonic() - begin > options.seconds:
            print(f"\n{len(cases) - i} of {len(cases)} cases were left out: the time was up")
            break
        case = Case(library, kind, batch, extent, channels, stride, rate)
        case.check()
        times, best = case.measure(options.rounds)
        torch_, copy, own = (1e6 * times[name] for name in ("torch", "copy", "own"))
        row = [kind, batch, f"{extent}x{extent}x{channels}", stride, rate, f"{torch_:.2f}", f"{copy / torch_:.2f}"]
        row += [f"{own:.2f}", f"{copy / own:.2f}", "x".join(map(str, best)), f"{torch_ / own:.2f}"]
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
        del case


if __name__ == "__main__":
    with torch.inference_mode():
        main()
