"""The programs from outside: help, exit codes, one line for every mistake, tables, files.

usage: check.py FOLDER_OF_PROGRAMS VERSION
"""
import csv
import io
import re
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True  # nothing appears beside the sources
import files  # noqa: E402
from trial import NETWORK, XCEPTION, ProgramTest  # noqa: E402


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


class Programs(ProgramTest):
    # ---- every program

    def test_help_and_version(self):
        for program in ("segment", "inspect"):
            self.assertEqual(self.good(program, "--version"), f"{program} {VERSION}\n")
            text = self.good(program, "--help")
            for part in ("--network", "--weights", "--threads", "--help", "--version", "deeplabv3plus_", "_os32", "Example"):
                self.assertIn(part, text)

    def test_options_of_no_kind(self):
        for program in ("segment", "inspect"):
            self.refused(program, "--no-such-option", says=("--no-such-option",) if program == "inspect" else ())
            self.refused(program)
            self.refused(program, "--threads", "0")
            self.refused(program, "--threads", "many")

    # ---- segment

    def test_one_image(self):
        labels, logits = self.scratch / "labels.png", self.scratch / "logits.safetensors"
        out = self.segment("--labels", labels, "--logits", logits, "--classes", "21")
        self.assertRegex(out, r"\A\S+picture\.png: 33x47, .+ <?\d+\.\d %, \d+\.\d ms\n\Z")
        self.assertEqual(len(re.findall(r"\bms\b", out)), 1)
        palette, rows = files.read_labels(labels)
        self.assertEqual((len(palette), len(rows), len(rows[0])), (21, 33, 47))
        self.assertEqual(palette[:2], [(0, 0, 0), (128, 0, 0)])
        (shape, numbers), = files.read_tensors(logits).values()
        self.assertEqual(shape, [3, 3, 21])
        corner = numbers[:21]
        self.assertEqual(rows[0][0], corner.index(max(corner)))

    def test_shares(self):
        labels = self.scratch / "shares.png"
        out = self.segment("--labels", labels)
        counts = sorted((sum(row.count(i) for row in files.read_labels(labels)[1]) for i in range(21)), reverse=True)
        shares = [100 * count / (33 * 47) for count in counts if count]
        printed = [0.0 if less else float(share) for less, share in re.findall(r"(<?)(\d+\.\d) %", out)]
        self.assertEqual(len(printed), len(shares))
        for share, shown in zip(shares, printed):
            self.assertLessEqual(abs(share - shown), 0.051)

    def test_policies_and_threads_agree(self):
        results = []
        for options in (("--policy", "reference"), ("--policy", "openmp", "--threads", "1"), ("--threads", "3", "--repeat", "2")):
            self.segment("--logits", self.scratch / "agree.safetensors", *options)
            results.append(files.read_tensors(self.scratch / "agree.safetensors")["logits"][1])
        self.assertEqual(results[1], results[2])
        largest = max(map(abs, results[0]))
        self.assertLess(max(abs(a - b) for a, b in zip(*results[:2])), 1e-4 * largest)

    def test_half(self):
        results = []
        for options in (("--policy", "openmp"), ("--policy", "openmp-half"), ("--policy", "openmp-half", "--threads", "1")):
            self.segment("--logits", self.scratch / "half.safetensors", *options)
            results.append(files.read_tensors(self.scratch / "half.safetensors")["logits"][1])
        self.assertEqual(results[1], results[2])
        largest = max(map(abs, results[0]))
        difference = max(abs(a - b) for a, b in zip(*results[:2]))
        self.assertGreater(difference, 0)
        self.assertLess(difference, 0.05 * largest)  # random weights

    def test_check_range(self):
        printed = self.segment("--check-range", "--logits", self.scratch / "range.safetensors")
        logits = files.read_tensors(self.scratch / "range.safetensors")["logits"][1]
        rows = [line.split() for line in printed.splitlines() if " % " in line + " " and "x" in line]
        self.assertGreater(len(rows), 40)
        self.assertAlmostEqual(float(rows[-1][-3]), max(map(abs, logits)), places=3)

    def test_several_images(self):
        other = files.write_picture(self.scratch / "other.png", 20, 9)
        labels, logits = self.scratch / "made" / "labels", self.scratch / "made" / "logits"
        out = self.segment("--labels", labels, "--logits", logits, images=[self.picture, other])
        self.assertEqual([re.search(r": (\d+x\d+), ", line)[1] for line in out.splitlines()], ["33x47", "20x9"])
        self.assertEqual(sorted(f.name for f in labels.iterdir()), ["other.png", "picture.png"])
        self.assertEqual(sorted(f.name for f in logits.iterdir()), ["other.safetensors", "picture.safetensors"])
        self.assertEqual(len(files.read_labels(labels / "other.png")[1]), 20)
        self.refused_by_segment("--labels", labels, images=[self.picture, self.picture], says=("picture.png",))
        self.refused_by_segment("--labels", self.weights, images=[self.picture, other], says=("folder",))

    def test_results_never_replace_inputs_or_each_other(self):
        before = self.picture.read_bytes()
        other = files.write_picture(self.scratch / "beside.png", 20, 9)
        self.refused_by_segment("--labels", self.scratch, images=[self.picture, other], says=("would replace",))
        self.refused_by_segment("--labels", self.scratch / "x", "--logits", self.scratch / "." / "x", says=("two results",))
        self.assertEqual(self.picture.read_bytes(), before)

    def test_names_in_the_weights(self):
        names = [f"kind {i}" for i in range(21)]
        files.write_tensors(self.scratch / "named.safetensors", self.tensors,
                            {"class_names": str(names).replace("'", '"'), "palette": str([[i, 2, 3] for i in range(21)])})
        labels = self.scratch / "named.png"
        out = self.good("segment", self.picture, "--network", NETWORK, "--weights", self.scratch / "named.safetensors",
                        "--labels", labels)
        self.assertRegex(out, r"33x47, kind \d+ ")
        self.assertEqual(files.read_labels(labels)[0][5], (5, 2, 3))

    def test_wrong_names(self):
        self.refused_by_segment(network="deeplabv9_xception65", says=("deeplabv9_xception65", "deeplabv3plus_"))
        self.refused_by_segment(network="deeplabv3_resnet34", says=("resnet34", "resnet50"))
        self.refused_by_segment(network=NETWORK + "_plain", says=('"_plain" does not belong', "_dense", "_os8"))
        self.refused_by_segment(network="deeplabv3_xception_os32", says=('"_os32" does not belong', "_os8"))

    def test_wrong_options(self):
        self.refused_by_segment("--classes", "19", says=("19", "21", "good.safetensors"))
        self.refused_by_segment("--repeat", "0")
        self.refused_by_segment("--policy", "abacus", says=("openmp", "reference"))
        self.refused_by_segment("--overlay-nothing", says=("--overlay-nothing",))
        self.refused("segment", "--network", NETWORK, "--weights", self.weights, says=("IMAGE",))
        self.refused("segment", self.picture, "--weights", self.weights, "--strict", says=("--strict", NETWORK))
        self.refused_by_segment("--labels", "/nowhere/at/all.png", says=("/nowhere/at/all.png",))
        self.refused_by_segment("--labels", self.scratch, says=("folder",))
        self.refused_by_segment("--labels", self.picture, says=("picture.png",))

    def test_wrong_images(self):
        self.refused_by_segment(images=["absent.png"], says=("absent.png",))
        self.refused_by_segment(images=["two\nlines.png"], says=("lines.png",))
        damaged = self.scratch / "damaged.png"
        for content in (b"", b"no picture", self.picture.read_bytes()[:60], self.picture.read_bytes()[:-30]):
            damaged.write_bytes(content)
            self.refused_by_segment("--labels", self.scratch / "never.png", images=[damaged], says=("damaged.png",))
        self.assertFalse((self.scratch / "never.png").exists())
        self.assertEqual(list(self.scratch.glob(".atrous*")), [])

    def test_wrong_weights(self):
        whole, file = self.weights.read_bytes(), self.scratch / "bad.safetensors"
        for content in (b"", whole[:5], whole[:1000], whole[:-4], whole + b"more"):
            file.write_bytes(content)
            self.refused_by_segment(weights=file, says=("bad.safetensors",))
        self.refused_by_segment(weights=self.scratch / "absent.safetensors", says=("absent.safetensors",))
        self.refused_by_segment(network=XCEPTION, says=("good.safetensors", "missing", "unexpected"))
        for wrong in (float("nan"), float("inf")):
            changed = dict(self.tensors)
            changed["aspp0/weights"] = (changed["aspp0/weights"][0], [wrong, *changed["aspp0/weights"][1][1:]])
            self.refused_by_segment(weights=files.write_tensors(file, changed), says=("bad.safetensors", "aspp0/weights"))
        changed = {name: t for name, t in self.tensors.items() if name != "aspp0/weights"}
        self.refused_by_segment(weights=files.write_tensors(file, changed), says=("1 missing", "aspp0/weights"))

    # ---- inspect

    def test_layers(self):
        rows = rows_of(self.good("inspect", "--network", XCEPTION, "--csv"))
        self.assertEqual(list(rows[0]), ["layer", "rows", "columns", "channels", "parameters", "multiply_adds"])
        *layers, total = rows
        self.assertEqual(total["layer"], "total")
        self.assertEqual(len({row["layer"] for row in layers}), len(layers))
        for column, expected in (("parameters", 41_258_213), ("multiply_adds", 54_035_303_024)):
            self.assertEqual(sum(int(row[column]) for row in layers), expected)
            self.assertEqual(int(total[column]), expected)
        table = self.good("inspect", "--network", XCEPTION)
        self.assertRegex(table.splitlines()[-1], r"^total +513x513x21 +41,258,213 +54,035,303,024$")

    def test_sizes_and_classes(self):
        rows = rows_of(self.good("inspect", "--network", XCEPTION, "--csv", "--size", "65x129", "--classes", "19"))
        self.assertEqual((rows[-1]["rows"], rows[-1]["columns"], rows[-1]["channels"]), ("65", "129", "19"))
        self.assertEqual(rows[-1]["parameters"], "41257699")
        for size in ("65", "x65", "65x", "0x65", "65x65x3", "-1x65", "65x99999999999"):
            self.refused("inspect", "--network", XCEPTION, f"--size={size}", says=("--size",))

    def test_paper(self):
        rows = rows_of(self.good("inspect", "--paper", "--csv"))
        self.assertEqual(list(rows[0]), ["row", "paper", "computed"])
        self.assertEqual(len(rows), 36)
        self.assertEqual(len({row["row"] for row in rows}), 36)
        for row in rows[:28]:
            self.assertRegex(row["computed"], r"^\d+\.\d{4}$")
            misprint = row["paper"] == "101.28"
            self.assertLess(abs(float(row["computed"]) - (102.7825 if misprint else float(row["paper"]))), 0.00501)
        self.refused("inspect", "--paper", "--network", XCEPTION, says=("--paper",))

    def test_plan(self):
        plan = self.good("inspect", "--network", XCEPTION, "--plan")
        for part in ("depthwise + batch_norm + relu + convolution + batch_norm + relu", "at 256 of 1024", "arena: ", "MiB"):
            self.assertIn(part, plan)
        self.refused("inspect", "--network", XCEPTION, "--plan", "--csv")
        self.assertIn("openmp: weights, feature maps and sums in float", plan)
        self.assertIn("in half, sums in float", self.good("inspect", "--network", XCEPTION, "--plan", "--policy", "openmp-half"))
        self.refused("inspect", "--network", XCEPTION, "--policy", "openmp-half")

    def test_dot(self):
        text = self.good("inspect", "--network", XCEPTION, "--dot", "--size", "65x129")
        boxes = re.findall(r"^ +(b\d+) \[label=<(.*?)> tooltip=", text, re.M)
        arrows = re.findall(r"^ +(\w+) -> (\w+)", text, re.M)
        self.assertEqual(len(boxes), 174)  # 147 convolutions, 20 sums, 3 resizes, 2 concatenations, pool, image
        self.assertLessEqual({end for arrow in arrows for end in arrow}, {name for name, _ in boxes} | {"output"})
        self.assertIn(f"<B>{XCEPTION} at 65x129</B>", text)
        self.assertIn("41,258,213 parameters", text)
        for option in ("--csv", "--plan", "--paper"):
            self.refused("inspect", "--network", XCEPTION, "--dot", option, says=("excludes",))
        if not shutil.which("dot"):
            self.skipTest("no Graphviz here")
        drawn = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, timeout=60)
        self.assertEqual((drawn.returncode, drawn.stderr), (0, ""))
        self.assertEqual(drawn.stdout.count('class="node"'), len(boxes) + 1)
        self.assertEqual(drawn.stdout.count('class="edge"'), len(arrows))

    def test_contents(self):
        out = self.good("inspect", "--weights", self.weights)
        for part in ("714,325", "not folded", "21 (VOC)", NETWORK + " (TensorFlow)", NETWORK + "_os8", "do not tell which"):
            self.assertIn(part, out)
        rows = rows_of(self.good("inspect", "--weights", self.weights, "--csv"))
        self.assertEqual([(row["name"], row["dtype"], row["shape"]) for row in rows],
                         [(name, "F32", "x".join(map(str, shape))) for name, (shape, _) in sorted(self.tensors.items())])
        self.good("inspect", "--weights", self.weights, "--network", NETWORK + "_os8")

    def test_what_does_not_fit(self):
        changed = {name: t for name, t in self.tensors.items() if name != "aspp0/weights"}
        changed.update({'odd,"name"': ([1, 2], [1.0, 2.0]), "logits/semantic/weights": ([3], [0.0] * 3), "global_step": ([], [0.0])})
        file = files.write_tensors(self.scratch / "changed.safetensors", changed)
        out = self.refused("inspect", "--weights", file, "--network", NETWORK, quiet=False,
                           says=("1 missing, 1 unexpected, 1 of another shape",))
        self.assertRegex(out, r"(?m)^  missing +aspp0/weights$")
        self.assertRegex(out, r'(?m)^  unexpected +odd,"name"$')
        self.assertRegex(out, r"(?m)^  unfit +logits/semantic/weights \(expected 1x1x256x21, found 3\)$")
        self.assertIn("nearest", self.good("inspect", "--weights", file))
        listed = {row["name"]: row["shape"] for row in rows_of(self.good("inspect", "--weights", file, "--csv"))}
        self.assertEqual((listed['odd,"name"'], listed["global_step"]), ("1x2", ""))
        foreign = files.write_tensors(file, {"x": ([1], [0.0])})
        self.assertRegex(self.good("inspect", "--weights", foreign), r"(?m)^fits +no published network$")

    # ---- the published models

    def test_published_models(self):
        for network in ("deeplabv3_mobilenet_v2_pascal", "deeplabv3plus_mobilenet_v2_ade20k32"):
            file = self.shared(f"models/{network}.safetensors")
            self.assertRegex(self.good("inspect", "--weights", file), rf"(?m)^(fits|or) +{network}( \(TensorFlow\))?$")
        out = self.good("segment", self.shared("photos/bird.png"), "--network", "deeplabv3_mobilenet_v2_pascal",
                        "--weights", self.shared("models/deeplabv3_mobilenet_v2_pascal.safetensors"))
        self.assertRegex(out, r": 513x513, background 79\.\d %, bird 20\.\d %, \d+\.\d ms\n\Z")


if __name__ == "__main__":
    VERSION = sys.argv[2]
    unittest.main(argv=sys.argv[:1], verbosity=2)
