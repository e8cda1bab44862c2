"""Checks of values, functions, layers and modules against oracles that are not the solution."""

from .failure import CheckFailed
from .values import read_array

__all__ = ["CheckFailed", "read_array"]
