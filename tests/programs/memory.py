"""What a run of the largest network takes of memory: its weights once, its feature maps, and little else.

usage: memory.py FOLDER_OF_PROGRAMS
"""
import json
import math
import os
import struct
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True  # nothing appears beside the sources
import files  # noqa: E402
from trial import PROGRAMS, XCEPTION, ProgramTest, expected_tensors  # noqa: E402


def zeros(path, shapes):
    """A safetensors file of zeros that takes no room on the disk."""
    header, at = {}, 0
    for name, shape in sorted(shapes.items()):
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    os.truncate(path, 8 + len(text) + at)
    return path


class Memory(ProgramTest):
    def peak(self, *arguments):
        """The most bytes that a run held at a time."""
        command = [PROGRAMS / "segment", *map(str, arguments)]
        sleeping = os.environ | {"OMP_WAIT_POLICY": "passive"}  # threads that wait leave the processors to other tests
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=sleeping)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(child.returncode, 0)
        return 1024 * used.ru_maxrss

    def test_peak(self):
        weights = zeros(self.scratch / "zeros.safetensors", expected_tensors(XCEPTION, self.scratch))
        picture = files.write_picture(self.scratch / "large.png", 513, 513)
        self.assertGreater(weights.stat().st_size, 160_000_000)
        for threads in (1, 2):
            peak = self.peak(picture, "--network", XCEPTION, "--weights", weights, "--threads", threads)
            print(f"{threads} threads: {peak / 1e6:.0f} MB")
            self.assertLess(peak, 260_000_000)
            self.assertGreater(peak, 160_000_000)  # else something else was measured


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
