"""What may cross the bridge at most, and the two ways to go beyond it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on one message, and on the objects of the student that the grader holds at once."""

    max_bytes: int = 64_000_000
    max_depth: int = 50
    max_items: int = 1_000_000
    max_handles: int = 100_000


class Malformed(Exception):
    """A message that no honest sender writes; the only error that decoding raises."""


class TooMuch(Exception):
    """A value that is data, but beyond what may cross; the message is for a student to read."""


def too_large(limits: Limits) -> TooMuch:
    """The error for a value of more than ``limits.max_bytes``."""
    million = 1_000_000
    whole = limits.max_bytes % million == 0
    size = f"{limits.max_bytes // million} MB" if whole else f"{limits.max_bytes:,} bytes"
    return TooMuch(f"the value is larger than {size}")


def too_many(limits: Limits) -> TooMuch:
    """The error for a value of more than ``limits.max_items``."""
    return TooMuch(f"the value holds more than {limits.max_items:,} items")


def expect(parts: list, *types: type) -> list:
    """``parts`` if they are exactly of these ``types``, one each; raises :class:`Malformed`."""
    if [type(part) for part in parts] != list(types):
        raise Malformed("parts of a wrong number or type")
    return parts
