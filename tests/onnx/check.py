"""ONNX Runtime on exported models: the logits of `segment` and of `reference`, at several sizes.

usage: check.py FOLDER_OF_PROGRAMS OWN_NETWORKS [NAME...]

Needs onnxruntime and onnx (PyPI); without them exit 77, a test that is skipped. ATROUS_ONNX_PYTHON names the interpreter
that has them, if it is another. NAMEs pick among the networks; default: all.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing appears beside the sources
other = os.environ.pop("ATROUS_ONNX_PYTHON", None)
if other:
    os.execv(other, [other, *sys.argv])
try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"skipped: {missing}; pip install onnxruntime onnx, ATROUS_ONNX_PYTHON=THAT_PYTHON")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "programs"))
import files  # noqa: E402
from trial import PROGRAMS, expected_tensors, run  # noqa: E402

PUBLISHED = [head + body
             for head in ("deeplabv3plus_", "deeplabv3_")
             for body in ("xception41", "xception65", "xception71", "xception", "resnet50", "resnet101", "resnet50_plain",
                          "resnet101_plain", "mobilenet_v2", "mobilenet_v2_dm05")]
PUBLISHED += ["deeplabv3plus_mobilenet_v2_ade20k32", "deeplabv3_mobilenet_v2_pascal", "deeplabv3plus_xception41_dense_os8",
              "deeplabv3_resnet50_separable_os32", "deeplabv3plus_mobilenet_v2_dm14_os8"]
# One or two of every implementation in PyTorch: other paddings, corners, activations. `reference` is what they are held to.
TORCH = ["smp_v3plus_resnet18_os16", "smp_v3_mobilenet_v2_os8", "smp_v3plus_xception41_os16", "torchvision_v3_mobilenet_v3_large",
         "vainf_v3plus_mobilenet_os16", "vainf_v3plus_resnet50_os16_separable", "jfzhang95_xception_os16", "jfzhang95_resnet_os16",
         "bubbliiiing_mobilenet_os8", "mmseg_v3plus_r18_d8_aligned", "mmseg_v3plus_r50b_d8", "hf_mobilenet_v2_os8"]
SIZES = [(65, 65), (97, 129), (64, 80)]
TOLERANCE = 1e-4  # of the largest logit


def numbers_of(tensors):
    """Random numbers that keep deep networks within float32, as the project's weight rule does."""
    draw, made = np.random.default_rng(7), {}
    for name, shape in sorted(tensors.items()):
        leaf = name.rsplit("/", 1)[-1]
        fan_in = shape[0] * shape[1] * (1 if leaf == "depthwise_weights" else shape[2]) if len(shape) == 4 else 0
        low, high = {"gamma": (0.75, 1.25), "moving_variance": (0.5, 1.5)}.get(leaf, (-0.2, 0.2))
        if fan_in:
            high = (3.5 / fan_in) ** 0.5
            low = -high
        made[name] = draw.uniform(low, high, shape).astype("<f4")
    return made


def write_weights(path, tensors):
    import json
    import struct
    header, at = {}, 0
    for name, numbers in sorted(tensors.items()):
        header[name] = {"dtype": "F32", "shape": list(numbers.shape), "data_offsets": [at, at + numbers.nbytes]}
        at += numbers.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(n.tobytes() for _, n in sorted(tensors.items())))
    return path


def read_tensor(path, name):
    shape, numbers = files.read_tensors(path)[name]
    return np.array(numbers, np.float32).reshape(shape)


def real_weights(name):
    """The published file where there is one, and it is here."""
    here = pathlib.Path(os.environ.get("ATROUS_SHARED") or pathlib.Path(__file__).parents[3] / "shared")
    file = here / "models" / f"{name}.safetensors"
    return file if file.exists() else None


def slope(height, width):
    """What files.write_picture writes: (1, 3, height, width)."""
    i, j = np.mgrid[0:height, 0:width]
    return np.stack([5 * i % 256, 7 * j % 256, 3 * (i + j) % 256])[None].astype(np.float32)


def resized(x, height, width, rule):
    """Bilinear, in double: the definition in graph/sampling.hpp."""
    def samples(size, out):
        k = np.arange(out, dtype=np.float64)
        at = {"align_corners": k * (size - 1) / max(out - 1, 1), "half_pixel": np.maximum((k + 0.5) * size / out - 0.5, 0),
              "asymmetric": k * size / out}[rule]
        low = np.minimum(at.astype(int), size - 1)
        high = np.minimum(low + 1, size - 1)
        return low, high, np.where(high == low, 0, at - low)

    low, high, part = samples(x.shape[2], height)
    x = x[:, :, low] + (x[:, :, high] - x[:, :, low]) * part[:, None]
    low, high, part = samples(x.shape[3], width)
    return x[..., low] + (x[..., high] - x[..., low]) * part


class Exported:
    """A model that also gives what enters its last resize."""

    def __init__(self, path):
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        self.output = model.graph.output[0].name
        last = model.graph.node[-1]
        self.rule, self.low = None, self.output
        if last.op_type == "Resize":
            self.rule = next(a.s.decode() for a in last.attribute if a.name == "coordinate_transformation_mode")
            self.low = last.input[0]
            model.graph.output.append(onnx.ValueInfoProto(name=self.low))
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def __call__(self, image):
        """(what enters the last resize, the logits)."""
        return self.session.run([self.low, self.output], {"image": image})


def error(found, expected):
    if found.shape != expected.shape:
        raise AssertionError(f"expected {expected.shape}, found {found.shape}")
    return float(np.max(np.abs(found.astype(np.float64) - expected)) / max(np.max(np.abs(expected)), 1e-30))


def compare(name, model, image, expected):
    low, logits = model(image)
    worst = error(low, expected)
    if model.rule:
        worst = max(worst, error(logits, resized(low.astype(np.float64), *image.shape[2:], model.rule)))
    print(f"{name} {image.shape[2]}x{image.shape[3]}: {worst:.1e}", flush=True)
    if not worst < TOLERANCE:
        raise AssertionError(f"{name}: error {worst:.1e}, expected below {TOLERANCE}")


def succeed(program, *arguments):
    code, out, err = run(program, *arguments)
    if code != 0 or err:
        raise AssertionError(f"{program} {arguments}: exit {code}: {err}")
    return out


def check_published(name, folder):
    weights = real_weights(name) or write_weights(folder / "w.safetensors", numbers_of(expected_tensors(name, folder)))
    path, common = folder / "m.onnx", ("--network", name, "--weights", weights)
    succeed("export", *common, "--output", path)
    model = Exported(path)
    for height, width in SIZES:
        picture = files.write_picture(folder / "p.png", height, width)
        succeed("segment", picture, *common, "--logits", folder / "l.safetensors", "--labels", folder / "l.png")
        expected = read_tensor(folder / "l.safetensors", "logits").transpose(2, 0, 1)[None]
        compare(name, model, slope(height, width), expected)
    if name.endswith(("mobilenet_v2_dm05", "_pascal")):
        check_forms(model, path, common, folder)


def check_forms(model, path, common, folder):
    """The argmax, a file of tensors beside the model, batches."""
    height, width = SIZES[-1]  # of the last picture
    image = slope(height, width)
    logits = model(image)[1]
    succeed("export", *common, "--output", path, "--argmax", "--external")
    onnx.checker.check_model(str(path), full_check=True)
    assert path.with_name(path.name + ".data").stat().st_size > path.stat().st_size
    labels, = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"image": image})
    assert labels.dtype == np.uint8 and np.array_equal(labels, logits.argmax(1)), "labels"
    ours = np.array([list(row) for row in files.read_labels(folder / "l.png")[1]])
    share = float(np.mean(labels[0] != ours))
    assert share < 1e-3, f"{share:.1%} of the labels are not those of segment"
    pair = np.concatenate([image, 255 - image])
    both = model(pair)[1]
    assert max(error(both[:1], logits), error(both[1:], model(pair[1:])[1])) < 1e-6, "batch of two"
    print("argmax, external tensors, a batch of two: as they should be")


def check_own(program, folder, wanted):
    subprocess.run([program, folder, *(name for name in TORCH if not wanted or name in wanted)], check=True)
    names = sorted(p.stem for p in folder.glob("*.onnx"))
    assert "own_backbone" in names, names
    for name in names:
        if wanted and name not in wanted:
            continue
        model = Exported(folder / f"{name}.onnx")
        for expected in sorted(folder.glob(f"{name}.*x*.safetensors")):
            image = read_tensor(expected, "image").transpose(2, 0, 1)[None]
            compare(name, model, image, read_tensor(expected, "logits").transpose(2, 0, 1)[None])


def main(own_networks, *wanted):
    onnxruntime.set_default_logger_severity(3)
    print(f"ONNX Runtime {onnxruntime.__version__}, programs in {PROGRAMS}")
    with tempfile.TemporaryDirectory() as folder:
        check_own(own_networks, pathlib.Path(folder), wanted)
    for name in PUBLISHED:
        if not wanted or name in wanted:
            with tempfile.TemporaryDirectory() as folder:
                check_published(name, pathlib.Path(folder))


main(*sys.argv[2:])
