# SPDX-License-Identifier: MIT
"""The Python blocks of the pages are Python: python3 python.py PAGE.md... What they import need not be there."""
import ast
import pathlib
import re
import sys

blocks = 0
for page in map(pathlib.Path, sys.argv[1:]):
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        blocks += 1
        before = text.count("\n", 0, block.start()) + 1
        ast.parse("\n" * before + block[1], str(page))
print(f"{blocks} blocks of Python")
sys.exit(0 if blocks else 1)
