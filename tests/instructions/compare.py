# SPDX-License-Identifier: MIT
"""Instructions that kernels and a network execute, counted by Callgrind and held to recorded numbers.

usage: compare.py PROGRAM COMPILER RECORD [--record]

PROGRAM prints the name of everything it counts. RECORD has a line `COUNT NAME` for each, for one COMPILER ("g++ 12"),
which its first line names. Valgrind shows every program the same processor, caches included, so that counts follow from
the compiler alone. Fails where a count is more than 3 % off, in either direction: what got better is recorded, too.
Exits with 77, and says why, where nothing can be compared. --record writes RECORD.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOLERANCE = 0.03
SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def counted(program):
    """{name: instructions}. Callgrind writes one file per counted region, numbered from 1."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", program]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"{program} under valgrind: exit {run.returncode}\n{run.stderr}")
        names = run.stdout.splitlines()
        files = [out.with_name(f"out.{i}") for i in range(1, len(names) + 1)]
        totals = [int(re.search(r"^totals: (\d+)$", file.read_text(), re.M)[1]) for file in files]
    return dict(zip(names, totals, strict=True))


def expected_sets():
    """The instruction sets to be counted here: valgrind shows a program AVX2 where the processor has it."""
    flags = re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return ["baseline", *(["avx2"] if flags and {"avx2", "fma"} <= set(flags[1].split()) else [])]


def read(record):
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else [""]
    return lines[0].removeprefix("# "), {name: int(count) for count, name in (line.split(" ", 1) for line in lines[1:])}


def write(record, compiler, counts):
    lines = [f"# {compiler}", *(f"{count} {name}" for name, count in counts.items())]
    record.write_text("\n".join(lines) + "\n", encoding="utf-8")


def set_of(name):
    return name.split(",")[0]


def compare(found, recorded):
    """Prints what differs and returns how many do."""
    wrong = 0
    for name in [*recorded, *(name for name in found if name not in recorded)]:
        before, now = recorded.get(name), found.get(name)
        if not before or not now:
            print(f"{name}: {'not recorded' if now else 'not counted any more'}")
        elif abs(now / before - 1) > TOLERANCE:
            print(f"{name}: {now} instructions, recorded {before}: {now / before - 1:+.1%}")
        else:
            continue
        wrong += 1
    return wrong


def main():
    program, compiler, record, *option = sys.argv[1:]
    record = pathlib.Path(record)
    recorded_with, recorded = read(record)
    if not shutil.which("valgrind"):
        skip("no valgrind")
    if option != ["--record"] and compiler != recorded_with:
        skip(f"recorded with {recorded_with}, this is {compiler}")
    found = counted(program)
    sets = {set_of(name) for name in found}
    if missing := [name for name in expected_sets() if name not in sets]:
        sys.exit(f"nothing was counted for {', '.join(missing)}")
    if option == ["--record"]:
        write(record, compiler, found)
        print(f"{record}: {len(found)} counts")
        return
    recorded = {name: count for name, count in recorded.items() if set_of(name) in sets}  # what this processor has
    wrong = compare(found, recorded)
    print(f"{len(found)} counts, {wrong} of them more than {TOLERANCE:.0%} off")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
