"""What `segment` does with pictures: overlays, palettes, folders, frames of a video, several scales, tiles, profiles.

usage: pictures.py FOLDER_OF_PROGRAMS
"""
import re
import struct
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True  # nothing appears beside the sources
import files  # noqa: E402
from trial import NETWORK, PROGRAMS, ProgramTest, run  # noqa: E402


def extent_of(png):
    """(height, width) of a PNG of RGB pixels."""
    width, height, depth, colour = struct.unpack_from(">IIBB", png.read_bytes(), 16)
    assert (depth, colour) == (8, 2), (depth, colour)
    return height, width


def ppm(height, width, kind=0):
    pixels = bytes(v % 256 for i in range(height) for j in range(width) for v in (5 * i + kind, 7 * j, 3 * (i + j)))
    return b"P6\n%d %d\n255\n" % (width, height) + pixels


class Pictures(ProgramTest):
    def frames(self, data, *arguments):
        command = [PROGRAMS / "segment", "-", "--network", NETWORK, "--weights", self.weights, *map(str, arguments)]
        done = subprocess.run(command, input=data, capture_output=True, timeout=300)
        return done.returncode, done.stdout, done.stderr.decode()

    def refused_frames(self, data, *arguments, says):
        code, out, err = self.frames(data, *arguments)
        self.assertEqual((code, out, len(err.splitlines())), (1, b"", 1), err)
        self.assertIn(says, err)

    def test_overlay(self):
        plain, legend, both = (self.scratch / f"{name}.png" for name in ("plain", "legend", "both"))
        self.segment("--overlay", plain, "--no-legend")
        self.assertEqual(extent_of(plain), (33, 47))
        self.segment("--overlay", legend)
        self.assertGreater(sum(extent_of(legend)), 33 + 47)
        self.segment("--overlay", both, "--no-legend", "--side-by-side")
        self.assertEqual(extent_of(both)[0], 33)
        self.assertGreater(extent_of(both)[1], 2 * 47)

    def test_colour_blind_palette(self):
        usual, safe = self.scratch / "usual.png", self.scratch / "safe.png"
        self.segment("--labels", usual)
        self.segment("--labels", safe, "--palette", "colour-blind")
        (colours, rows), (other_colours, other_rows) = files.read_labels(usual), files.read_labels(safe)
        self.assertEqual(rows, other_rows)
        self.assertEqual(len(set(other_colours)), 21)
        self.assertNotEqual(colours, other_colours)

    def test_folder(self):
        folder, overlays = self.scratch / "photos", self.scratch / "overlays"
        folder.mkdir()
        for name in ("b.png", "a.PNG"):
            files.write_picture(folder / name, 20, 30)
        (folder / "c.ppm").write_bytes(ppm(20, 30))
        (folder / "notes.txt").write_text("no picture")
        out = self.segment("--overlay", overlays, images=[folder])
        self.assertEqual(re.findall(r"/(\w+\.\w+): 20x30, ", out), ["a.PNG", "b.png", "c.ppm"])
        self.assertEqual(sorted(f.name for f in overlays.iterdir()), ["a.png", "b.png", "c.png"])
        empty = self.scratch / "empty"
        empty.mkdir()
        self.refused_by_segment(images=[empty], says=("empty", "found none"))

    def test_a_bad_picture_among_several(self):
        folder, labels = self.scratch / "mixed", self.scratch / "mixed_labels"
        folder.mkdir()
        for name in ("a.png", "c.png", "._a.png"):
            files.write_picture(folder / name, 20, 30)
        (folder / "b.png").write_bytes((folder / "a.png").read_bytes()[:100])
        (folder / "._a.png").write_bytes(b"what another system keeps")
        code, out, err = run("segment", folder, "--network", NETWORK, "--weights", self.weights, "--labels", labels)
        self.assertEqual((code, len(err.splitlines())), (1, 1), err)
        self.assertIn("1 of 3 images failed: ", err)
        self.assertIn("b.png", err)
        self.assertEqual(re.findall(r"/(\w+)\.png: 20x30, ", out), ["a", "c"])
        self.assertEqual(sorted(f.name for f in labels.iterdir()), ["a.png", "c.png"])

    def test_many_pictures_are_checked_at_once(self):
        folder = self.scratch / "many"
        folder.mkdir()
        for i in range(3000):
            (folder / f"{i}.png").write_bytes(b"")
        start = time.monotonic()
        self.refused_by_segment("--labels", self.scratch / "l", "--overlay", self.scratch / "l", images=[folder],
                                says=("two results for one file", "0.png"))
        self.assertLess(time.monotonic() - start, 5)

    def test_frames(self):
        data = ppm(33, 47) + ppm(33, 47, 9) + ppm(33, 47, 90)
        labels = self.scratch / "frames"
        code, out, err = self.frames(data, "--labels", labels)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(re.findall(rb"^(\w+): 33x47, ", out, re.M), [b"frame_000001", b"frame_000002", b"frame_000003"])
        self.assertEqual(len(list(labels.iterdir())), 3)
        single = self.scratch / "single.ppm"
        single.write_bytes(ppm(33, 47, 9))
        self.segment("--labels", self.scratch / "single.png", images=[single])
        self.assertEqual(files.read_labels(labels / "frame_000002.png"), files.read_labels(self.scratch / "single.png"))

    def test_frames_as_a_stream(self):
        code, out, err = self.frames(ppm(33, 47) * 2, "--overlay", "-", "--side-by-side")
        self.assertEqual(code, 0)
        self.assertEqual(len(err.splitlines()), 2)
        sizes = re.findall(rb"P6\n(\d+) 33\n255\n", out)
        self.assertEqual(len(sizes), 2)
        self.assertEqual(len(out), 2 * (33 * int(sizes[0]) * 3 + len(b"P6\n%s 33\n255\n" % sizes[0])))
        grey = b"YUV4MPEG2 W47 H33 F25:1 Cmono\n" + (b"FRAME\n" + bytes(33 * 47)) * 2
        code, out, err = self.frames(grey, "--overlay", "-")
        self.assertEqual((code, out.count(b"P6\n47 33\n255\n")), (0, 2))

    def test_frames_that_end_early(self):
        self.refused_frames(ppm(33, 47), "--labels", self.scratch / "same", "--overlay", self.scratch / "same", says="two results")
        for data, says in ((b"", "found nothing"), (b"hello", "standard input"), (ppm(33, 47)[:-1], "standard input")):
            code, _, err = self.frames(data)
            self.assertEqual((code, len(err.splitlines())), (1, 1), err)
            self.assertIn(says, err)

    def test_several_scales_and_mirrored(self):
        photo, maps = self.shared("photos/bird.png"), {}
        network = "deeplabv3_mobilenet_v2_pascal"
        for options in ((), ("--flip",), ("--multi-scale",), ("--tile", "513"), ("--tile", "300")):
            out = self.good("segment", photo, "--network", network, "--weights", self.shared(f"models/{network}.safetensors"),
                            "--labels", self.scratch / "scales.png", *options)
            self.assertRegex(out, r": 513x513, background \d+\.\d %, bird \d+\.\d %.*, \d+\.\d ms\n\Z")
            maps[options] = b"".join(files.read_labels(self.scratch / "scales.png")[1])
        self.assertTrue(maps[()] == maps[("--tile", "513")], "no larger than a tile")
        self.assertEqual(len(set(maps.values())), 4)
        for options in (("--flip",), ("--multi-scale",), ("--tile", "300")):
            equal = sum(a == b for a, b in zip(maps[()], maps[options])) / len(maps[()])
            self.assertGreater(equal, 0.95, options)

    def test_tiles(self):
        large = files.write_picture(self.scratch / "large.png", 300, 200)
        self.segment("--labels", self.scratch / "tiles.png", "--tile", "128", images=[large])
        self.assertEqual(len(files.read_labels(self.scratch / "tiles.png")[1]), 300)

    def test_profile(self):
        out = self.segment("--profile")
        self.assertEqual(len(re.findall(r"[\d.]+ ms\b", out)), 1)
        rows = out.splitlines()
        self.assertRegex(rows[1], r"step +layer +kind .*ms +share +GFLOP/s")
        self.assertGreater(len(rows), 30)
        self.assertRegex(rows[-1], r"^ +total .*100\.0 %")

    def test_options_that_exclude_each_other(self):
        out = self.scratch / "out.png"
        self.refused_by_segment("--tile", "128", "--flip", says=("--tile excludes",))
        self.refused_by_segment("--tile", "10", says=("--tile",))
        self.refused_by_segment("--logits", out, "--multi-scale", says=("--logits excludes",))
        self.refused_by_segment("--profile", "--flip", says=("--profile excludes",))
        self.refused_by_segment("--profile", images=[self.picture, self.picture], says=("--profile takes one image",))
        self.refused_by_segment("--side-by-side", says=("need --overlay",))
        self.refused_by_segment("--overlay", "-", says=("image -",))
        self.refused_by_segment("--labels", "-", says=("found -",))
        self.refused_by_segment("--labels", "", says=("found none",))
        self.refused_by_segment(images=["-", self.picture], says=("alone",))
        self.refused_by_segment("--palette", "grey", says=("colour-blind",))
        self.refused_by_segment("--overlay", self.picture, says=("would replace",))
        self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
