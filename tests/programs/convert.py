"""`convert`: the same numbers from every container, the metadata, the self-test, what it refuses.

usage: convert.py FOLDER_OF_PROGRAMS
"""
import hashlib
import json
import shutil
import sys
import unittest

sys.dont_write_bytecode = True  # nothing appears beside the sources
import files  # noqa: E402
from trial import NETWORK, XCEPTION, ProgramTest, expected_tensors, made_weights  # noqa: E402

VAINF = "vainf_v3_mobilenet_os16"
PASCAL = "deeplabv3_mobilenet_v2_pascal"


class Convert(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.output = cls.scratch / "converted.safetensors"

    def setUp(self):
        self.output.unlink(missing_ok=True)

    def convert(self, file, *arguments):
        return self.good("convert", file, "--output", self.output, *arguments)

    def refused_by_convert(self, *arguments, says=()):
        self.refused("convert", *arguments, says=says)
        self.assertFalse(self.output.exists())
        self.assertEqual(list(self.scratch.glob(".atrous*")), [])

    def results(self, weights, *arguments):
        """Labels and logits, as bytes, of the picture made up."""
        labels, logits = self.scratch / "labels.png", self.scratch / "logits.safetensors"
        self.good("segment", self.picture, "--weights", weights, "--labels", labels, "--logits", logits, *arguments)
        return labels.read_bytes(), logits.read_bytes()

    def same(self, file, network, implementation, *arguments):
        """Converts a file; what comes out needs no word beside it and gives the same bits."""
        out = self.convert(file, *arguments)
        self.assertRegex(out, rf"\A\S+converted\.safetensors: {network} \({implementation}\), \d+ tensors, [\d,]+ bytes, "
                              r"21 classes \(VOC\)\n\Z")
        self.assertTrue(self.results(self.output, "--strict") == self.results(file, "--network", network), "other results")
        said = files.read_metadata(self.output)
        self.assertEqual((said["network"], said["implementation"]), (network, implementation))
        self.assertEqual(json.loads(said["class_names"])[15], "person")
        self.assertEqual(json.loads(said["palette"])[1], [128, 0, 0])
        inspected = self.good("inspect", "--weights", self.output)
        self.assertRegex(inspected, rf"(?m)^fits +{network} \({implementation}\)$")
        self.assertRegex(inspected, r"(?m)^classes +21 ")
        self.assertNotRegex(inspected, r"(?m)^or ")
        return said

    def sum_of(self, *parts):
        return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()

    def test_help(self):
        text = self.good("convert", "--help")
        for part in ("--network", "--output", "--classes", "--strict", "--self-test", "--threads", "deeplabv3plus_", "vainf_", "Example"):
            self.assertIn(part, text)

    # ---- containers

    def test_our_words(self):
        trained = files.write_tensors(self.scratch / "trained.safetensors", self.tensors | {
            "global_step": ([], [7.0]), "aspp0/weights/Momentum": self.tensors["aspp0/weights"]})
        said = self.same(trained, NETWORK, "TensorFlow", "--network", NETWORK)
        self.assertTrue(files.read_tensors(self.output) == files.read_tensors(self.weights), "other tensors")
        self.assertEqual((said["source"], said["source_sha256"]), ("trained.safetensors", self.sum_of(trained)))
        pixels = json.loads(said["preprocessing"])
        self.assertEqual((pixels["channel_order"], pixels["offsets"]), ("RGB", [-1, -1, -1]))
        self.assertEqual([round(f * 255, 5) for f in pixels["factors"]], [2, 2, 2])
        once = self.output.read_bytes()
        again = self.scratch / "again.safetensors"
        self.good("convert", self.output, "--output", again)  # needs no word either
        self.assertTrue(again.read_bytes()[-len(once) // 2:] == once[-len(once) // 2:], "other numbers the second time")

    def test_pytorch(self):
        tensors = made_weights(expected_tensors(VAINF, self.scratch))
        for name, (shape, numbers) in tensors.items():  # what made_weights does not know by these names
            if name.endswith("running_var"):
                tensors[name] = (shape, [abs(n) + 0.5 for n in numbers])
        plain = files.write_tensors(self.scratch / "plain.safetensors", tensors)
        expected = None
        for file in (plain, files.write_torch(self.scratch / "zip.pth", tensors),
                     files.write_torch(self.scratch / "legacy.pth", tensors, legacy=True)):
            said = self.same(file, VAINF, "VainF", "--network", VAINF)
            self.assertEqual((said["source"], said["source_sha256"]), (file.name, self.sum_of(file)))
            self.assertAlmostEqual(json.loads(said["preprocessing"])["offsets"][0], -0.485 / 0.229, places=5)
            converted = files.read_tensors(self.output)
            expected = expected or converted
            self.assertTrue(converted == expected, "other numbers than from the first file")
        shape, numbers = tensors["classifier.classifier.4.weight"]
        self.assertEqual(converted["logits/semantic/weights"][0], [1, 1, shape[1], shape[0]])
        for found, theirs in zip(converted["logits/semantic/weights"][1][:3], numbers[::shape[1]]):
            self.assertAlmostEqual(found, theirs, places=6)

    def test_tensorflow_files(self):
        folder = self.shared("models/tensorflow/mobilenet_v2_pascal")
        index, shard = (folder / f"model.ckpt-30000.{end}" for end in ("index", "data-00000-of-00001"))
        for file in (folder / "model.ckpt-30000", shard, folder):
            said = self.same(file, PASCAL, "TensorFlow", "--network", PASCAL)
            self.assertEqual((said["source"], said["source_sha256"]), ("model.ckpt-30000", self.sum_of(index, shard)))
        frozen = folder / "frozen_inference_graph.pb"
        said = self.same(frozen, PASCAL, "TensorFlow", "--network", PASCAL)
        self.assertEqual((said["source"], said["source_sha256"]), (frozen.name, self.sum_of(frozen)))

    def test_all_data_is_checked(self):
        folder = self.shared("models/tensorflow/mobilenet_v2_pascal")
        for name in ("model.ckpt-30000.index", "model.ckpt-30000.data-00000-of-00001"):
            shutil.copyfile(folder / name, self.scratch / name)
        prefix, shard = self.scratch / "model.ckpt-30000", self.scratch / "model.ckpt-30000.data-00000-of-00001"
        whole = shard.read_bytes()
        for at in (5, len(whole) // 2, len(whole) - 5):
            shard.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
            self.refused_by_convert(prefix, "--output", self.output, "--network", PASCAL, says=("model.ckpt-30000", "check sum"))

    def test_classes_of_the_file(self):
        names, palette = [f"kind {i}" for i in range(21)], [[i, 2, 3] for i in range(21)]
        named = files.write_tensors(self.scratch / "named.safetensors", self.tensors,
                                    {"class_names": json.dumps(names), "palette": json.dumps(palette)})
        self.assertIn("21 classes (the file's own)", self.convert(named, "--network", NETWORK, "--classes", "21"))
        said = files.read_metadata(self.output)
        self.assertEqual((json.loads(said["class_names"]), json.loads(said["palette"])), (names, palette))

    # ---- the self-test

    def test_self_test(self):
        out = self.convert(self.weights, "--network", NETWORK, "--self-test", self.picture)
        self.assertIn(", self-test of 33x47x3\n", out)
        tensors = files.read_tensors(self.output)
        self.assertEqual(tensors["self_test/logits"][0], [3, 3, 21])
        self.assertEqual(len(tensors["self_test/image"][1]), 33 * 47 * 3)
        for policy, off in (("openmp", r"0\.0e\+00"), ("reference", r"\d\.\de-0\d"), ("openmp-half", r"\d\.\de-0\d")):
            out = self.good("segment", "--weights", self.output, "--self-test", "--policy", policy, "--threads", "2")
            self.assertRegex(out, rf"\A\S+: self-test passed: logits off by {off} of the largest, allowed [12]e-0[24]\n\Z")
        out = self.good("segment", self.picture, "--weights", self.output, "--self-test")
        self.assertRegex(out, r"\A\S+: self-test passed: [^\n]+\n\S+picture\.png: 33x47, [^\n]+ ms\n\Z")
        self.assertTrue(self.results(self.output) == self.results(self.weights, "--network", NETWORK), "other results")
        inspected = self.good("inspect", "--weights", self.output)
        self.assertRegex(inspected, r"(?m)^self-test +on an image of 33x47x3$")
        self.assertRegex(inspected, r"(?m)^parameters +714,325$")
        self.assertNotIn("ignored", inspected)

    def test_large_images_are_cut(self):
        picture = files.write_picture(self.scratch / "large.png", 300, 60)
        self.convert(self.weights, "--network", NETWORK, "--self-test", picture)
        shape, pixels = files.read_tensors(self.output)["self_test/image"]
        self.assertEqual(shape, [257, 60, 3])
        self.assertEqual(pixels[:3], [5 * 21 % 256, 0, 3 * 21])

    def test_damaged_self_tests(self):
        self.convert(self.weights, "--network", NETWORK, "--self-test", self.picture)
        good, said = self.output.read_bytes(), files.read_metadata(self.output)
        at = len(good) - 33 * 47 * 3 - 4 * 3 * 3 * 21  # behind all that is four bytes wide lies the image

        def failed(content, *parts):
            file = self.scratch / "damaged.safetensors"
            file.write_bytes(content)
            self.refused("segment", self.picture, "--weights", file, "--self-test", says=("damaged.safetensors", *parts))

        failed(good[:at + 3] + bytes([good[at + 3] ^ 1]) + good[at + 4:], "self-test failed: logits off by ", ", allowed 1e-04")
        noise = bytes(255 - byte for byte in good[-33 * 47 * 3:])
        failed(good[:-33 * 47 * 3] + noise, "self-test failed: logits off by ")
        failed(good.replace(b'"shape":[3,3,21]', b'"shape":[9,1,21]'), "self_test/logits", "expected 3x3x21, found 9x1x21")
        failed(good.replace(b'"shape":[3,3,21]', b'"shape":[9,21]  '), "self_test/logits", "expected three extents of F32, found 9x21")
        changed = {name: t for name, t in self.tensors.items()}
        shape, numbers = changed["aspp0/weights"]
        changed["aspp0/weights"] = (shape, [-numbers[0] * 9, *numbers[1:]])
        other = files.write_tensors(self.scratch / "other.safetensors", changed)
        self.good("convert", other, "--output", self.output, "--network", said["network"])
        self.refused("segment", "--weights", self.output, "--self-test", says=("holds no self-test", "convert --self-test"))

    # ---- mistakes

    def test_wrong_options(self):
        to = ("--output", self.output)
        self.refused_by_convert(self.weights, says=("--output",))
        self.refused_by_convert(*to, says=("FILE",))
        self.refused_by_convert(self.weights, *to, "--no-such-option", says=("--no-such-option",))
        self.refused_by_convert(self.weights, *to, "--strict", says=("--network",))
        self.refused_by_convert(self.weights, *to, "--network", "deeplabv9", says=("deeplabv9",))
        self.refused_by_convert(self.weights, *to, "--network", XCEPTION, says=("missing", "unexpected"))
        self.refused_by_convert(self.weights, *to, "--network", NETWORK, "--classes", "19", says=("19", "21"))
        self.refused_by_convert(self.weights, *to, "--network", NETWORK, "--self-test", "absent.png", says=("absent.png",))
        self.refused_by_convert("absent.pth", *to, says=("absent.pth",))
        self.refused("segment", "--weights", self.weights, says=("IMAGE",))
        self.refused("segment", "--weights", self.weights, "--self-test", "--labels", "x.png", says=("--labels", "IMAGE"))

    def test_double_slashes(self):
        """However a checkpoint is spelt, its shards are found: summed, and kept."""
        source = self.shared("models/tensorflow/mobilenet_v2_pascal")
        folder = self.scratch / "spelt"
        shutil.copytree(source, folder)
        prefix = f"{folder}//model.ckpt-30000"
        self.convert(prefix, "--network", PASCAL)
        both = b"".join((folder / f"model.ckpt-30000.{end}").read_bytes() for end in ("index", "data-00000-of-00001"))
        self.assertIn(hashlib.sha256(both).hexdigest().encode(), self.output.read_bytes())
        shard = folder / "model.ckpt-30000.data-00000-of-00001"
        self.refused("convert", prefix, "--network", PASCAL, "--output", shard, says=("would replace",))
        for program in ("export",):
            self.refused(program, "--weights", prefix, "--network", PASCAL, "--output", folder / "model.ckpt-30000.index",
                         says=("would replace",))

    def test_surgery_is_told(self):
        eleven = ("--network", NETWORK, "--classes", "11")
        self.refused_by_convert(self.weights, "--output", self.output, *eleven, says=("11", "21"))
        said = self.convert(self.weights, *eleven, "--new-classifier")
        for part in ("11 classes", "left out 2: logits/semantic/weights", "made up 2: logits/semantic/weights"):
            self.assertIn(part, said)
        self.good("inspect", "--weights", self.output, "--network", NETWORK, "--classes", "11")
        self.assertIn("11 classes", self.convert(self.weights, *eleven, "--backbone-only"))
        self.good("segment", self.picture, "--weights", self.output)

    def test_other_pictures_than_colours(self):
        channels = ("--network", NETWORK, "--input-channels")
        first = "MobilenetV2/Conv/weights"
        for how in ("mean", "repeated"):
            said = self.convert(self.weights, *channels, "4", "--new-channels", how)
            self.assertIn(f"changed 1: {first}", said)
            shape, made = files.read_tensors(self.output)[first]
            (_, _, _, out), colours = self.tensors[first]
            self.assertEqual(shape, [3, 3, 4, out])
            for c in range(4):
                three = [colours[i * out] for i in range(3)]
                self.assertAlmostEqual(made[c * out], 0.75 * (sum(three) / 3 if how == "mean" else three[c % 3]), places=6)
            pixels = json.loads(files.read_metadata(self.output)["preprocessing"])
            self.assertEqual((len(pixels["factors"]), pixels["offsets"]), (4, [-1] * 4))
        self.refused("segment", self.picture, "--weights", self.output, says=(first, "3x3x3x", "3x3x4x"))
        self.output.unlink()
        self.refused_by_convert(self.weights, "--output", self.output, *channels, "0", says=("--input-channels",))
        self.refused_by_convert(self.weights, "--output", self.output, "--new-channels", "mean", says=("--input-channels",))
        self.refused_by_convert(self.weights, "--output", self.output, *channels, "4", "--self-test", self.picture,
                                says=("3 channels",))

    def test_inputs_stay(self):
        before = self.weights.read_bytes()
        (self.scratch / "link.safetensors").symlink_to(self.weights)
        for place in (self.weights, self.scratch / "." / self.weights.name, self.scratch / "link.safetensors"):
            self.refused_by_convert(self.weights, "--output", place, "--network", NETWORK, says=("would replace",))
        self.refused_by_convert(self.weights, "--output", self.picture, "--network", NETWORK, "--self-test", self.picture,
                                says=("would replace",))
        self.refused_by_convert(self.weights, "--output", self.scratch, says=("folder",))
        self.refused_by_convert(self.weights, "--output", "/nowhere/at/all", says=("/nowhere/at/all",))
        self.assertEqual(self.weights.read_bytes(), before)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
