# SPDX-License-Identifier: MIT
"""Where and with what a comparison ran."""

import json
import os
import re
import subprocess
from importlib import metadata
from pathlib import Path

from engines import ENGINES

PEAK_THREADS = (1, 2, 4, 8, 16)  # that bench.peak knows
CACHES = ("L1d cache", "L2 cache", "L3 cache")
SETS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")


def output(*command):
    try:
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def processor():
    """Name, cores, caches and instruction sets in one line."""
    fields = dict(line.split(":", 1) for line in output("env", "LC_ALL=C", "lscpu").splitlines() if ":" in line)
    found = {name: value.strip() for name, value in fields.items()}
    flags = found.get("Flags", "").split()
    caches = ", ".join(f"{name.removesuffix(' cache')} {found[name]}" for name in CACHES if name in found)
    sets = " ".join(name for name in SETS if name in flags)
    family = f"family {found.get('CPU family')} model {found.get('Model')}"
    return f"{found.get('Model name')} ({family}), {os.cpu_count()} processors, {caches}, {sets}"


def memory():
    kilobytes = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1]
    return f"{int(kilobytes) / 2**20:.0f} GiB"


def system():
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return f"{release.get('PRETTY_NAME', '').strip(chr(34))}, Linux {os.uname().release}"


def compiler(build):
    """The one that made `build`, a CMake folder."""
    cache = build / "CMakeCache.txt"
    found = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache.read_text(), re.M) if cache.exists() else None
    return output(found[1], "--version").split("\n")[0] if found else ""


def versions(engines, segment):
    commit = output("git", "-C", Path(__file__).parent, "describe", "--always", "--dirty")
    found = {"atrous": f"{output(segment, '--version').split()[-1]} ({commit})"}
    return found | {name: metadata.version(ENGINES[name].package) for name in engines}


def peak(program, threads):
    """GFLOP/s of fused multiply-adds, measured by bench.peak."""
    printed = output(program, f"--benchmark_filter=threads:{threads}(/|$)", "--benchmark_format=json")
    return json.loads(printed)["benchmarks"][0]["GFLOP/s"]
