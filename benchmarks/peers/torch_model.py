# SPDX-License-Identifier: MIT
"""The networks as PyTorch modules, with weights that are drawn, read and written under TensorFlow's names."""

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file, save_file
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from networks import NETWORKS, Layers

ACTIVATIONS = {None: lambda x: x, "relu": F.relu, "relu6": F.relu6}
STATISTICS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


class Model(nn.Module):
    """uint8 image (batch, rows, columns, 3) -> uint8 labels (batch, rows, columns)"""

    def __init__(self, name):
        super().__init__()
        self.network = NETWORKS[name]
        self.list = Layers(name)
        self.layers = nn.ModuleDict()
        for layer in self.list:
            conv = nn.Conv2d(
                layer.inputs,
                layer.outputs,
                layer.kernel,
                layer.stride,
                padding=layer.kernel // 2 * layer.rate,
                dilation=layer.rate,
                groups=layer.inputs if layer.depthwise else 1,
                bias=layer.epsilon is None,
            )
            if layer.epsilon is not None:
                conv = nn.Sequential(conv, nn.BatchNorm2d(layer.outputs, layer.epsilon))
            self.layers[key(layer.scope)] = conv
        self.eval().requires_grad_(False)

    def forward(self, image):
        return self.network(self, image)

    def conv(self, x, scope, *_, activation=None, **__):
        return ACTIVATIONS[activation](self.layers[key(scope)](x))

    depthwise = logits = conv

    def normalise(self, image):
        return image.permute(0, 3, 1, 2).float() * (2 / 255) - 1

    def relu(self, x):
        return F.relu(x)

    def add(self, x, y):
        return x + y

    def concat(self, xs):
        return torch.cat(xs, 1)

    def mean(self, x):
        return x.mean((2, 3), keepdim=True)

    def resize(self, x, size):
        return F.interpolate(x, size, mode="bilinear", align_corners=True)

    def subsample(self, x, stride):
        return x[:, :, ::stride, ::stride] if stride > 1 else x

    def max_pool(self, x):
        return F.max_pool2d(x, 3, 2, 1)

    def labels(self, x):
        return x.argmax(1).to(torch.uint8)

    def size(self, x):
        return tuple(x.shape[2:])

    def channels(self, x):
        return x.shape[1]

    def draw(self, images):
        """Draws the weights; batch norm statistics are those of `images`, so that every activation is of order one."""
        generator = torch.Generator().manual_seed(1)
        norms = []
        for layer in self.list:
            module = self.layers[key(layer.scope)]
            conv = module[0] if layer.epsilon is not None else module
            fan_in = conv.weight[0].numel()
            conv.weight.copy_(torch.randn(conv.weight.shape, generator=generator) * (2 / fan_in) ** 0.5)
            if layer.epsilon is None:
                conv.bias.copy_(torch.randn(layer.outputs, generator=generator) * 0.1)
                continue
            module[1].bias.copy_(torch.randn(layer.outputs, generator=generator) * 0.1)
            module[1].momentum = 1.0
            norms.append(module[1])
        self.train()
        self(images)
        self.eval()
        for norm in norms:
            norm.running_var.clamp_(min=0.01)  # image pooling has one position per image
        return self

    def tensors(self):
        """Every TensorFlow variable name with its array, sharing memory with the module."""
        for layer in self.list:
            module, scope = self.layers[key(layer.scope)], layer.scope
            conv = module[0] if layer.epsilon is not None else module
            if layer.depthwise:
                yield scope + "/depthwise_weights", conv.weight.permute(2, 3, 0, 1)
            else:
                yield scope + "/weights", conv.weight.permute(2, 3, 1, 0)
            if layer.epsilon is None:
                yield scope + "/biases", conv.bias
            else:
                for name, attribute in STATISTICS.items():
                    yield f"{scope}/BatchNorm/{name}", getattr(module[1], attribute)

    def save(self, path):
        save_file({name: np.ascontiguousarray(t.numpy()) for name, t in self.tensors()}, path)

    def load(self, path):
        file = load_file(path)
        for name, tensor in self.tensors():
            tensor.copy_(torch.from_numpy(file[name]))
        return self

    def fold(self):
        """Batch norm goes into the convolutions; tensors() no longer applies."""
        for layer in self.list:
            if layer.epsilon is not None:
                conv, norm = self.layers[key(layer.scope)]
                self.layers[key(layer.scope)] = fuse_conv_bn_eval(conv, norm)
        return self


def key(scope):
    return scope.replace("/", "__")
