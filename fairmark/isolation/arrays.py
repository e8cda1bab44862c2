"""NumPy arrays, scalars and random generators, and torch tensors, taken apart and put together.

What puts together is given parts that a hostile sender may have chosen, and raises
:class:`Malformed`, or an ordinary exception that the caller turns into it. torch is looked up or
imported when there is a tensor, so that a notebook without torch does not wait for it.
"""

from __future__ import annotations

import math
import re
import sys
from typing import Any

import numpy as np

from .limits import Limits, Malformed, TooMuch, expect, too_large

_DTYPE = re.compile(
    r"[<>|](b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU][1-9]\d{0,7}"
    r"|[mM]8(\[\d{0,9}[A-Za-z]{1,2}\])?)",
    re.ASCII,
)
_MAX_AXES = 32
_LAST_CHARACTER = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
# NumPy reads its buffers at these positions without a look at whether they lie inside.
_POSITIONS = {"pos": 624, "buffer_pos": 4}
_TENSOR_BYTES = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "uint16": 2,
    "int16": 2,
    "uint32": 4,
    "int32": 4,
    "uint64": 8,
    "int64": 8,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
}


def _read_dtype(text: str) -> np.dtype:
    dtype = np.dtype(text) if _DTYPE.fullmatch(text) else None
    if dtype is None or dtype.str != text:
        raise Malformed("a dtype that is not allowed")
    return dtype


def _check_shape(shape: tuple, itemsize: int, raw: bytes, limits: Limits) -> None:
    """Raise :class:`Malformed` where ``raw`` does not fill ``shape``, or an axis is out of bounds.

    Axes of an empty array are bounded too: a sum over (2**62, 0) has 2**62 items.
    """
    if len(shape) > _MAX_AXES or any(type(n) is not int or n < 0 for n in shape):
        raise Malformed("a shape that no array has")
    if any(n > limits.max_bytes for n in shape):
        raise Malformed("an axis that is too long")
    if math.prod(max(n, 1) for n in shape) > limits.max_bytes:
        raise Malformed("an array with too many items")
    if math.prod(shape) * itemsize != len(raw):
        raise Malformed("an array whose bytes do not fill its shape")


def _is_sound(array: np.ndarray) -> bool:
    """Whether each item is one that NumPy itself could have written: 0 or 1, or text."""
    if not array.size:
        return True
    if array.dtype.kind == "b":
        return array.view(np.uint8).max() <= 1
    if array.dtype.kind != "U":
        return True
    codes = np.frombuffer(array.tobytes(), array.dtype.byteorder.replace("|", "=") + "u4")
    low, high = _SURROGATES
    return codes.max() <= _LAST_CHARACTER and not ((codes >= low) & (codes <= high)).any()


def array_fits(value: np.ndarray | np.generic) -> bool:
    """Whether the items are plain numbers, text or times; no objects and no records."""
    dtype = np.asarray(value).dtype
    return dtype.kind in "biufcSUMm" and dtype.itemsize > 0


def _raw(array: np.ndarray, limits: Limits) -> bytes:
    if array.nbytes > limits.max_bytes or any(n > limits.max_bytes for n in array.shape):
        raise too_large(limits)
    if array.dtype.kind == "b":
        return (array.view(np.uint8) != 0).tobytes()
    if not _is_sound(array):
        raise TooMuch("an array holds text that is not valid Unicode")
    return array.tobytes()


def array_parts(value: np.ndarray, limits: Limits) -> list:
    """The dtype, the shape, whether it may be written to, and the bytes in C order."""
    array = np.asarray(value)
    return [array.dtype.str, array.shape, array.flags.writeable, _raw(array, limits)]


def build_array(parts: list, limits: Limits) -> np.ndarray:
    """A new array that owns its memory."""
    text, shape, writeable, raw = expect(parts, str, tuple, bool, bytes)
    dtype = _read_dtype(text)
    _check_shape(shape, dtype.itemsize, raw, limits)
    array = np.ndarray(shape, dtype, raw).copy()
    if not _is_sound(array):
        raise Malformed("an array with items that cannot be")
    array.flags.writeable = writeable
    return array


def scalar_parts(value: np.generic, limits: Limits) -> list:
    """The dtype and the bytes."""
    array = np.asarray(value)
    return [array.dtype.str, _raw(array, limits)]


def build_scalar(parts: list, limits: Limits) -> np.generic:
    """A scalar of exactly the NumPy type that its dtype names."""
    text, raw = expect(parts, str, bytes)
    return build_array([text, (), True, raw], limits)[()]


def generator_fits(value: np.random.Generator) -> bool:
    """Whether its bit generator is one of NumPy's own."""
    kind = type(value.bit_generator)
    return kind.__name__ in _BIT_GENERATORS and kind is getattr(np.random, kind.__name__)


def generator_parts(value: np.random.Generator, limits: Limits) -> list:
    """The name of the bit generator and its state."""
    return [type(value.bit_generator).__name__, value.bit_generator.state]


def build_generator(parts: list, limits: Limits) -> np.random.Generator:
    """A generator that goes on where the one that was sent stood."""
    name, state = expect(parts, str, dict)
    if name not in _BIT_GENERATORS:
        raise Malformed("a bit generator that is not allowed")
    bits = getattr(np.random, name)(0)
    _check_state(state, bits.state)
    bits.state = state
    return np.random.Generator(bits)


def _check_state(state: Any, model: Any) -> None:
    """Raise :class:`Malformed` unless ``state`` has the form of ``model``, a state of NumPy's."""
    if type(state) is not type(model):
        raise Malformed("a random state of another form")
    if isinstance(model, str):
        same = state == model
    elif isinstance(model, int):
        same = 0 <= state < 2**128
    elif isinstance(model, np.ndarray):
        same = (state.dtype, state.shape) == (model.dtype, model.shape)
    else:
        same = state.keys() == model.keys()
    if not same:
        raise Malformed("a random state of another form")
    for key in model if isinstance(model, dict) else ():
        _check_state(state[key], model[key])
        if key in _POSITIONS and state[key] > _POSITIONS[key]:
            raise Malformed("a random state that reads outside its buffer")


def is_tensor(value: object) -> bool:
    """Whether ``value`` is a torch tensor; no value is where nobody has imported torch."""
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)
    return tensor is not None and issubclass(type(value), tensor)


def _dtype_name(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def tensor_fits(value: Any) -> bool:
    """Whether the tensor is dense, in main memory and of a common dtype."""
    torch = sys.modules["torch"]
    with torch._C.DisableTorchFunctionSubclass():
        dense = value.layout is torch.strided and value.device.type == "cpu"
        return dense and _dtype_name(value) in _TENSOR_BYTES


def _tensor_raw(tensor: Any, limits: Limits) -> bytes:
    torch = sys.modules["torch"]
    if tensor.numel() * tensor.element_size() > limits.max_bytes:
        raise too_large(limits)
    if tensor.dtype is torch.bool:
        return (tensor.contiguous().view(torch.uint8) != 0).numpy().tobytes()
    whole = tensor.resolve_conj().resolve_neg().contiguous().reshape(-1)
    return whole.view(torch.uint8).numpy().tobytes()


def tensor_parts(value: Any, limits: Limits) -> list:
    """The dtype, the shape, requires_grad, the bytes of the gradient or None, and the bytes."""
    torch = sys.modules["torch"]
    # a subclass of the student's would otherwise be asked about each of these steps
    with torch._C.DisableTorchFunctionSubclass(), torch.no_grad():
        plain, grad = value.detach(), value.grad if value.is_leaf else None
        if grad is not None:
            grad = _tensor_raw(grad.detach().to_dense().to(plain.dtype), limits)
        form = [_dtype_name(plain), tuple(plain.shape), value.requires_grad]
        return [*form, grad, _tensor_raw(plain, limits)]


def build_tensor(parts: list, limits: Limits) -> Any:
    """A new leaf that owns its memory, with its gradient where it had one."""
    import torch

    grad = parts.pop(3) if len(parts) == 5 else None
    name, shape, requires_grad, raw = expect(parts, str, tuple, bool, bytes)
    if name not in _TENSOR_BYTES:
        raise Malformed("a dtype that is not allowed")

    def filled(raw: bytes) -> Any:
        _check_shape(shape, _TENSOR_BYTES[name], raw, limits)
        if name == "bool" and raw and max(raw) > 1:
            raise Malformed("a truth value that cannot be")
        dtype = getattr(torch, name)
        if not raw:
            return torch.empty(shape, dtype=dtype)
        return torch.frombuffer(bytearray(raw), dtype=dtype).reshape(shape).clone()

    tensor = filled(raw).requires_grad_(requires_grad)
    if grad is not None:
        expect([grad], bytes)
        tensor.grad = filled(grad)
    return tensor


def raw_bytes(value: Any, limits: Limits) -> bytes:
    """The bytes of an array or tensor as they would be sent now."""
    parts = tensor_parts(value, limits) if is_tensor(value) else array_parts(value, limits)
    return parts[-1]


def copy_into(mine: Any, theirs: Any) -> None:
    """Write the items of ``theirs`` into ``mine``, if the two have the same type, shape, dtype.

    ``theirs`` may be any value: it is looked at only where it is an array or a tensor.
    """
    if is_tensor(mine) != is_tensor(theirs) or not is_tensor(mine) | (type(theirs) is np.ndarray):
        return
    if (mine.dtype, mine.shape) != (theirs.dtype, theirs.shape):
        return
    if is_tensor(mine):
        mine.data.copy_(theirs.detach())
    elif mine.flags.writeable:
        mine[...] = theirs
