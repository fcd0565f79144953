"""Writes and reads the files that the programs take, with the standard library alone."""
import collections
import contextlib
import io
import json
import pickle
import struct
import sys
import types
import zipfile
import zlib


def write_tensors(path, tensors, metadata=None):
    """`tensors`: name -> (shape, list of floats)."""
    header, body = ({"__metadata__": metadata} if metadata else {}), b""
    for name, (shape, numbers) in sorted(tensors.items()):
        data = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def read_tensors(path):
    data = path.read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    letters = {"F32": "f", "U8": "B", "I64": "q"}
    return {name: (entry["shape"], [n for n, in struct.iter_unpack("<" + letters[entry["dtype"]], body[begin:end])])
            for name, entry in header.items() if name != "__metadata__" for begin, end in [entry["data_offsets"]]}


def read_metadata(path):
    data = path.read_bytes()
    return json.loads(data[8:8 + struct.unpack_from("<Q", data)[0]]).get("__metadata__", {})


class Storage:
    """The numbers of one tensor, which PyTorch writes beside its pickle."""

    def __init__(self, key, numbers):
        self.key, self.numbers = key, numbers

    def bytes(self):
        return struct.pack(f"<{len(self.numbers)}f", *self.numbers)


class Tensor:
    def __init__(self, shape, storage):
        self.shape, self.storage = shape, storage

    def __reduce__(self):
        strides, step = [], 1
        for extent in reversed(self.shape):
            strides.insert(0, step)
            step *= extent
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (
            self.storage, 0, tuple(self.shape), tuple(strides), False, collections.OrderedDict())


@contextlib.contextmanager
def names_of_torch():
    """As much of PyTorch as its pickles name."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    exec("def _rebuild_tensor_v2(*arguments): pass", utils.__dict__)
    utils._rebuild_tensor_v2.__module__ = "torch._utils"
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        yield torch
    finally:
        del sys.modules["torch"], sys.modules["torch._utils"]


def pickled(value, *view):
    """`value` as PyTorch pickles it: its storages are named and left out."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, 2)
    with names_of_torch() as torch:
        pickler.persistent_id = lambda each: ("storage", torch.FloatStorage, each.key, "cpu", len(each.numbers), *view) \
            if isinstance(each, Storage) else None
        pickler.dump(value)
    return out.getvalue()


def write_torch(path, tensors, legacy=False):
    """A state dict of PyTorch, in the zip form or the legacy form. `tensors`: name -> (shape, list of floats)."""
    storages = [Storage(str(i), numbers) for i, (_, numbers) in enumerate(tensors.values())]
    state = collections.OrderedDict((name, Tensor(shape, storage))
                                    for (name, (shape, _)), storage in zip(tensors.items(), storages))
    if legacy:
        head = [pickled(value) for value in (0x1950a86a20f9469cfc6c, 1001, {"little_endian": True})]
        body = [struct.pack("<q", len(storage.numbers)) + storage.bytes() for storage in storages]
        path.write_bytes(b"".join([*head, pickled(state, None), pickled([storage.key for storage in storages]), *body]))
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled({"state_dict": state, "epoch": 7}))
        for storage in storages:
            archive.writestr(f"archive/data/{storage.key}", storage.bytes())
        archive.writestr("archive/version", "3\n")
    return path


def write_picture(path, height, width):
    """A PNG of a coloured slope."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(v % 256 for j in range(width) for v in (5 * i, 7 * j, 3 * (i + j))) for i in range(height))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def read_labels(path):
    """(palette, rows of indices) of an 8-bit palette PNG as the programs write it."""
    data, at, chunks = path.read_bytes(), 8, {}
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        chunks[kind] = chunks.get(kind, b"") + data[at + 8:at + 8 + size]
        at += size + 12
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (depth, colour) == (8, 3), (depth, colour)
    raw, rows = zlib.decompress(chunks[b"IDAT"]), []
    for i in range(height):
        kind, row = raw[i * (width + 1)], bytearray(raw[i * (width + 1) + 1:(i + 1) * (width + 1)])
        above = rows[-1] if rows else bytes(width)
        for j in range(width):
            left, corner = (row[j - 1], above[j - 1]) if j else (0, 0)
            row[j] = (row[j] + (0, left, above[j], (left + above[j]) // 2, paeth(left, above[j], corner))[kind]) % 256
        rows.append(bytes(row))
    palette = chunks[b"PLTE"]
    return [tuple(palette[i:i + 3]) for i in range(0, len(palette), 3)], rows


def paeth(left, above, corner):
    guess = left + above - corner
    return min((left, above, corner), key=lambda v: abs(guess - v))
