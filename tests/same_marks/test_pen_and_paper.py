"""ex1_01: every known mistake and every honest style loses the same with isolation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from fairmark.derivation.rounding import Rounding, evaluate, evaluate_rounded
from tests.ex1.pen_and_paper import STYLES, Style, work
from tests.ex1.test_ex1_01 import CHAIN, MISTAKES, NOTEBOOK, ROUNDINGS, follow

from .isolated import lost_in_isolation

CONTAINERS = {  # how an answer may be typed, with its nested list in place of {}
    "list": "{}",
    "tuple": "tuple({})",
    "array": "import numpy as np; {name} = np.array({})",
    "float32": "import numpy as np; {name} = np.array({}, dtype=np.float32)",
    "tensor": "import torch; {name} = torch.tensor({})",
    "numpy_scalars": "import numpy as np; {name} = list(np.array({}))",
    "tensors": "import torch; {name} = [torch.tensor(n) for n in {}]",
    "column": "import numpy as np; {name} = np.array({}).reshape(-1, 1).tolist()",
}
MATRICES = ("dL_dW2", "dL_dW1", "W2_updated", "W1_updated")


def lost(answers: Mapping[str, Any], container: str = "list") -> set[str]:
    """The steps that are lost by somebody who types ``answers`` in that way."""
    cells = {}
    for name, value in answers.items():
        flat = np.ndim(value) == 0 or (container == "column" and name in MATRICES)
        pattern = "{}" if flat else CONTAINERS[container]
        text = pattern.replace("{}", repr(np.asarray(value).tolist())).replace("{name}", name)
        cells[name] = text if f"{name} =" in text else f"{name} = {text}"
    tests = lost_in_isolation(NOTEBOOK, "ex1_01_pen_and_paper", cells)
    return {test.removeprefix("test_") for test in tests}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("style", STYLES, ids=str)
def test_honest_work(style: Style, container: str) -> None:
    """However somebody rounds and types, nothing is lost."""
    assert lost(work(style), container) == set()


@pytest.mark.parametrize("carry", [False, True], ids=["with_all_digits", "with_what_was_typed"])
@pytest.mark.parametrize("way", [None, *ROUNDINGS], ids=str)
@pytest.mark.parametrize("name, text", MISTAKES)
def test_known_mistake(name: str, text: str, way: Rounding | None, carry: bool) -> None:
    """A mistake costs its own step, in whatever precision somebody goes on."""
    before = dict(CHAIN.givens) | follow({}, way, carry)
    wrong = evaluate(CHAIN.steps[name].mistakes[text], before if carry else CHAIN.exact)
    assert lost(follow({name: wrong}, way, carry)) == {name}


@pytest.mark.parametrize("way", ROUNDINGS, ids=str)
@pytest.mark.parametrize("name, text", MISTAKES)
def test_known_mistake_rounded_inside(name: str, text: str, way: Rounding) -> None:
    """The same where every operation of the mistaken formula was rounded."""
    own = dict(CHAIN.givens) | follow({}, way, carry=True)
    wrong = way(evaluate_rounded(CHAIN.steps[name].mistakes[text], own, way)[0])
    assert lost(follow({name: wrong}, way, carry=True)) == {name}
