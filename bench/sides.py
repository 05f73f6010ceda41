"""The sides of bench/peers.py: hone and what it is compared with.

A side is a class with a name and, per model, `outputs()` (one run, the arrays it gives) and `run()`
(one run whose results stay where the runtime put them). Everything that a run does not need is done
before: inputs are bound, memory is touched. All sides live in one process, so that they share its
memory, its affinity and the state of the machine; a call through Python costs each about the same
microsecond.

A side that lacks its package, or cannot take a model, raises; the caller names it and goes on.
"""
import ctypes
import json
import mmap
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np


class OnnxRuntime:
    name = "onnxruntime"

    def __init__(self, model, inputs, threads, folder):
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(str(model), options,
                                            providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        for i, x in zip(self.session.get_inputs(), inputs):
            self.binding.bind_cpu_input(i.name, x)
        for o in self.session.get_outputs():
            self.binding.bind_output(o.name)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def outputs(self):
        self.run()
        return self.binding.copy_outputs_to_cpu()


class OpenVino:
    name = "openvino"

    def __init__(self, model, inputs, threads, folder):
        import openvino as ov
        core = ov.Core()
        config = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32",
                  "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
        compiled = core.compile_model(core.read_model(str(model)), "CPU", config)
        self.request = compiled.create_infer_request()
        for i, x in enumerate(inputs):
            self.request.set_input_tensor(i, ov.Tensor(x, shared_memory=True))
        self.count = len(compiled.outputs)

    def run(self):
        self.request.start_async()
        self.request.wait()

    def outputs(self):
        self.run()
        return [self.request.get_output_tensor(i).data.copy() for i in range(self.count)]


class Ncnn:
    """through pnnx; f32 everywhere, else as it comes (Winograd, packing)"""
    name = "ncnn"

    def __init__(self, model, inputs, threads, folder):
        import ncnn
        # Not imported: it would bring PyTorch and its threads into this process.
        converter = Path(find_spec("pnnx").submodule_search_locations[0]) / "pnnx"
        folder.mkdir(exist_ok=True)
        copy = folder / "m.onnx"
        copy.write_bytes(model.read_bytes())
        subprocess.run([converter, copy, "fp16=0"], check=True, cwd=folder,
                       capture_output=True)
        ncnn.set_omp_num_threads(threads)
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        self.net.opt.use_vulkan_compute = False
        for what in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed",
                     "bf16_storage"):
            if hasattr(self.net.opt, f"use_{what}"):
                setattr(self.net.opt, f"use_{what}", False)
        if self.net.load_param(str(folder / "m.ncnn.param")):
            raise RuntimeError("ncnn does not load the converted model")
        self.net.load_model(str(folder / "m.ncnn.bin"))
        text = (folder / "m_ncnn.py").read_text()
        self.count = len(re.findall(r"ex\.extract\(", text))
        self.inputs = []
        for i, x in enumerate(inputs):
            batch = re.search(rf'"in{i}".*batch_index=(\d+)', text)
            mat = ncnn.Mat(x, batch_index=int(batch[1])) if batch else ncnn.Mat(x)
            self.inputs.append(mat.clone())

    def run(self):
        extractor = self.net.create_extractor()
        for i, x in enumerate(self.inputs):
            extractor.input(f"in{i}", x)
        return [extractor.extract(f"out{i}") for i in range(self.count)]

    def outputs(self):
        got = self.run()
        if any(code for code, _ in got):
            raise RuntimeError("ncnn does not run the converted model")
        return [np.array(y) for _, y in got]


def region(size):
    """memory of its own pages, large ones where there are any as `hone bench` has them, touched;
    the array keeps the mapping"""
    memory = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    array = np.frombuffer(memory, np.uint8)
    array[:] = 0
    return array


class Hone:
    """a bundle as a shared object in this process, called as a C program calls it"""
    name = "hone"

    def __init__(self, bundle, inputs):
        info = json.loads(next(bundle.glob("*.json")).read_text())
        name = info["name"]
        library = bundle / f"{name}.so"
        subprocess.run(["cc", "-shared", "-o", library, bundle / f"{name}.o"], check=True)
        self.function = getattr(ctypes.CDLL(str(library)), name)
        self.weights = region(info["weights_bytes"])
        self.weights[:] = np.fromfile(bundle / f"{name}.weights.bin", np.uint8)
        self.inout = region(info["mutable_bytes"])
        self.activations = region(info["activations_bytes"])
        for spec, x in zip(info["inputs"], inputs):
            self.part(spec)[:] = x.reshape(-1).view(np.uint8)
        self.info = info
        self.args = [ctypes.c_void_p(a.ctypes.data)
                     for a in (self.weights, self.inout, self.activations)]

    def part(self, spec):
        return self.inout[spec["offset"]:spec["offset"] + spec["bytes"]]

    def run(self):
        self.function(*self.args)

    def outputs(self):
        if self.function(*self.args):
            raise RuntimeError("the bundle answers other than 0")
        return [self.part(s).view(np.float32).copy() if s["type"] == "f32" else None
                for s in self.info["outputs"]]


class HoneProcess:
    """hone bench on the bundle, a process per round: for several threads, whose pool is its"""
    name = "hone"

    def __init__(self, hone, bundle, threads):
        self.command = [hone, "bench", bundle, "--runs", "100", "--json", "--threads", threads]

    def seconds(self):
        out = subprocess.run(list(map(str, self.command)), check=True, capture_output=True,
                             text=True).stdout
        return json.loads(out)["median_ms"] / 1e3


PEERS = [OnnxRuntime, OpenVino, Ncnn]
