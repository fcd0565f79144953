# SPDX-License-Identifier: MIT
"""The networks as TensorFlow graphs, for LiteRT."""

import json

import numpy as np


def read_safetensors(path):
    """{name: array}; TensorFlow's environment has no package for it."""
    data = path.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:begin]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[begin + first : begin + last], np.float32).reshape(entry["shape"])
    return tensors


class Graph:
    """The operations of networks.py in TensorFlow, batch norm folded; atrous convolutions keep their rate."""

    def __init__(self, path):
        import tensorflow

        self.tf = tensorflow
        self.tensors = read_safetensors(path)

    def _folded(self, scope, weights, epsilon, shape):
        norm = {s: self.tensors[f"{scope}/BatchNorm/{s}"] for s in ("gamma", "beta", "moving_mean", "moving_variance")}
        scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + epsilon)
        return self.tensors[scope + weights] * scale.reshape(shape), norm["beta"] - norm["moving_mean"] * scale

    def _finish(self, x, bias, activation):
        tf = self.tf
        return {None: tf.identity, "relu": tf.nn.relu, "relu6": tf.nn.relu6}[activation](tf.nn.bias_add(x, bias))

    def conv(self, x, scope, depth, kernel=1, stride=1, rate=1, activation=None, epsilon=1e-5):
        weights, bias = self._folded(scope, "/weights", epsilon, (1, 1, 1, -1))
        return self._finish(self.tf.nn.conv2d(x, weights, stride, "SAME", dilations=rate), bias, activation)

    def depthwise(self, x, scope, stride=1, rate=1, activation=None, epsilon=1e-5):
        weights, bias = self._folded(scope, "/depthwise_weights", epsilon, (1, 1, -1, 1))
        # tf.nn.depthwise_conv2d would wrap SpaceToBatch around a rate
        x = self.tf.raw_ops.DepthwiseConv2dNative(
            input=x, filter=weights, strides=[1, stride, stride, 1], padding="SAME", dilations=[1, rate, rate, 1]
        )
        return self._finish(x, bias, activation)

    def logits(self, x, scope, classes):
        x = self.tf.nn.conv2d(x, self.tensors[scope + "/weights"], 1, "SAME")
        return self.tf.nn.bias_add(x, self.tensors[scope + "/biases"])

    def normalise(self, image):
        return self.tf.cast(image, self.tf.float32) * (2 / 255) - 1

    def relu(self, x):
        return self.tf.nn.relu(x)

    def add(self, x, y):
        return x + y

    def concat(self, xs):
        return self.tf.concat(xs, 3)

    def mean(self, x):
        return self.tf.reduce_mean(x, (1, 2), keepdims=True)

    def resize(self, x, size):
        return self.tf.compat.v1.image.resize_bilinear(x, size, align_corners=True)

    def subsample(self, x, stride):
        return x[:, ::stride, ::stride] if stride > 1 else x

    def max_pool(self, x):
        return self.tf.nn.max_pool2d(x, 3, 2, "SAME")

    def labels(self, x):
        return self.tf.cast(self.tf.argmax(x, 3, output_type=self.tf.int32), self.tf.uint8)

    def size(self, x):
        return tuple(x.shape[1:3])

    def channels(self, x):
        return x.shape[3]
