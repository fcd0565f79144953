"""What every test of the programs needs: weights and a picture made up, runs that succeed, runs that are refused."""
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

import files

PROGRAMS = pathlib.Path(sys.argv[1]).resolve()  # every test takes their folder first
NETWORK = "deeplabv3_mobilenet_v2_dm05"
XCEPTION = "deeplabv3plus_xception65"


def run(program, *arguments):
    done = subprocess.run([PROGRAMS / program, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def expected_tensors(network, scratch):
    """Names and shapes that a network wants, from what `inspect` says of a file that has all names and no numbers."""
    file = files.write_tensors(scratch / "probe.safetensors", {"global_step": ([1], [0.0])})
    missing = re.findall(r"^  missing +(\S+)$", run("inspect", "--weights", file, "--network", network)[1], re.M)
    files.write_tensors(file, {name: ([0], []) for name in missing})
    unfit = re.findall(r"^  unfit +(\S+) \(expected ([0-9x]+), ", run("inspect", "--weights", file, "--network", network)[1], re.M)
    return {name: [int(e) for e in shape.split("x")] for name, shape in unfit}


def made_weights(shapes):
    draw, made = random.Random(1), {}
    for name, shape in shapes.items():
        count = 1
        for extent in shape:
            count *= extent
        if name.endswith(("gamma", "moving_variance")):
            numbers = [1.0] * count
        else:
            reach = 0.1 if len(shape) == 1 else (3 / (count // shape[-1])) ** 0.5 if shape[-1] > 1 else 0.5
            numbers = [draw.uniform(-reach, reach) for _ in range(count)]
        made[name] = (shape, numbers)
    return made


class ProgramTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.scratch = pathlib.Path(cls.holder.name)
        cls.tensors = made_weights(expected_tensors(NETWORK, cls.scratch))
        cls.weights = files.write_tensors(cls.scratch / "good.safetensors", cls.tensors)
        cls.picture = files.write_picture(cls.scratch / "picture.png", 33, 47)

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def good(self, program, *arguments):
        code, out, err = run(program, *arguments)
        self.assertEqual((code, err), (0, ""), (program, arguments))
        return out

    def refused(self, program, *arguments, says=(), quiet=True):
        code, out, err = run(program, *arguments)
        self.assertEqual(code, 1, err)
        self.assertRegex(err, rf"\A{program}: [^\n]+\n\Z")
        if quiet:
            self.assertEqual(out, "")
        for part in says:
            self.assertIn(part, err)
        return out

    def shared(self, name):
        folder = pathlib.Path(os.environ.get("ATROUS_SHARED") or pathlib.Path(__file__).parents[3] / "shared")
        if not (folder / name).exists():
            self.skipTest(f"not here: {folder / name}")
        return folder / name

    def segment(self, *arguments, images=None):
        return self.good("segment", *(images or [self.picture]), "--network", NETWORK, "--weights", self.weights, *arguments)

    def refused_by_segment(self, *arguments, says=(), images=None, network=NETWORK, weights=None):
        self.refused("segment", *(images or [self.picture]), "--network", network, "--weights", weights or self.weights,
                     *arguments, says=says)
