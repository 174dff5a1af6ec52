"""What an ONNX file holds, read before any of it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from voxloop.child import ContractError

MOST_NODES = 20_000
MOST_BYTES = 1 << 30
OWN_DOMAINS = {"", "ai.onnx"}
# Loops may never end; branches hide graphs; the others are no part of a network.
REFUSED = {
    "Loop",
    "Scan",
    "If",
    "SequenceMap",
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
}


@dataclass(frozen=True)
class Graph:
    """The input of a network: its channels and spatial sides (None where free), and the number of its weights."""

    channels: int | None
    sides: tuple[int | None, ...]
    parameters: int

    @property
    def dimensions(self) -> int:
        """2 or 3."""
        return len(self.sides)


def read_graph(path: Path) -> Graph:
    """Raises ContractError: `model_onnx` for what is no network, `model_external`, `model_operator`, `model_tensor`."""
    try:
        model = onnx.load_model(str(path), load_external_data=False)
    except (DecodeError, ValueError, RecursionError) as error:
        raise ContractError("model_onnx", f"{path.name} is not an ONNX file.") from error
    own = OWN_DOMAINS | {function.domain for function in model.functions}
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    _check_nodes(nodes, own)
    tensors = [*model.graph.initializer, *_constants(nodes)]
    if model.graph.sparse_initializer:
        raise ContractError("model_tensor", "The network holds sparse tensors, which are not read; export it anew.")
    for tensor in tensors:
        _check_tensor(tensor)
    if sum(_bytes_of(tensor) for tensor in tensors) > MOST_BYTES:
        raise ContractError("model_tensor", f"The weights are larger than the {MOST_BYTES >> 20} MiB that are read.")
    given = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in given]
    if len(inputs) != 1 or not model.graph.output:
        raise ContractError("model_onnx", f"The network has {len(inputs)} inputs; one is needed: the image.")
    kind = inputs[0].type.tensor_type
    sides = tuple(
        side.dim_value if side.HasField("dim_value") and side.dim_value > 0 else None for side in kind.shape.dim
    )
    if kind.elem_type != onnx.TensorProto.FLOAT or len(sides) not in (4, 5):
        raise ContractError(
            "model_onnx", "The input is not float32 of (batch, channel, y, x) or (batch, channel, z, y, x)."
        )
    return Graph(sides[1], sides[2:], sum(prod(tensor.dims) for tensor in model.graph.initializer))


def _check_nodes(nodes: list[onnx.NodeProto], own: set[str]) -> None:
    if not 0 < len(nodes) <= MOST_NODES:
        raise ContractError("model_onnx", f"The network has {len(nodes)} operations; 1 to {MOST_NODES} are read.")
    for node in nodes:
        hides = any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute)
        if node.domain not in own or node.op_type in REFUSED or hides:
            name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            raise ContractError(
                "model_operator", f"The network uses {name[:60]}, which is not run; export it with plain operations."
            )


def _constants(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _check_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise ContractError("model_external", "The weights lie in a second file; export the network as one file.")
    held = len(tensor.raw_data) or _bytes_in_fields(tensor)
    if (
        any(side < 0 for side in tensor.dims)
        or (tensor.raw_data and held != _bytes_of(tensor))
        or (not tensor.raw_data and held < _bytes_of(tensor) // 8)
    ):
        raise ContractError("model_tensor", "A tensor declares more than it holds; export the network anew.")


def _bytes_in_fields(tensor: onnx.TensorProto) -> int:
    """Bytes of the typed fields, in their plain width."""
    four = len(tensor.float_data) + len(tensor.int32_data)
    eight = len(tensor.int64_data) + len(tensor.double_data) + len(tensor.uint64_data)
    return 4 * four + 8 * eight


def _bytes_of(tensor: onnx.TensorProto) -> int:
    try:
        width = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, TypeError) as error:
        raise ContractError("model_tensor", "A tensor has an unknown type; export the network anew.") from error
    return int(prod(tensor.dims)) * width
