"""The kinds of value that cross the bridge beside the native types of msgpack, in one table.

Each kind is taken apart into simpler values and built from them again. What builds is given parts
that a hostile sender may have chosen; it raises :class:`Malformed` or an ordinary exception.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np

from . import arrays
from .limits import Limits, Malformed, TooMuch, expect, too_many

NATIVE = frozenset([type(None), bool, int, float, str, bytes])
_MAX_BITS = 4096
_MAX_DIGITS = 5000
_MAX_EXPONENT = 10_000  # an int made from such a Decimal is still made at once
_SAME_HASH = 64  # keys of one dict or set that may share a hash


@dataclass(frozen=True)
class Kind:
    """How values of ``base`` are taken apart into values that are simpler, and built again."""

    code: int
    base: type | None
    parts: Callable[[Any, Limits], list]
    build: Callable[[list, Limits], Any]
    fits: Callable[[Any], bool] = lambda value: True


def _items_of(base: type) -> Callable[[Any, Limits], list]:
    """The items of a container, whatever a subclass says they are."""

    def parts(value: Any, limits: Limits) -> list:
        if base.__len__(value) > limits.max_items:
            raise too_many(limits)
        return list(base.__iter__(value))

    return parts


def _pairs(value: dict, limits: Limits) -> list:
    if dict.__len__(value) > limits.max_items:
        raise too_many(limits)
    return list(chain.from_iterable(dict.items(value)))


def _check_keys(keys: list) -> list:
    """``keys`` if they can be looked up fast; chosen to share a hash they would take for ever."""
    if len(keys) > _SAME_HASH:
        hashes = sorted(map(hash, keys))
        if any(map(int.__eq__, hashes, hashes[_SAME_HASH:])):
            raise Malformed("keys that were chosen to be slow")
    return keys


def _build_dict(parts: list, limits: Limits) -> dict:
    return dict(zip(_check_keys(parts[::2]), parts[1::2], strict=True))


def _build_slice(parts: list, limits: Limits) -> slice:
    start, stop, step = parts
    return slice(start, stop, step)


def _int_parts(value: int, limits: Limits) -> list:
    bits = int.bit_length(value)
    if bits > _MAX_BITS:
        raise TooMuch(f"a whole number has more than {_MAX_BITS} bits")
    return [int.to_bytes(value, bits // 8 + 1, "big", signed=True)]


def _build_int(parts: list, limits: Limits) -> int:
    (raw,) = expect(parts, bytes)
    if len(raw) > _MAX_BITS // 8 + 1:
        raise Malformed("a whole number that is too long")
    return int.from_bytes(raw, "big", signed=True)


def _complex_parts(value: complex, limits: Limits) -> list:
    plain = complex.__complex__(value)
    return [plain.real, plain.imag]


def _fraction_parts(value: Fraction, limits: Limits) -> list:
    return [int(Fraction.numerator.fget(value)), int(Fraction.denominator.fget(value))]


def _decimal_is_short(value: Decimal) -> bool:
    exponent = Decimal.as_tuple(value).exponent
    return isinstance(exponent, str) or abs(exponent) <= _MAX_EXPONENT


def _decimal_parts(value: Decimal, limits: Limits) -> list:
    text = Decimal.__str__(value)
    if len(text) > _MAX_DIGITS or not _decimal_is_short(value):
        raise TooMuch("a decimal number has too many digits or too large an exponent")
    return [text]


def _build_decimal(parts: list, limits: Limits) -> Decimal:
    (text,) = expect(parts, str)
    if len(text) > _MAX_DIGITS:
        raise Malformed("a decimal number that is too long")
    value = Decimal(text)
    if not _decimal_is_short(value):
        raise Malformed("a decimal number with too large an exponent")
    return value


TENSOR = Kind(10, None, arrays.tensor_parts, arrays.build_tensor, arrays.tensor_fits)
INT = Kind(
    17, int, _int_parts, _build_int, lambda value: not -(2**63) <= int.__int__(value) < 2**64
)

# The whole format, beside the native types, references, and arrays that come again. The first
# that fits counts: np.float64 is a float as well, and np.str_ a str.
KINDS = (
    Kind(11, np.generic, arrays.scalar_parts, arrays.build_scalar, arrays.array_fits),
    Kind(12, np.ndarray, arrays.array_parts, arrays.build_array, arrays.array_fits),
    Kind(20, list, _items_of(list), lambda parts, limits: parts),
    Kind(21, tuple, _items_of(tuple), lambda parts, limits: tuple(parts)),
    Kind(22, dict, _pairs, _build_dict),
    Kind(23, set, _items_of(set), lambda parts, limits: set(_check_keys(parts))),
    Kind(24, frozenset, _items_of(frozenset), lambda parts, limits: frozenset(_check_keys(parts))),
    Kind(25, slice, lambda value, limits: [value.start, value.stop, value.step], _build_slice),
    INT,
    Kind(14, complex, _complex_parts, lambda parts, limits: complex(*expect(parts, float, float))),
    Kind(15, Fraction, _fraction_parts, lambda parts, limits: Fraction(*expect(parts, int, int))),
    Kind(16, Decimal, _decimal_parts, _build_decimal),
    Kind(
        13,
        np.random.Generator,
        arrays.generator_parts,
        arrays.build_generator,
        arrays.generator_fits,
    ),
    TENSOR,
)
BY_CODE = {kind.code: kind for kind in KINDS}
_BY_BASE = {kind.base: kind for kind in KINDS if kind.base is not None}
CHANGEABLE = {TENSOR.code, _BY_BASE[np.ndarray].code}
TO_NATIVE = (
    (int, int.__int__),
    (float, float.__float__),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
)


def kind_of(value: Any) -> Kind | None:
    exact = type(value)
    kind = _BY_BASE.get(exact)
    if kind is not None and kind.fits(value):
        return kind
    if arrays.is_tensor(value):
        return TENSOR if TENSOR.fits(value) else None
    for base, kind in _BY_BASE.items():
        if issubclass(exact, base) and kind.fits(value):
            return kind
    return None
