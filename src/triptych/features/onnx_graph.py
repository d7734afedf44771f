"""all-MiniLM-L6-v2 as an ONNX graph, written from its weights: BERT with operators that onnxruntime fuses by hand.

ONNX is a protocol buffer; the few messages that a graph needs are written here (https://onnx.ai/onnx/api/proto.html), so
that no package but the runtime is asked for. The operators of the domain com.microsoft (EmbedLayerNormalization, Attention,
SkipLayerNormalization, BiasGelu) are what onnxruntime's own optimizer makes of an exported BERT.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

FUSED: Final = "com.microsoft"
EPSILON: Final = 1e-12
_IR_VERSION, _OPSET, _FUSED_OPSET = 8, 17, 1
_TYPES: Final = {np.dtype(np.float32): 1, np.dtype(np.int32): 6, np.dtype(np.int64): 7}
Floats = npt.NDArray[np.float32]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: str | bytes | float) -> bytes:
    """One field of a message: text, bytes or an inner message; a whole number; a float of four bytes."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def tensor(name: str, array: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> bytes:
    """A TensorProto: constant of a graph."""
    dims = b"".join(_field(1, int(size)) for size in array.shape)
    return dims + _field(2, _TYPES[array.dtype]) + _field(8, name) + _field(9, np.ascontiguousarray(array).tobytes())


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = "", **attributes: float) -> bytes:
    """A NodeProto; attributes are whole numbers or floats."""
    out = b"".join([*(_field(1, name) for name in inputs), *(_field(2, name) for name in outputs)]) + _field(4, op)
    for name, value in attributes.items():
        kind = (3, 2) if isinstance(value, int) else (2, 1)  # field of the value, type
        out += _field(5, _field(1, name) + _field(kind[0], value) + _field(20, kind[1]))
    return out + (_field(7, domain) if domain else b"")


def value(name: str, dtype: npt.DTypeLike, shape: Sequence[str | int]) -> bytes:
    """A ValueInfoProto: input or output of a graph; a size that is a word is free."""
    dims = b"".join(_field(1, _field(2 if isinstance(size, str) else 1, size)) for size in shape)
    held = _field(1, _TYPES[np.dtype(dtype)]) + _field(2, dims)
    return _field(1, name) + _field(2, _field(1, held))


def model(
    nodes: Sequence[bytes], constants: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes]
) -> bytes:
    """A ModelProto: the bytes of a .onnx file."""
    graph = b"".join(
        [
            *(_field(1, each) for each in nodes),
            _field(2, "triptych"),
            *(_field(5, each) for each in constants),
            *(_field(11, each) for each in inputs),
            *(_field(12, each) for each in outputs),
        ]
    )
    sets = ((FUSED, _FUSED_OPSET), ("", _OPSET))
    opsets = b"".join(_field(8, _field(1, domain) + _field(2, number)) for domain, number in sets)
    return _field(1, _IR_VERSION) + _field(2, "triptych") + _field(7, graph) + opsets


def bert(tensors: Mapping[str, Floats], layers: int, heads: int) -> bytes:
    """A BERT whose tensors have the names of Hugging Face, as a .onnx file.

    Inputs input_ids and attention_mask, int32 (batch, length); output last_hidden_state, float32 (batch, length, width).
    """
    kept: dict[str, Floats] = {}
    kind = tensors["embeddings.token_type_embeddings.weight"][0]
    kept["words"] = tensors["embeddings.word_embeddings.weight"]
    kept["places"] = tensors["embeddings.position_embeddings.weight"] + kind  # all tokens are of the first kind
    for part in ("weight", "bias"):
        kept[f"embeddings.{part}"] = tensors[f"embeddings.LayerNorm.{part}"]
    begin = ["input_ids", "", "words", "places", "", "embeddings.weight", "embeddings.bias"]
    nodes = [node("EmbedLayerNormalization", begin, ["x0", "lengths"], FUSED, epsilon=EPSILON)]
    for layer in range(layers):
        nodes += _layer(tensors, kept, layer, heads)
    width = kept["words"].shape[1]
    sizes = ("batch", "length")
    return model(
        [*nodes, node("Identity", [f"x{layers}"], ["last_hidden_state"])],
        [tensor(name, array) for name, array in kept.items()],
        [value("input_ids", np.int32, sizes), value("attention_mask", np.int32, sizes)],
        [value("last_hidden_state", np.float32, (*sizes, width))],
    )


def _layer(tensors: Mapping[str, Floats], kept: dict[str, Floats], layer: int, heads: int) -> list[bytes]:
    """The nodes of one layer, from x{layer} to x{layer + 1}; its tensors are put into `kept`."""
    at, own = f"encoder.layer.{layer}", f"l{layer}"
    parts = [f"{at}.attention.self.{name}" for name in ("query", "key", "value")]
    kept[f"{own}.qkv.weight"] = np.concatenate([tensors[f"{part}.weight"] for part in parts]).T
    kept[f"{own}.qkv.bias"] = np.concatenate([tensors[f"{part}.bias"] for part in parts])
    dense = {"near": "attention.output.dense", "wide": "intermediate.dense", "back": "output.dense"}
    for name, source in dense.items():
        kept[f"{own}.{name}.weight"] = tensors[f"{at}.{source}.weight"].T
        kept[f"{own}.{name}.bias"] = tensors[f"{at}.{source}.bias"]
    for name, source in (("first", "attention.output.LayerNorm"), ("second", "output.LayerNorm")):
        for part in ("weight", "bias"):
            kept[f"{own}.{name}.{part}"] = tensors[f"{at}.{source}.{part}"]

    def normed(new: str, old: str, norm: str, bias: str, output: str) -> bytes:
        inputs = [new, old, f"{own}.{norm}.weight", f"{own}.{norm}.bias", f"{own}.{bias}.bias"]
        return node("SkipLayerNormalization", inputs, [output], FUSED, epsilon=EPSILON)

    x, seen, mid = f"x{layer}", f"{own}.seen", f"{own}.mid"
    attended = [x, f"{own}.qkv.weight", f"{own}.qkv.bias", "attention_mask"]
    return [
        node("Attention", attended, [seen], FUSED, num_heads=heads),
        node("MatMul", [seen, f"{own}.near.weight"], [f"{own}.a"]),
        normed(f"{own}.a", x, "first", "near", mid),
        node("MatMul", [mid, f"{own}.wide.weight"], [f"{own}.b"]),
        node("BiasGelu", [f"{own}.b", f"{own}.wide.bias"], [f"{own}.c"], FUSED),
        node("MatMul", [f"{own}.c", f"{own}.back.weight"], [f"{own}.d"]),
        normed(f"{own}.d", mid, "second", "back", f"x{layer + 1}"),
    ]
