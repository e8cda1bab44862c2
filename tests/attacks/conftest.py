"""The marker of the tests that run attacks."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """``-m attacks`` runs them alone, ``-m "not attacks"`` leaves them out."""
    config.addinivalue_line("markers", "attacks: grades attacks on the grader (slow)")
