"""The layers of a small MLP, batches as rows, with the mistakes that are known of each."""

from __future__ import annotations

import numpy as np

from . import oracles
from .layers import Layer

LINEAR = Layer(
    name="Linear",
    forward=oracles.linear,
    parameters={
        "W": lambda inputs, outputs: (outputs, inputs),
        "b": lambda inputs, outputs: (outputs,),
    },
    mistakes={
        "out": (
            ("the bias b left out", lambda s: s["x"] @ s["W"].T),
            ("the bias b subtracted", lambda s: s["x"] @ s["W"].T - s["b"]),
            ("the transpose of the output", lambda s: oracles.linear(**s.values).T),
            ("a flattened output", lambda s: oracles.linear(**s.values).ravel()),
        ),
        "x": (
            ("the sign being wrong", lambda s: -s.dL_dout @ s["W"]),
            ("the transpose of dL_dx", lambda s: (s.dL_dout @ s["W"]).T),
            ("a division by the size of the batch", lambda s: s.dL_dout @ s["W"] / len(s["x"])),
        ),
        "W": (
            ("the transpose of dL_dW (the shape of W.T)", lambda s: s["x"].T @ s.dL_dout),
            (
                "the mean over the batch instead of the sum",
                lambda s: s.dL_dout.T @ s["x"] / len(s["x"]),
            ),
            ("the sign being wrong", lambda s: -s.dL_dout.T @ s["x"]),
            (
                "the gradient of every sample, without the sum over the batch",
                lambda s: s.dL_dout[:, :, None] * s["x"][:, None, :],
            ),
            ("the gradient of the last sample only", lambda s: np.outer(s.dL_dout[-1], s["x"][-1])),
        ),
        "b": (
            ("dL_dout without the sum over the batch", lambda s: s.dL_dout),
            ("the mean over the batch instead of the sum", lambda s: s.dL_dout.mean(axis=0)),
            ("the sum with keepdims", lambda s: s.dL_dout.sum(axis=0, keepdims=True)),
            ("the sum over the outputs instead of the batch", lambda s: s.dL_dout.sum(axis=1)),
            ("the sum over everything", lambda s: s.dL_dout.sum()),
            ("the sign being wrong", lambda s: -s.dL_dout.sum(axis=0)),
            ("zeros", lambda s: np.zeros_like(s["b"])),
        ),
    },
)

TANH = Layer(
    name="Tanh",
    forward=oracles.tanh,
    mistakes={
        "out": (
            ("the logistic sigmoid in place of tanh", lambda s: 1 / (1 + np.exp(-s["x"]))),
            ("the identity in place of tanh", lambda s: s["x"]),
            ("the derivative of tanh", lambda s: 1 - np.tanh(s["x"]) ** 2),
            ("the tangent in place of tanh", lambda s: np.tan(s["x"])),
        ),
        "x": (
            (
                "1 - x**2 where x is the input of tanh rather than its output",
                lambda s: s.dL_dout * (1 - s["x"] ** 2),
            ),
            (
                "tanh being applied twice: 1 - tanh(z)**2 where z is the output already",
                lambda s: s.dL_dout * (1 - np.tanh(np.tanh(s["x"])) ** 2),
            ),
            ("1 - z in place of the derivative", lambda s: s.dL_dout * (1 - np.tanh(s["x"]))),
            (
                "1 + z**2 in place of the derivative",
                lambda s: s.dL_dout * (1 + np.tanh(s["x"]) ** 2),
            ),
            ("dL_dout passed on without the derivative of tanh", lambda s: s.dL_dout),
            (
                "the derivative of tanh without the factor dL_dout",
                lambda s: 1 - np.tanh(s["x"]) ** 2,
            ),
            ("dL_dout times tanh, not its derivative", lambda s: s.dL_dout * np.tanh(s["x"])),
        ),
    },
    from_out=lambda out, dL_dout: dL_dout * (1 - out**2),
)
