"""Hostile files, outputs that cannot be written and wrong options: exit 1, one line that names what is wrong, no half file.

usage: hostile.py FOLDER_OF_PROGRAMS
"""
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import unittest
import zlib

sys.dont_write_bytecode = True  # nothing appears beside the sources
import files  # noqa: E402
from trial import NETWORK, PROGRAMS, ProgramTest  # noqa: E402


OUTPUTS = {"--labels": "labels.png", "--overlay": "overlay.png", "--logits": "logits.safetensors"}


def png(width, height, depth=8, kind=2, data=None):
    """A PNG with this header; without data the picture is missing."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(data))] if data is not None else []
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
                                           for name, body in (*chunks, (b"IEND", b"")))


def packed(text, data=b"", length=None):
    return struct.pack("<Q", len(text) if length is None else length) + text + data


class Hostile(ProgramTest):
    def outputs(self):
        """A folder of its own with the results of before, one for every option."""
        folder = self.scratch / self.id().rsplit(".", 1)[-1]
        folder.mkdir()
        places = {option: folder / name for option, name in OUTPUTS.items()}
        for place in places.values():
            place.write_bytes(b"of before")
        return folder, places

    def untouched(self, folder, places):
        self.assertEqual(sorted(folder.iterdir()), sorted(places.values()))
        for place in places.values():
            self.assertEqual(place.read_bytes(), b"of before")

    # ---- files in

    def test_images(self):
        folder, places = self.outputs()
        image = self.scratch / "hostile.png"
        good, frame = self.picture.read_bytes(), b"\xff\xd8\xff\xc0\x00\x11\x08%s\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00"
        cases = [good[:at] for at in (*range(0, 60, 7), *range(60, len(good), max(1, len(good) // 10)))]
        cases += [png(w, h) for w, h in ((0, 0), (0, 9), (9, 0), (20_000_000, 1), (20_000_000, 20_000_000), (1 << 31, 1))]
        cases += [png(9, 9, data=b""), png(9, 9, data=bytes(28 * 9 - 1)), png(9, 9, depth=7), png(9, 9, kind=5)]
        cases += [frame % struct.pack(">HH", *extents) for extents in ((0, 0), (0, 9), (9, 0), (9, 9), (65535, 65535))]
        for content in cases:
            image.write_bytes(content)
            self.refused_by_segment(*(part for pair in places.items() for part in pair), images=[image], says=("hostile.png",))
        self.untouched(folder, places)

    def test_small_and_wide_images(self):
        image = self.scratch / "odd.png"
        image.write_bytes(png(1, 1, data=bytes(4)))
        self.assertRegex(self.segment(images=[image]), r"odd\.png: 1x1, .+ 100\.0 %")
        image.write_bytes(png(20_000_000, 1, depth=1, kind=0, data=bytes(2_500_001)))
        self.refused_by_segment(images=[image], says=("1x20000000x3", "2 to 20"))

    def test_weights(self):
        file = self.scratch / "hostile.safetensors"
        entry = b'"w":{"dtype":"F32","shape":[%s],"data_offsets":[%s]}'
        whole = self.weights.read_bytes()
        size = struct.unpack_from("<Q", whole)[0]
        cases = [whole[:at] for at in (0, 7, 8, 9, 8 + size // 2, 8 + size, 9 + size, len(whole) - 1)]
        cases += [packed(b"{}", length=length) for length in (1 << 63, (1 << 64) - 1, 100_000_001, 3)]
        cases += [packed(b"[" * 200_000), packed(b'{"a":' * 100_000), packed(b"{NaN}"), packed(b'{"w":NaN}')]
        cases += [packed(b"{" + entry % pair + b"}", bytes(16)) for pair in (
            (b"2,2", b"-4,12"), (b"2,2", b"16,0"), (b"2,2", b"18446744073709551612,12"), (b"4294967296,4294967296,4", b"0,16"),
            (b"-2,-2", b"0,16"), (b"2", b"0,16"), (b"2,2", b"8,24"))]
        cases += [packed(b"{" + entry % (b"4", b"0,16") + b"," + entry % (b"4", b"0,16") + b"}", bytes(16))]
        for content in cases:
            file.write_bytes(content)
            self.refused_by_segment(weights=file, says=("hostile.safetensors",))
            self.refused("inspect", "--weights", file, says=("hostile.safetensors",))

    def test_metadata_nested_deep(self):
        file, deep = self.scratch / "deep.safetensors", "[" * 1_000_000 + "]" * 1_000_000
        for names in (deep, "[" + deep + "," * 20 + "]", "[" + ",".join([deep] + ["0"] * 20) + "]"):
            files.write_tensors(file, self.tensors, {"class_names": names, "palette": names})
            self.good("segment", self.picture, "--network", NETWORK, "--weights", file)
            self.good("inspect", "--weights", file)

    def test_a_million_entries(self):
        file = self.scratch / "million.safetensors"
        entries = ",".join(f'"x{i}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for i in range(1_000_000))
        file.write_bytes(packed(b"{" + entries.encode() + b"}"))
        self.refused_by_segment(weights=file, says=("million.safetensors", "1000000 unexpected"))
        file.unlink()

    # ---- files out

    def test_full_disk(self):
        """A limit of 100 bytes for every file stands for a full disk."""
        folder, places = self.outputs()

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        for option, place in places.items():
            done = subprocess.run([PROGRAMS / "segment", self.picture, "--network", NETWORK, "--weights", self.weights, option, place],
                                  capture_output=True, text=True, preexec_fn=small_files, restore_signals=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            said = re.sub(r"(?m)^OMP: .*\n", "", done.stderr)  # libomp wants a file of its own and tells that it got none
            self.assertRegex(said, rf"\Asegment: [^\n]*{place.name}: cannot be written: File too large\n\Z")
        self.untouched(folder, places)

    def test_full_devices(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        for option in OUTPUTS:
            self.refused_by_segment(option, "/dev/full", says=("/dev/full: cannot be written: No space left",))
        for command in (["inspect", "--network", NETWORK], ["segment", "--help"],
                        ["segment", self.picture, "--network", NETWORK, "--weights", self.weights]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([PROGRAMS / command[0], *command[1:]], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, done.stderr), (1, f"{command[0]}: stdout cannot be written\n"))

    def test_places_that_cannot_be_written(self):
        folder, places = self.outputs()
        for option in OUTPUTS:
            for place in (folder, folder / "absent" / "x", places["--labels"] / "x", folder / ("n" * 300), self.picture, self.weights):
                self.refused_by_segment(option, place, says=(str(place),))
        self.untouched(folder, places)
        if os.geteuid() == 0:
            return  # nothing is forbidden to root
        folder.chmod(0o500)
        self.refused_by_segment("--labels", folder / "new.png", says=("new.png: cannot be written: Permission denied",))
        self.refused_by_segment("--labels", places["--labels"], says=("labels.png: cannot be written: Permission denied",))
        folder.chmod(0o700)
        places["--labels"].chmod(0o400)
        self.refused_by_segment("--labels", places["--labels"], says=("labels.png: cannot be written: Permission denied",))
        self.untouched(folder, places)

    # ---- options

    def test_options_that_do_not_go_together(self):
        weights, network = ("--weights", self.weights), ("--network", NETWORK)
        for options, parts in ((("--csv",), ("--network", "--weights", "--paper")),
                               (("--paper", *weights), ("--paper", "--weights")),
                               (("--paper", "--plan"), ("--paper", "--plan")),
                               (("--paper", "--size", "9x9"), ("--paper", "--size")),
                               (("--paper", "--classes", "3"), ("--paper", "--classes")),
                               ((*weights, "--plan"), ("--weights", "--plan")),
                               ((*weights, "--size", "9x9"), ("--weights", "--size")),
                               ((*network, "--plan", "--csv"), ("--plan", "--csv")),
                               ((*network, *network), ("--network",))):
            self.refused("inspect", *options, says=parts)
        self.refused("inspect", *network, *weights, "--classes", "5", quiet=False, says=("--classes 5", "21", "good.safetensors"))

    def test_values_that_make_no_sense(self):
        for option, values in (("--threads", ("0", "-1", "1025", "1.5", "many", "9" * 30)), ("--classes", ("0", "-1", "65537", "1e3")),
                               ("--repeat", ("0", "-5", "1000001", "")), ("--policy", ("", "abacus"))):
            for value in values:
                self.refused_by_segment(f"{option}={value}", says=(option,))
        for option in ("--classes", "--threads"):
            self.refused("inspect", "--network", NETWORK, f"{option}=none", says=(option,))
        self.refused_by_segment("--labels", says=("--labels",))
        self.refused_by_segment("--labels", "a.png", "--labels", "b.png", says=("--labels",))
        self.refused_by_segment(images=[""], says=('""',))
        self.refused_by_segment(network="\n\x1b[2J", says=("\\x0a\\x1b[2J",))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
