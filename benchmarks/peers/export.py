# SPDX-License-Identifier: MIT
"""Writes the networks in the formats of the engines, all with the same weights; files that exist are kept.

    export.py --models FOLDER [--networks NAMES] [--formats NAMES] [--pascal WEIGHTS]

`tflite` needs TensorFlow's environment, every other format PyTorch's; `safetensors` comes first. Weights are random
(He), batch norm statistics those of two smooth random images, so that every activation is of order one. With --pascal
the network of that name has its real weights.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from networks import NETWORKS, SIZE


def safetensors(name, options, to):
    import torch

    from torch_model import Model

    if name == "deeplabv3_mobilenet_v2_pascal" and options.pascal:
        model = Model(name).load(options.pascal)
    else:
        generator = torch.Generator().manual_seed(2)
        coarse = torch.rand(2, 3, 17, 17, generator=generator) * 255
        images = torch.nn.functional.interpolate(coarse, (SIZE, SIZE), mode="bicubic").clamp(0, 255).byte()
        model = Model(name).draw(images.permute(0, 2, 3, 1))
    model.save(to / f"{name}.safetensors")


def folded(name, options):
    from torch_model import Model

    return Model(name).load(options.models / f"{name}.safetensors").fold()


def onnx(name, options, to):
    import torch

    torch.onnx.export(
        folded(name, options),
        (torch.zeros(1, SIZE, SIZE, 3, dtype=torch.uint8),),
        to / f"{name}.onnx",
        input_names=["image"],
        output_names=["labels"],
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def openvino(name, options, to):
    import openvino as ov

    ov.save_model(ov.convert_model(options.models / f"{name}.onnx"), to / f"{name}.xml", compress_to_fp16=False)


def ncnn(name, options, to):
    """From the scaled image to the resized logits: ncnn has no integer input, argmax over channels or strided slice."""
    import pnnx
    import torch

    model = folded(name, options)
    model.normalise = lambda image: image
    model.labels = lambda logits: logits
    model.subsample = lambda x, stride: torch.nn.functional.max_pool2d(x, 1, stride) if stride > 1 else x
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pt"
        pnnx.export(model, str(path), (torch.zeros(1, 3, SIZE, SIZE),), fp16=False)
        for ending in ("param", "bin"):
            (to / f"{name}.ncnn.{ending}").write_bytes(path.with_suffix(f".ncnn.{ending}").read_bytes())


def mnn(name, options, to):
    """Through the extension module: the `mnnconvert` command runs `pip install` and reports home."""
    source, target = options.models / f"{name}.onnx", to / f"{name}.mnn"
    code = "import sys, MNN, _tools; _tools.mnnconvert(sys.argv)"
    arguments = ["-f", "ONNX", "--modelFile", source, "--MNNModel", target, "--bizCode", "peers"]
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def tflite(name, options, to):
    import tensorflow as tf

    from tensorflow_graph import Graph

    graph = Graph(options.models / f"{name}.safetensors")

    @tf.function(input_signature=[tf.TensorSpec((1, SIZE, SIZE, 3), tf.uint8)])
    def function(image):
        return NETWORKS[name](graph, image)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    (to / f"{name}.tflite").write_bytes(converter.convert())


FORMATS = {
    safetensors: ["safetensors"],
    onnx: ["onnx"],
    openvino: ["xml", "bin"],
    ncnn: ["ncnn.param", "ncnn.bin"],
    mnn: ["mnn"],
    tflite: ["tflite"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True, help="folder to write to")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--formats", default="safetensors,onnx,openvino,ncnn,mnn")
    parser.add_argument("--pascal", type=Path, help="weights of deeplabv3_mobilenet_v2_pascal")
    options = parser.parse_args()
    options.models.mkdir(parents=True, exist_ok=True)
    for name in options.networks.split(","):
        for export, endings in FORMATS.items():
            files = [f"{name}.{ending}" for ending in endings]
            if export.__name__ not in options.formats.split(",") or all((options.models / f).exists() for f in files):
                continue
            print("export", name, export.__name__, flush=True)
            with tempfile.TemporaryDirectory(dir=options.models) as folder:  # a file is there whole or not at all
                export(name, options, Path(folder))
                for file in files:
                    os.replace(Path(folder) / file, options.models / file)


if __name__ == "__main__":
    main()
