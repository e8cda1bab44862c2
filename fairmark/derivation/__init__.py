"""Chains of hand-worked answers, with errors carried forward."""

from .chain import Derivation, Step

__all__ = ["Derivation", "Step"]
