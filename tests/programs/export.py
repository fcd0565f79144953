"""`export`: what it writes, what it says, what it refuses. That the model computes the same is checked in tests/onnx.

usage: export.py FOLDER_OF_PROGRAMS
"""
import sys
import unittest

sys.dont_write_bytecode = True  # nothing appears beside the sources
import files  # noqa: E402
from trial import NETWORK, XCEPTION, ProgramTest  # noqa: E402


class Export(ProgramTest):
    def export(self, output, *arguments):
        return self.good("export", "--network", NETWORK, "--weights", self.weights, "--output", output, *arguments)

    def refused_by_export(self, *arguments, says=(), output="never.onnx"):
        self.refused("export", "--output", self.scratch / output, *arguments, says=says)
        self.assertFalse((self.scratch / "never.onnx").exists())
        self.assertEqual(list(self.scratch.glob(".atrous*")), [])

    def test_help(self):
        text = self.good("export", "--help")
        for part in ("--network", "--weights", "--output", "--argmax", "--external", "--threads", "deeplabv3plus_", "Example"):
            self.assertIn(part, text)

    def test_one_file(self):
        model = self.scratch / "model.onnx"
        out = self.export(model)
        size = model.stat().st_size
        self.assertRegex(out, rf"\A\S+model\.onnx: \d+ nodes, {size:,} bytes; image float32 \(batch, 3, height, width\) -> "
                              r"logits float32 \(batch, 21, height, width\)\n\Z")
        data = model.read_bytes()
        for part in (b"MobilenetV2/expanded_conv_1/depthwise/Conv", b"logits/semantic/weights", b"class_names", b"aeroplane",
                     b"align_corners", NETWORK.encode()):
            self.assertTrue(part in data, part)
        self.assertGreater(size, 4 * sum(len(numbers) for _, numbers in self.tensors.values()) * 0.9)
        self.export(model)
        self.assertTrue(model.read_bytes() == data, "another time other bytes")

    def test_argmax_and_external(self):
        model = self.scratch / "parted.onnx"
        out = self.export(model, "--argmax", "--external")
        self.assertTrue(out.endswith("-> labels uint8 (batch, height, width)\n"), out)
        data = model.with_name("parted.onnx.data").stat().st_size
        self.assertGreater(data, 10 * model.stat().st_size)
        self.assertIn(f"{data + model.stat().st_size:,} bytes, most of them in the .data file", out)

    def test_random_weights(self):
        one, two = self.scratch / "one.onnx", self.scratch / "two.onnx"
        for file in (one, two):
            out = self.good("export", "--network", NETWORK, "--classes", "3", "--output", file)
            self.assertTrue(out.endswith("\nthe weights are random: no --weights\n"), out)
            self.assertIn("(batch, 3, height, width)\n", out)
        self.assertTrue(one.read_bytes() == two.read_bytes())

    def test_names_in_the_weights(self):
        named = files.write_tensors(self.scratch / "named.safetensors", self.tensors,
                                    {"class_names": str([f"kind {i}" for i in range(21)]).replace("'", '"'), "told": "by them"})
        model = self.scratch / "named.onnx"
        self.good("export", "--network", NETWORK, "--weights", named, "--output", model)
        head = model.read_bytes()[:2000]
        for part in (b'["kind 0","kind 1",', b"by them"):
            self.assertIn(part, head)

    def test_refusals(self):
        network, weights = ("--network", NETWORK), ("--weights", self.weights)
        self.refused("export", *network, says=("--output",))
        self.refused_by_export(says=("--network",))
        self.refused_by_export("--network", "deeplabv9_xception65", says=("deeplabv9_xception65",))
        self.refused_by_export("--network", XCEPTION, *weights, says=("good.safetensors", "missing", "unexpected"))
        self.refused_by_export(*network, *weights, "--classes", "19", says=("19", "21", "good.safetensors"))
        self.refused_by_export(*network, "--weights", "absent.safetensors", says=("absent.safetensors",))
        self.refused_by_export(*network, "--opset", "9", says=("--opset",))
        self.refused_by_export(*network, output=".", says=("folder",))
        self.refused_by_export(*network, output="no/such/folder.onnx", says=("folder.onnx: cannot be written",))
        changed = dict(self.tensors)
        changed["aspp0/weights"] = (changed["aspp0/weights"][0], [float("nan"), *changed["aspp0/weights"][1][1:]])
        bad = files.write_tensors(self.scratch / "bad.safetensors", changed)
        self.refused_by_export(*network, "--weights", bad, says=("bad.safetensors", "aspp0/weights", "nan"))

    def test_weights_stay(self):
        before = self.weights.read_bytes()
        self.refused_by_export("--network", NETWORK, "--weights", self.weights, output="good.safetensors", says=("would replace",))
        beside = self.scratch / "w.onnx.data"
        beside.write_bytes(before)
        self.refused_by_export("--network", NETWORK, "--weights", beside, output="w.onnx", says=("would replace",))
        self.assertTrue(self.weights.read_bytes() == beside.read_bytes() == before)

    def test_full_device(self):
        self.refused("export", "--network", NETWORK, "--output", "/dev/full", says=("/dev/full: cannot be written",))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
