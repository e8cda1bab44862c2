"""Checks of layers, the loss and the network, on small layers of their own."""

from __future__ import annotations

import numpy as np
import pytest

from fairmark.checks import CheckFailed
from fairmark.checks.layers import Layer, check_forward, check_gradient
from fairmark.checks.losses import check_mse_backward, check_mse_forward
from fairmark.checks.mlp import check_mlp_backward, check_mlp_forward
from fairmark.checks.mlp_layers import LINEAR, TANH


class Scale:
    """out = gain * x, with a parameter of its own kind."""

    def __init__(self, inputs, outputs):
        self.gain = np.ones(outputs)
        self.table = np.ones((outputs, inputs))

    def forward(self, x):
        self.x = x
        return x @ self.table.T * self.gain

    def backward(self, dL_dout):
        before = self.x @ self.table.T
        self.dL_dgain = np.sum(dL_dout * before, axis=0)
        self.dL_dtable = (dL_dout * self.gain).T @ self.x
        return dL_dout * self.gain @ self.table


SCALE = Layer(
    name="Scale",
    forward=lambda x, gain, table: np.einsum("o,oi,ni->no", gain, table, x),
    parameters={
        "gain": lambda inputs, outputs: (outputs,),
        "table": lambda inputs, outputs: (outputs, inputs),
    },
)


class Linear:
    def __init__(self, inputs, outputs):
        self.W, self.b = np.ones((outputs, inputs)), np.zeros(outputs)

    def forward(self, x):
        self.x = x
        return x @ self.W.T + self.b

    def backward(self, dL_dout):
        self.dL_dW, self.dL_db = dL_dout.T @ self.x, dL_dout.sum(axis=0)
        return dL_dout @ self.W


class Tanh:
    def forward(self, x):
        self.z = np.tanh(x)
        return self.z

    def backward(self, dL_dout):
        return dL_dout * (1 - self.z**2)


class MLP:
    linear, activation = Linear, Tanh

    def __init__(self, inputs, hidden, outputs):
        self.linear1, self.linear2 = self.linear(inputs, hidden), self.linear(hidden, outputs)
        self.tanh = self.activation()

    def forward(self, x):
        return self.linear2.forward(self.tanh.forward(self.linear1.forward(x)))

    def backward(self, dL_dy):
        return self.linear1.backward(self.tanh.backward(self.linear2.backward(dL_dy)))


class TestLayer:
    @pytest.mark.parametrize("of", ["x", "gain", "table"])
    def test_any_layer_can_be_described(self, of):
        """Names and shapes of the parameters come from the description alone."""
        check_forward(SCALE, Scale)
        check_gradient(SCALE, Scale, of)

    def test_wrong_initial_shape_fails_forward(self):
        """The parameters that a new layer has are checked before others are put in place."""

        class Transposed(Linear):
            def __init__(self, inputs, outputs):
                super().__init__(outputs, inputs)

        with pytest.raises(CheckFailed, match=r"Linear\(4, 3\).W has shape \(4, 3\)"):
            check_forward(LINEAR, Transposed)

    def test_stored_gradient_counts_though_backward_fails_later(self):
        """An error in the part that gives dL_dx costs dL_dx only."""

        class Fails(Linear):
            def backward(self, dL_dout):
                super().backward(dL_dout)
                return dL_dout @ self.W.T

        check_gradient(LINEAR, Fails, of="W")
        check_gradient(LINEAR, Fails, of="b")
        with pytest.raises(CheckFailed, match="raised ValueError"):
            check_gradient(LINEAR, Fails, of="x")

    def test_gradient_of_an_earlier_call_does_not_count(self):
        """Where backward fails, a gradient that was stored before is not taken for its result."""

        class FailsLater(Linear):
            calls = 0

            def backward(self, dL_dout):
                self.calls += 1
                if self.calls > 1:
                    raise RuntimeError("only once")
                return super().backward(dL_dout)

        with pytest.raises(CheckFailed, match="only once"):
            check_gradient(LINEAR, FailsLater, of="W")

    def test_forward_that_fails_does_not_cost_backward(self):
        """What backward needs was stored before the error."""

        class Fails(Linear):
            def forward(self, x):
                self.x = x
                raise ValueError("forward is not ready")

        check_gradient(LINEAR, Fails, of="W")

    def test_derivative_follows_a_wrong_output(self):
        """1 - z**2 is right for the z that the student's own forward gave."""

        class Sigmoid(Tanh):
            def forward(self, x):
                self.z = 1 / (1 + np.exp(-x))
                return self.z

        check_gradient(TANH, Sigmoid, of="x")
        with pytest.raises(CheckFailed, match="sigmoid"):
            check_forward(TANH, Sigmoid)

    def test_trivial_output_is_not_followed(self):
        """An output of zeros does not make the identity a right derivative."""

        class Zeros(Tanh):
            def forward(self, x):
                self.z = np.zeros_like(x)
                return self.z

        with pytest.raises(CheckFailed):
            check_gradient(TANH, Zeros, of="x")


class TestLoss:
    def test_number_of_shape_one_fails(self):
        """The loss is a single number, not an array that holds one."""

        class Loss:
            def forward(self, y, t):
                return np.array([np.mean((y - t) ** 2)])

        with pytest.raises(CheckFailed, match=r"has shape \(1,\); shape \(\) is wanted"):
            check_mse_forward(Loss)

    def test_backward_does_not_need_a_right_forward(self):
        """A wrong value of the loss costs forward only."""

        class Loss:
            def forward(self, y, t):
                self.e = y - t
                raise ValueError("not ready")

            def backward(self):
                return 2 * self.e / self.e.size

        check_mse_backward(Loss)


class TestMLP:
    def test_right_network_passes(self):
        """The formula of the network is met."""
        check_mlp_forward(MLP)
        check_mlp_backward(MLP)

    def test_mistake_in_a_layer_is_carried_forward(self):
        """The network passes with what its own layers give in the right order."""

        class Biased(Linear):
            def forward(self, x):
                return super().forward(x) - 2 * self.b

            def backward(self, dL_dout):
                dL_dx = super().backward(dL_dout)
                self.dL_dW = self.dL_dW.T / 7
                return -dL_dx

        class Follows(MLP):
            linear = Biased

        check_mlp_forward(Follows)
        check_mlp_backward(Follows)

    def test_mistake_of_the_network_fails_with_wrong_layers_too(self):
        """Own layers in another order, or one left out, agree with nothing."""

        class Biased(Linear):
            def forward(self, x):
                return super().forward(x) + 1

        class NoTanh(MLP):
            linear = Biased

            def forward(self, x):
                return self.linear2.forward(self.linear1.forward(x))

        with pytest.raises(CheckFailed, match=r"MLP\.forward"):
            check_mlp_forward(NoTanh)

    @pytest.mark.parametrize("value", [0.0, 1.0, np.nan])
    def test_trivial_layers_are_not_followed(self, value):
        """Zeros, constants and nan from the own layers earn nothing."""

        class Constant(Linear):
            def forward(self, x):
                return np.full((len(x), len(self.b)), value)

            def backward(self, dL_dout):
                self.dL_dW, self.dL_db = np.full(self.W.shape, value), np.full(self.b.shape, value)
                return np.full((len(dL_dout), self.W.shape[1]), value)

        class Follows(MLP):
            linear = Constant

        with pytest.raises(CheckFailed):
            check_mlp_forward(Follows)
        with pytest.raises(CheckFailed):
            check_mlp_backward(Follows)

    def test_wrong_forward_does_not_cost_backward(self):
        """Backward is judged after a forward pass through the layers."""

        class NoTanh(MLP):
            def forward(self, x):
                return self.linear2.forward(self.linear1.forward(x))

        check_mlp_backward(NoTanh)

    def test_right_forward_must_prepare_backward(self):
        """A forward pass around the layers leaves backward nothing to work with."""

        class Around(MLP):
            def forward(self, x):
                z = np.tanh(x @ self.linear1.W.T + self.linear1.b)
                return z @ self.linear2.W.T + self.linear2.b

        check_mlp_forward(Around)
        with pytest.raises(CheckFailed, match=r"MLP\.backward"):
            check_mlp_backward(Around)
