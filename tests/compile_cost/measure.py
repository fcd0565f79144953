"""Compiles FILE with its own command and fails where that costs more than the limit in its first line.

usage: measure.py compile_commands.json FILE
"""
import json
import re
import resource
import shlex
import subprocess
import sys
import tempfile

database, source = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    limit = re.match(r"// limit: ([\d.]+) s ([\d.]+) MiB", file.readline())
if not limit:
    sys.exit(f"{source}: the first line must be `// limit: SECONDS s MEBIBYTES MiB`")
with open(database, encoding="utf-8") as file:
    entry = next(entry for entry in json.load(file) if entry["file"] == source)
with tempfile.NamedTemporaryFile(suffix=".o") as output:
    command = shlex.split(entry["command"])
    command[command.index("-o") + 1] = output.name
    subprocess.run(command, cwd=entry["directory"], check=True)

used = resource.getrusage(resource.RUSAGE_CHILDREN)  # the compiler proper is the driver's child and counts
seconds, mebibytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
print(f"{seconds:.1f} s of {limit[1]}, {mebibytes:.0f} MiB of {limit[2]}")
sys.exit(seconds > float(limit[1]) or mebibytes > float(limit[2]))
