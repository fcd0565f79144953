# SPDX-License-Identifier: MIT
"""The engines, each in the best CPU configuration found: built from (models folder, network, threads), then called.

A call takes an image, uint8 (513, 513, 3), and returns labels, uint8 (513, 513). Scaling, the last resize and the
argmax are inside of it. What was tried without gain: MLAS' sliding depthwise and other channel batches (ONNX Runtime);
accuracy mode, no pinning (OpenVINO); eager mode (PyTorch); normal and low precision (MNN).
"""


class OnnxRuntime:
    title, package = "ONNX Runtime", "onnxruntime"
    entries = {
        "session.intra_op.allow_spinning": "1",
        "session.set_denormal_as_zero": "1",
        "mlas.nchwc_pointwise_conv_max_input_channel_batch": "512",
    }

    def __init__(self, models, network, threads):
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        for key, value in self.entries.items():
            options.add_session_config_entry(key, value)
        self.session = ort.InferenceSession(models / f"{network}.onnx", options, providers=["CPUExecutionProvider"])

    def __call__(self, image):
        return self.session.run(None, {"image": image[None]})[0][0]


class OpenVino:
    """Without the hint OpenVINO takes bfloat16 where the processor has it."""

    title, package = "OpenVINO", "openvino"
    precision = "f32"

    def __init__(self, models, network, threads):
        import openvino as ov

        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": self.precision,
        }
        self.request = ov.Core().compile_model(models / f"{network}.xml", "CPU", settings).create_infer_request()

    def __call__(self, image):
        return self.request.infer([image[None]], share_inputs=True)[0][0]


class OpenVinoBf16(OpenVino):
    """Twice as fast as float on Zen 5, slower on Intel's processors without AMX. "f16" does the same on these."""

    title, precision = "OpenVINO, bf16", "bf16"


class LiteRt:
    """TensorFlow Lite; the XNNPACK delegate is the default."""

    title, package = "LiteRT", "ai-edge-litert"

    def __init__(self, models, network, threads):
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(str(models / f"{network}.tflite"), num_threads=threads)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]

    def __call__(self, image):
        self.interpreter.set_tensor(self.input, image[None])
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output)[0]


class Inductor:
    """torch.compile in channels last; freezing lets it pack the weights for oneDNN. It needs a C++ compiler."""

    title, package = "PyTorch inductor", "torch"

    def __init__(self, models, network, threads):
        import torch
        import torch._inductor.config as config

        from torch_model import Model

        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        config.freezing = True
        model = Model(network).load(models / f"{network}.safetensors").fold()
        self.torch = torch
        self.model = torch.compile(model.to(memory_format=torch.channels_last), mode="max-autotune-no-cudagraphs")

    def __call__(self, image):
        with self.torch.no_grad():
            return self.model(self.torch.from_numpy(image)[None])[0].numpy()


class Ncnn:
    """Packing, Winograd and the sgemm convolution are on by default. It has no argmax over channels: NumPy does it."""

    title, package = "ncnn", "ncnn"

    def __init__(self, models, network, threads):
        import ncnn

        self.ncnn = ncnn
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        self.net.load_param(str(models / f"{network}.ncnn.param"))
        self.net.load_model(str(models / f"{network}.ncnn.bin"))

    def __call__(self, image):
        import numpy as np

        h, w, _ = image.shape
        x = self.ncnn.Mat.from_pixels(image, self.ncnn.Mat.PixelType.PIXEL_RGB, w, h)
        x.substract_mean_normalize([127.5] * 3, [2 / 255] * 3)
        extractor = self.net.create_extractor()
        extractor.input("in0", x)
        _, logits = extractor.extract("out0")
        return np.argmax(np.array(logits), 0).astype(np.uint8)


class Mnn:
    title, package = "MNN", "MNN"

    def __init__(self, models, network, threads):
        import MNN

        self.MNN = MNN
        config = {"backend": "CPU", "numThread": threads, "precision": "high", "power": "high"}
        runtime = MNN.nn.create_runtime_manager((config,))
        file = str(models / f"{network}.mnn")
        self.module = MNN.nn.load_module_from_file(file, ["image"], ["labels"], runtime_manager=runtime)

    def __call__(self, image):
        x = self.MNN.expr.const(image, [1, *image.shape], self.MNN.expr.NCHW, self.MNN.expr.uint8)
        return self.module.forward([x])[0].read()[0].astype("uint8")


ENGINES = {
    "onnxruntime": OnnxRuntime,
    "openvino": OpenVino,
    "openvino-bf16": OpenVinoBf16,
    "litert": LiteRt,
    "inductor": Inductor,
    "ncnn": Ncnn,
    "mnn": Mnn,
}
