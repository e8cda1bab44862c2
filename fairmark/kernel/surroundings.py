"""What a shell changes of the process that it is made in, to be put back and put in place again."""

from __future__ import annotations

import builtins
import sys
import warnings

_HOOKS = ("displayhook", "excepthook", "ps1", "ps2", "ps3")


class Surroundings:
    """Builtins, hooks and prompts, filters of warnings and ``__main__``, as they are now."""

    def __init__(self) -> None:
        self._builtins = dict(vars(builtins))
        self._hooks = {name: getattr(sys, name) for name in _HOOKS if hasattr(sys, name)}
        self._filters = warnings.filters[:]
        self._main = sys.modules["__main__"]

    def bring_back(self) -> None:
        """Make all of it as it was."""
        for name in vars(builtins).keys() - self._builtins.keys():
            delattr(builtins, name)
        vars(builtins).update(self._builtins)
        for name in _HOOKS:
            vars(sys).pop(name, None)
        vars(sys).update(self._hooks)
        with warnings.catch_warnings():
            pass  # says on its way out that the filters have changed
        warnings.filters[:] = self._filters
        sys.modules["__main__"] = self._main
