"""Writes and reads the files that the programs take, with the standard library alone."""
import json
import struct
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
    return {name: (entry["shape"], list(struct.unpack(f"<{(end - begin) // 4}f", body[begin:end])))
            for name, entry in header.items() if name != "__metadata__" for begin, end in [entry["data_offsets"]]}


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
