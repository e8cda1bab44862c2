"""Values as bytes and back: data are copied, all else becomes a reference.

A message is a flat row of msgpack tokens. None, bool, int, float, str and bytes are one token; any
other value is a head, an extension that names its kind and the number of its parts, and then the
parts, which are values again. So msgpack never nests, and what is built is counted here, item by
item. Values are decoded into exact base types, and nothing in a message is trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack

from .kinds import BY_CODE, CHANGEABLE, NATIVE, TO_NATIVE, kind_of
from .limits import Limits, Malformed, TooMuch, expect, too_large, too_many

__all__ = ["Decoded", "Encoder", "Limits", "Malformed", "TooMuch", "decode", "encode"]

_AGAIN, _REFERENCE = 1, 2


class Encoder:
    """Writes one message. ``refer`` gives what stands for an object that is no data.

    Afterwards ``arrays`` are the arrays and tensors in the message, each once, in the order in
    which the decoder meets them.
    """

    def __init__(self, limits: Limits, refer: Callable[[Any], Any] | None = None) -> None:
        self.arrays: list[Any] = []
        self._limits, self._refer = limits, refer
        self._packer = msgpack.Packer(strict_types=True, autoreset=False, buf_size=1024)
        self._size = self._count = 0
        self._places: dict[int, int] = {}  # by id; arrays keeps the objects alive

    def message(self, value: Any) -> bytes:
        """The bytes of ``value``.

        Raises :class:`TooMuch` beyond the limits, TypeError for no data where there is no
        ``refer``, what ``refer`` raises, and what a value of a hostile type raises.
        """
        self._put(value, 0)
        data = self._packer.bytes()
        if len(data) > self._limits.max_bytes:
            raise too_large(self._limits)
        return data

    def _put(self, value: Any, depth: int) -> None:
        self._count += 1
        if self._count > self._limits.max_items:
            raise too_many(self._limits)
        exact = type(value)
        if exact in NATIVE and (exact is not int or -(2**63) <= value < 2**64):
            self._put_native(value)
            return
        if id(value) in self._places:
            self._put_parts(_AGAIN, [self._places[id(value)]], depth)
            return
        kind = kind_of(value)
        if kind is not None:
            self._put_parts(kind.code, kind.parts(value, self._limits), depth)
            if kind.code in CHANGEABLE:
                self._places[id(value)] = len(self.arrays)
                self.arrays.append(value)
            return
        for base, convert in TO_NATIVE:
            if issubclass(exact, base):
                self._put_native(convert(value))
                return
        if self._refer is None:
            raise TypeError(f"an object of type {exact.__name__} is no data")
        self._put_parts(_REFERENCE, [self._refer(value)], depth)

    def _put_parts(self, code: int, parts: list, depth: int) -> None:
        if depth >= self._limits.max_depth:
            levels = self._limits.max_depth
            raise TooMuch(
                f"the value is nested more than {levels} levels deep (or contains itself)"
            )
        self._packer.pack_ext_type(code, len(parts).to_bytes(4, "big"))
        for part in parts:
            self._put(part, depth + 1)

    def _put_native(self, value: Any) -> None:
        if type(value) is str or type(value) is bytes:
            self._size += len(value)
            if self._size > self._limits.max_bytes:
                raise too_large(self._limits)
        try:
            self._packer.pack(value)
        except UnicodeEncodeError:
            raise TooMuch("the value holds text that is not valid Unicode") from None


@dataclass(frozen=True)
class Decoded:
    """A value, and its arrays and tensors in order, each with the bytes that it had."""

    value: Any
    arrays: list[tuple[Any, bytes]]


def decode(data: bytes, limits: Limits, resolve: Callable[[Any], Any] | None = None) -> Decoded:
    """The value in ``data``; ``resolve`` gives the object that a reference stands for.

    Raises :class:`Malformed`, and nothing else, for any ``data`` that is no message.
    """
    if len(data) > limits.max_bytes:
        raise Malformed("a message that is too large")
    try:
        decoder = _Decoder(data, limits, resolve)
        value = decoder.take(0)
        decoder.check_end()
    except Malformed:
        raise
    except Exception as error:  # whatever NumPy, torch and msgpack say about what is broken
        raise Malformed(f"a message that cannot be read ({type(error).__name__})") from None
    return Decoded(value, decoder.arrays)


class _Decoder:
    def __init__(self, data: bytes, limits: Limits, resolve: Callable[[Any], Any] | None) -> None:
        self.arrays: list[tuple[Any, bytes]] = []
        self._limits, self._resolve, self._count = limits, resolve, 0
        self._unpacker = msgpack.Unpacker(
            max_buffer_size=max(len(data), 1), max_array_len=0, max_map_len=0, max_ext_len=4
        )
        self._unpacker.feed(data)

    def take(self, depth: int) -> Any:
        token = self._unpacker.unpack()
        self._count += 1
        if type(token) in NATIVE:
            return token
        if type(token) is not msgpack.ExtType or len(token.data) != 4:
            raise Malformed("a token of a wrong type")
        count = int.from_bytes(token.data, "big")
        if depth >= self._limits.max_depth:
            raise Malformed("a value that is nested too deep")
        if count > self._limits.max_items - self._count:
            raise Malformed("a value with too many items")
        parts = [self.take(depth + 1) for _ in range(count)]
        return self._built(token.code, parts)

    def _built(self, code: int, parts: list) -> Any:
        if code == _AGAIN:
            (place,) = expect(parts, int)
            if not 0 <= place < len(self.arrays):
                raise Malformed("an array that was not sent")
            return self.arrays[place][0]
        if code == _REFERENCE:
            (payload,) = parts
            if self._resolve is None:
                raise Malformed("a reference where there may be none")
            return self._resolve(payload)
        if code not in BY_CODE:
            raise Malformed("a value of an unknown kind")
        raw = parts[-1] if parts else None
        value = BY_CODE[code].build(parts, self._limits)
        if code in CHANGEABLE:
            self.arrays.append((value, raw))
        return value

    def check_end(self) -> None:
        """Raise :class:`Malformed` unless the value was all there is."""
        try:
            self._unpacker.skip()
        except msgpack.OutOfData:
            return
        raise Malformed("more than one value")


def encode(value: Any, limits: Limits, refer: Callable[[Any], Any] | None = None) -> bytes:
    """The bytes of ``value``; see :meth:`Encoder.message`."""
    return Encoder(limits, refer).message(value)
