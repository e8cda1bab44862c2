"""Students who work ex1_01 by hand, number by number, in decimal arithmetic.

Written apart from the chain that the notebook declares, so that the two can be held against each
other: every inner product is worked out here, and may be rounded on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import product

W1 = [["0.1", "0.3", "-0.5"], ["-0.2", "0.4", "0.6"]]
B1 = ["0.1", "0.2"]
W2 = ["0.7", "-0.8"]
B2 = "0.3"
X = ["0.3", "0.4", "-0.1"]
T = "0.5"
ETA = Decimal("0.5")

# In the order in which they are asked for.
POINTS = {
    "a": 0.5,
    "z": 0.5,
    "y": 0.5,
    "loss": 0.5,
    "dL_dy": 0.5,
    "dL_dW2": 0.5,
    "dL_db2": 0.25,
    "dL_dW1": 1.0,
    "dL_db1": 0.25,
    "W2_updated": 0.5,
    "b2_updated": 0.25,
    "W1_updated": 0.5,
    "b1_updated": 0.25,
}


@dataclass(frozen=True)
class Style:
    """How somebody rounds: to ``decimals`` (None: not at all), ``inside`` the formulas too.

    ``carry_rounded``: goes on with the rounded answers rather than with the digits behind them.
    """

    decimals: int | None
    half_even: bool = False
    carry_rounded: bool = False
    inside: bool = False

    def __str__(self) -> str:
        if self.decimals is None:
            return "exact"
        tie = "half_even" if self.half_even else "half_up"
        when = "inside" if self.inside else "each_step" if self.carry_rounded else "at_the_end"
        return f"{self.decimals}_decimals_{tie}_{when}"

    def round(self, number: Decimal) -> Decimal:
        """``number`` as this student would write it down."""
        if self.decimals is None:
            return number
        tie = ROUND_HALF_EVEN if self.half_even else ROUND_HALF_UP
        return number.quantize(Decimal(1).scaleb(-self.decimals), rounding=tie)

    def inner(self, number: Decimal) -> Decimal:
        """A quantity inside a formula that nobody asked for."""
        return self.round(number) if self.inside else number


STYLES = [Style(None)] + [
    Style(decimals, half_even, carry_rounded, inside)
    for decimals, half_even, (carry_rounded, inside) in product(
        (2, 3, 4), (False, True), ((False, False), (True, False), (True, True))
    )
]


def tanh(number: Decimal) -> Decimal:
    """tanh from the exponential of decimal arithmetic."""
    up, down = number.exp(), (-number).exp()
    return (up - down) / (up + down)


def work(style: Style) -> dict[str, object]:
    """The thirteen answers of a student who makes no mistake and rounds in this ``style``."""
    typed: dict[str, object] = {}
    keep, inner = style.inner, Decimal

    def answer(name: str, numbers: list[Decimal]) -> list[Decimal]:
        typed[name] = [style.round(n) for n in numbers]
        return typed[name] if style.carry_rounded else numbers

    def dot(left: list, right: list) -> Decimal:
        return sum(keep(inner(p) * inner(q)) for p, q in zip(left, right, strict=True))

    t = Decimal(T)
    a = answer("a", [dot(row, X) + inner(b) for row, b in zip(W1, B1, strict=True)])
    z = answer("z", [tanh(n) for n in a])
    y = answer("y", [dot(W2, z) + inner(B2)])
    answer("loss", [keep((y[0] - t) ** 2)])
    dy = answer("dL_dy", [2 * (y[0] - t)])
    dw2 = answer("dL_dW2", [dy[0] * n for n in z])
    db2 = answer("dL_db2", dy)
    slope = [keep(1 - keep(n * n)) for n in z]
    da = [keep(keep(dy[0] * inner(w)) * s) for w, s in zip(W2, slope, strict=True)]
    dw1 = answer("dL_dW1", [d * inner(n) for d in da for n in X])
    db1 = answer("dL_db1", da)

    def updated(name: str, old: list, gradient: list[Decimal]) -> None:
        answer(name, [inner(o) - keep(ETA * g) for o, g in zip(old, gradient, strict=True)])

    updated("W2_updated", W2, dw2)
    updated("b2_updated", [B2], db2)
    updated("W1_updated", [n for row in W1 for n in row], dw1)
    updated("b1_updated", B1, db1)
    return {name: shaped(name, numbers) for name, numbers in typed.items()}


def shaped(name: str, numbers: list[Decimal]) -> object:
    """``numbers`` as the nested list of floats that the notebook asks for."""
    floats = [float(n) for n in numbers]
    if name == "loss":
        return floats[0]
    if "W2" in name:
        return [floats]
    if "W1" in name:
        return [floats[:3], floats[3:]]
    return floats
