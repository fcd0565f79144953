#!/usr/bin/env python3
# Every ```c++ block of a page is an excerpt of the example that the page links last before it. The lines must stand there
# as they are, but for their indentation; a line `// ...` stands for any lines. excerpts.py ROOT PAGE...
import pathlib
import re
import sys

LINK = re.compile(r"\((?:\.\./)*(examples/\w+\.cpp)\)")


def place(lines, part, start):
    """Where `part` stands in `lines` from `start` on, and -1 if nowhere."""
    last = len(lines) - len(part)
    return next((i for i in range(start, last + 1) if lines[i : i + len(part)] == part), -1)


def missing(block, example):
    """The first line of the first part that the example lacks, or None."""
    lines = [line.strip() for line in example.read_text().splitlines()]
    start, part = 0, []
    for line in [line.strip() for line in block] + ["// ..."]:
        if line != "// ...":
            part.append(line)
            continue
        start = place(lines, part, start)
        if start < 0:
            return part[0]
        start, part = start + len(part), []
    return None


def check(root, page):
    """The number of excerpts, and what is wrong with them."""
    example, block, number, wrong = None, None, 0, []
    for at, line in enumerate(page.read_text().splitlines(), 1):
        if block is None:
            links = LINK.findall(line)
            example = links[-1] if links else example
            block = [] if line.strip() == "```c++" else None
        elif line.strip() != "```":
            block.append(line)
        else:
            number += 1
            absent = missing(block, root / example) if example else "no link to an example"
            if absent is not None:
                wrong.append(f"{page.name}:{at}: not an excerpt of {example}: {absent}")
            block = None
    return number, wrong


root = pathlib.Path(sys.argv[1])
results = [check(root, pathlib.Path(page)) for page in sys.argv[2:]]
problems = [line for _, wrong in results for line in wrong]
print("\n".join(problems + [f"{sum(number for number, _ in results)} excerpts, {len(problems)} wrong"]))
sys.exit(bool(problems))
