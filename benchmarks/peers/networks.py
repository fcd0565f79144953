# SPDX-License-Identifier: MIT
"""The networks that are compared, each a function of an image.

A network is written against a small set of operations (`ops.conv`, `ops.depthwise`, ...). Whoever implements them
decides what happens: `Layers` below lists the convolutions, torch_model.py computes, tensorflow_graph.py builds graphs.
Scopes are the variable scopes of TensorFlow's checkpoints, so that atrous reads the same weights.
"""

from dataclasses import dataclass
from functools import partial

SIZE = 513
CLASSES = 21
HEAD_EPSILON, BACKBONE_EPSILON = 1e-5, 1e-3


class Rates:
    """Gives each unit its stride and rate: beyond the wanted output stride, strides become rates."""

    def __init__(self, wanted, reached):
        self.wanted, self.reached, self.rate = wanted, reached, 1

    def unit(self, stride):
        if self.reached < self.wanted:
            self.reached *= stride
            return stride, 1
        rate, self.rate = self.rate, self.rate * stride
        return 1, rate


def separable(ops, x, scope, depth, stride=1, rate=1, inner=None, outer=None, epsilon=HEAD_EPSILON):
    x = ops.depthwise(x, scope + "_depthwise", stride=stride, rate=rate, activation=inner, epsilon=epsilon)
    return ops.conv(x, scope + "_pointwise", depth, activation=outer, epsilon=epsilon)


def xception65(ops, x, output_stride):
    """Features, and the low-level ones at stride 4."""
    sep = partial(separable, ops, epsilon=BACKBONE_EPSILON)
    conv = partial(ops.conv, epsilon=BACKBONE_EPSILON)
    rates = Rates(output_stride, 2)

    def unit(x, scope, depths, skip, stride, active=False):
        stride, rate = rates.unit(stride)
        scope = f"xception_65/{scope}/xception_module/"
        act = "relu" if active else None
        y, outputs = x, []
        for i, depth in enumerate(depths, 1):
            if not active:
                y = ops.relu(y)
            y = sep(y, f"{scope}separable_conv{i}", depth, stride if i == 3 else 1, rate, act, act)
            outputs.append(y)
        if skip == "conv":
            y = ops.add(y, conv(x, scope + "shortcut", depths[-1], stride=stride))
        elif skip == "sum":
            y = ops.add(y, x)
        return y, outputs[1]

    x = conv(x, "xception_65/entry_flow/conv1_1", 32, kernel=3, stride=2, activation="relu")
    x = conv(x, "xception_65/entry_flow/conv1_2", 64, kernel=3, activation="relu")
    x, _ = unit(x, "entry_flow/block1/unit_1", (128, 128, 128), "conv", 2)
    x, low = unit(x, "entry_flow/block2/unit_1", (256, 256, 256), "conv", 2)
    x, _ = unit(x, "entry_flow/block3/unit_1", (728, 728, 728), "conv", 2)
    for i in range(1, 17):
        x, _ = unit(x, f"middle_flow/block1/unit_{i}", (728, 728, 728), "sum", 1)
    x, _ = unit(x, "exit_flow/block1/unit_1", (728, 1024, 1024), "conv", 2)
    x, _ = unit(x, "exit_flow/block2/unit_1", (1536, 1536, 2048), None, 1, active=True)
    return x, low


def resnet101(ops, x, output_stride, multi_grid=(1, 2, 4)):
    conv = partial(ops.conv, epsilon=HEAD_EPSILON)
    rates = Rates(output_stride, 4)
    low = None
    x = conv(x, "resnet_v1_101/conv1_1", 64, kernel=3, stride=2, activation="relu")
    x = conv(x, "resnet_v1_101/conv1_2", 64, kernel=3, activation="relu")
    x = conv(x, "resnet_v1_101/conv1_3", 128, kernel=3, activation="relu")
    x = ops.max_pool(x)
    for block, (width, units) in enumerate(((64, 3), (128, 4), (256, 23), (512, 3)), 1):
        for u in range(1, units + 1):
            stride, rate = rates.unit(2 if u == units and block < 4 else 1)
            rate *= multi_grid[u - 1] if block == 4 else 1
            scope = f"resnet_v1_101/block{block}/unit_{u}/bottleneck_v1/"
            shortcut = conv(x, scope + "shortcut", 4 * width) if u == 1 else ops.subsample(x, stride)
            y = conv(x, scope + "conv1", width, activation="relu")
            y = conv(y, scope + "conv2", width, kernel=3, stride=stride, rate=rate, activation="relu")
            y = conv(y, scope + "conv3", 4 * width)
            if (block, u) == (1, 2):
                low = y
            x = ops.relu(ops.add(y, shortcut))
    return x, low


def mobilenet_v2(ops, x, output_stride):
    conv = partial(ops.conv, epsilon=BACKBONE_EPSILON)
    depthwise = partial(ops.depthwise, epsilon=BACKBONE_EPSILON)
    rates = Rates(output_stride, 1)
    blocks = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    stride, _ = rates.unit(2)
    x = conv(x, "MobilenetV2/Conv", 32, kernel=3, stride=stride, activation="relu6")
    low, index = None, 0
    for expansion, depth, repeats, first in blocks:
        for nominal in [first] + [1] * (repeats - 1):
            stride, rate = rates.unit(nominal)
            scope = "MobilenetV2/expanded_conv" + (f"_{index}" if index else "") + "/"
            y = x
            if expansion > 1:
                y = conv(y, scope + "expand", expansion * ops.channels(x), activation="relu6")
            y = depthwise(y, scope + "depthwise", stride=stride, rate=rate, activation="relu6")
            if index == 2:
                low = y
            y = conv(y, scope + "project", depth)
            x = ops.add(y, x) if stride == 1 and ops.channels(x) == depth else y
            index += 1
    return x, low


def deeplab(ops, image, backbone, output_stride=16, atrous=True, decoder=True, dense=False):
    x, low = backbone(ops, ops.normalise(image), output_stride)
    conv = partial(ops.conv, activation="relu")
    sep = partial(separable, ops, inner="relu", outer="relu")

    pooled = conv(ops.mean(x), "image_pooling", 256)
    branches = [ops.resize(pooled, ops.size(x)), conv(x, "aspp0", 256)]
    for i in (1, 2, 3) if atrous else ():
        rate = 6 * i * 16 // output_stride
        branches.append(conv(x, f"aspp{i}", 256, kernel=3, rate=rate) if dense else sep(x, f"aspp{i}", 256, rate=rate))
    x = conv(ops.concat(branches), "concat_projection", 256)

    if decoder:
        low = conv(low, "decoder/feature_projection0", 48)
        x = ops.concat([ops.resize(x, ops.size(low)), low])
        for i in (0, 1):
            if dense:
                x = conv(x, f"decoder/decoder_conv0/decoder_conv0_{i + 1}", 256, kernel=3)
            else:
                x = sep(x, f"decoder/decoder_conv{i}", 256)
    return ops.labels(ops.resize(ops.logits(x, "logits/semantic", CLASSES), (SIZE, SIZE)))


NETWORKS = {
    "deeplabv3plus_xception65": partial(deeplab, backbone=xception65),
    "deeplabv3plus_xception65_os8": partial(deeplab, backbone=xception65, output_stride=8),
    "deeplabv3plus_resnet101": partial(deeplab, backbone=resnet101, dense=True),
    "deeplabv3plus_mobilenet_v2": partial(deeplab, backbone=mobilenet_v2),
    "deeplabv3_mobilenet_v2_pascal": partial(
        deeplab, backbone=mobilenet_v2, output_stride=8, atrous=False, decoder=False
    ),
}


@dataclass
class Layer:
    scope: str
    kernel: int
    inputs: int
    outputs: int
    stride: int = 1
    rate: int = 1
    depthwise: bool = False
    epsilon: float = None  # of the batch norm; None: a bias instead
    positions: int = 0

    @property
    def multiply_adds(self):
        return self.positions * self.kernel**2 * self.outputs * (1 if self.depthwise else self.inputs)


class Layers(list):
    """Lists the convolutions of a network. A tensor is its (height, width, channels)."""

    def __init__(self, name):
        super().__init__()
        NETWORKS[name](self, (SIZE, SIZE, 3))

    def multiply_adds(self):
        return sum(layer.multiply_adds for layer in self)

    def _append(self, x, scope, outputs, stride=1, **rest):
        h, w = -(-x[0] // stride), -(-x[1] // stride)
        self.append(Layer(scope, inputs=x[2], outputs=outputs, stride=stride, positions=h * w, **rest))
        return h, w, outputs

    def conv(self, x, scope, depth, kernel=1, stride=1, rate=1, activation=None, epsilon=HEAD_EPSILON):
        return self._append(x, scope, depth, stride, kernel=kernel, rate=rate, epsilon=epsilon)

    def depthwise(self, x, scope, stride=1, rate=1, activation=None, epsilon=HEAD_EPSILON):
        return self._append(x, scope, x[2], stride, kernel=3, rate=rate, epsilon=epsilon, depthwise=True)

    def logits(self, x, scope, classes):
        return self._append(x, scope, classes, kernel=1)

    normalise = relu = labels = lambda self, x: x
    add = lambda self, x, y: x
    concat = lambda self, xs: (*xs[0][:2], sum(x[2] for x in xs))
    mean = lambda self, x: (1, 1, x[2])
    resize = lambda self, x, size: (*size, x[2])
    subsample = lambda self, x, stride: (-(-x[0] // stride), -(-x[1] // stride), x[2])
    max_pool = lambda self, x: self.subsample(x, 2)
    size = lambda self, x: x[:2]
    channels = lambda self, x: x[2]
