# SPDX-License-Identifier: MIT
"""Reads the inner loops of compiled kernels: vectors stay in registers, and few instructions are no multiply-adds.

usage: check.py OBJDUMP OBJECT...

Looks at every function that is instantiated with inner_loop<Job, Tag, FMAS, OTHERS> (loops.hpp). A loop is what a jump
backwards repeats, an inner loop holds no other. Fails where an inner loop with multiply-adds of vectors moves a vector
from or to the stack; where none has FMAS multiply-adds a turn, once to four times; where the longest of those has more than
OTHERS other instructions to FMAS; and where some product is rounded before it is added, which would make sums depend on
the tile that they fall in. In a function that multiplies pairs of integers, these are the multiply-adds; they never round.
"""
import re
import subprocess
import sys
from dataclasses import dataclass

EXPECTED = re.compile(r"run_(?P<set>\w+)<assembly::inner_loop<(?P<job>.*), [\w:]+, (?P<fmas>\d+), (?P<others>\d+)> ?>\(")
LINE = re.compile(r"\s*(?P<at>[0-9a-f]+):\s+(?P<text>.*)")
JUMP = re.compile(r"j\w+\s+(0x)?(?P<to>[0-9a-f]+)")
MULTIPLY = re.compile(r"vmul[ps][sd]\s")
FMA = re.compile(r"vfn?m(add|sub)\d+ps\s.*%[yz]mm")
PAIRS = re.compile(r"(vpdpwssd|vpmaddwd)\s.*%[yz]mm")


@dataclass
class Function:
    name: str
    code: list  # (address, instruction)

    def inner_loops(self):
        """Lists of instructions."""
        jumps = [(int(jump["to"], 16), at) for at, text in self.code if (jump := JUMP.match(text))]
        loops = {(first, last) for first, last in jumps if self.code[0][0] <= first <= last}
        for first, last in sorted(loops):
            if not any((a, b) != (first, last) and first <= a and b <= last for a, b in loops):
                yield [text for at, text in self.code if first <= at <= last]

    def on_stack(self, text):
        framed = any(re.match(r"mov\s+%rsp,%rbp", other) for _, other in self.code[:8])
        return re.search(r"\(%rsp|\(%rbp" if framed else r"\(%rsp", text) and re.search(r"%[xyz]mm", text)


def functions(objdump, path):
    """Those of an object file that say what is expected of them."""
    text = subprocess.run([objdump, "-dCw", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
    for part in re.split(r"\n(?=[0-9a-f]+ <)", text)[1:]:
        name, *lines = part.splitlines()
        if EXPECTED.search(name):
            found = [LINE.match(line) for line in lines]
            yield Function(name, [(int(line["at"], 16), line["text"]) for line in found if line])


def check(function):
    """Prints one line, and says whether all is well."""
    wanted = EXPECTED.search(function.name)
    fmas, others = int(wanted["fmas"]), int(wanted["others"])
    texts = [text for _, text in function.code]
    multiply_add = PAIRS if any(map(PAIRS.match, texts)) else FMA
    fmas_of = lambda loop: sum(1 for text in loop if multiply_add.match(text))
    loops = [loop for loop in function.inner_loops() if fmas_of(loop)]
    spills = [text for loop in loops for text in loop if function.on_stack(text)]
    wrong = [f"{len(spills)} vectors on the stack, as in `{spills[0]}`"] if spills else []
    if multiply_add is FMA and any(map(MULTIPLY.match, texts)):
        wrong.append("multiplies and adds by two instructions")
    of_the_kernel = [loop for loop in loops if fmas_of(loop) in (fmas, 2 * fmas, 3 * fmas, 4 * fmas)]
    if of_the_kernel:
        turns, most = max((fmas_of(loop) // fmas, len(loop) - fmas_of(loop)) for loop in of_the_kernel)
        found = f"{fmas} multiply-adds, {most / turns:g} others"
        if most > turns * others:
            wrong.append(f"expected at most {others} others")
    else:
        found = f"no loop of {fmas} multiply-adds, but of {sorted(map(fmas_of, loops))}"
        wrong.append("expected one")
    job = re.sub(r"atrous::(cpu::)?", "", wanted["job"])
    print(f"{wanted['set']} {job}: {found}", *wrong, sep="; ")
    return not wrong


def main():
    objdump, *paths = sys.argv[1:]
    results = [check(function) for path in paths for function in functions(objdump, path)]
    print(f"{len(results)} kernels, {results.count(False)} wrong")
    sys.exit(not results or not all(results))


if __name__ == "__main__":
    main()
