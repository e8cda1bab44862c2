"""Right solutions of ex1_02 that look unlike the reference: every one must keep all 10 points."""

from __future__ import annotations

from .variants import Variant

LINEAR_EINSUM = """
class Linear:
    def __init__(self, in_features, out_features):
        self.W = np.random.randn(out_features, in_features) / np.sqrt(in_features)
        self.b = np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return np.einsum("ni,oi->no", x, self.W) + self.b

    def backward(self, dL_dout):
        self.dL_dW = np.einsum("no,ni->oi", dL_dout, self.x)
        self.dL_db = np.einsum("no->o", dL_dout)
        return np.einsum("no,oi->ni", dL_dout, self.W)
"""

LINEAR_LOOPS = """
class Linear:
    def __init__(self, in_features, out_features):
        self.W = np.random.uniform(-0.5, 0.5, (out_features, in_features))
        self.b = np.zeros(out_features)

    def forward(self, x):
        self.x = x.copy()
        out = np.zeros((x.shape[0], self.W.shape[0]))
        for n, row in enumerate(x):
            for o, weights in enumerate(self.W):
                out[n, o] = sum(w * v for w, v in zip(weights, row)) + self.b[o]
        return out

    def backward(self, dL_dout):
        dL_dx = np.zeros(self.x.shape)
        self.dL_dW, self.dL_db = np.zeros(self.W.shape), np.zeros(self.b.shape)
        for n in range(len(dL_dout)):
            for o in range(len(self.W)):
                self.dL_db[o] += dL_dout[n, o]
                for i in range(self.W.shape[1]):
                    self.dL_dW[o, i] += dL_dout[n, o] * self.x[n, i]
                    dL_dx[n, i] += dL_dout[n, o] * self.W[o, i]
        return dL_dx
"""

LINEAR_SAMPLE_BY_SAMPLE = """
class Linear:
    def __init__(self, in_features, out_features):
        self.W = np.random.randn(out_features, in_features) * 0.3
        self.b = np.zeros((out_features,))

    def forward(self, x):
        self.cache = {"x": x}
        return np.array([np.dot(self.W, sample) + self.b for sample in x])

    def backward(self, dL_dout):
        x = self.cache["x"]
        self.dL_dW = sum(np.outer(g, sample) for g, sample in zip(dL_dout, x))
        self.dL_db = sum(dL_dout)
        return np.stack([self.W.T.dot(g) for g in dL_dout])
"""

LINEAR_FLOAT32 = """
class Linear:
    def __init__(self, in_features, out_features):
        bound = 1 / np.sqrt(in_features)
        W = np.random.uniform(-bound, bound, (out_features, in_features))
        self.W, self.b = W.astype(np.float32), np.zeros(out_features, dtype=np.float32)

    def forward(self, x):
        self.x = np.asarray(x, dtype=np.float32)
        return self.x @ self.W.T.astype(np.float32) + self.b.astype(np.float32)

    def backward(self, dL_dout):
        dL_dout = np.asarray(dL_dout, dtype=np.float32)
        self.dL_dW, self.dL_db = dL_dout.T @ self.x, dL_dout.sum(0)
        return dL_dout @ self.W.astype(np.float32)
"""

LINEAR_HOMOGENEOUS = '''
class Linear:
    """The bias as one more column of W, for an input that is always 1."""

    def __init__(self, in_features, out_features):
        self.W = np.asfortranarray(np.random.randn(out_features, in_features) * 0.5)
        self.b = np.zeros(out_features)

    def forward(self, x):
        self.rows = np.column_stack([x, np.ones(len(x))])
        return np.matmul(self.rows, np.column_stack([self.W, self.b]).T)

    def backward(self, dL_dout):
        gradient = np.tensordot(dL_dout, self.rows, axes=(0, 0))
        self.dL_dW, self.dL_db = gradient[:, :-1], gradient[:, -1]
        return np.dot(self.W.T, dL_dout.T).T
'''

LINEAR_PROPERTIES = '''
class Linear:
    """Parameters and gradients in two dicts, under the names that are asked for."""

    def __init__(self, in_features, out_features):
        self.params = {"b": np.zeros(out_features)}
        self.params["W"] = np.random.randn(out_features, in_features) * 0.5
        self.grads = {}

    W = property(lambda self: self.params["W"], lambda self, v: self.params.update(W=v))
    b = property(lambda self: self.params["b"], lambda self, v: self.params.update(b=v))
    dL_dW = property(lambda self: self.grads["W"], lambda self, v: self.grads.update(W=v))
    dL_db = property(lambda self: self.grads["b"], lambda self, v: self.grads.update(b=v))

    def forward(self, x):
        self.x = x
        return x.dot(self.W.T) + self.b

    def backward(self, dL_dout):
        self.grads = {"W": self.x.T.dot(dL_dout).T, "b": np.ones(len(self.x)) @ dL_dout}
        return dL_dout.dot(self.W)
'''

LINEAR_DATACLASS = """
from dataclasses import dataclass, field


@dataclass
class Linear:
    in_features: int
    out_features: int
    W: np.ndarray = field(init=False, repr=False)
    b: np.ndarray = field(init=False, repr=False)

    def __post_init__(self):
        self.W = np.random.normal(0, 0.5, size=(self.out_features, self.in_features))
        self.b = np.zeros(self.out_features)

    def forward(self, x):
        self.x = x
        return x @ self.W.T + self.b

    def backward(self, dL_dout):
        self.dL_dW, self.dL_db = (self.x.T @ dL_dout).T, np.add.reduce(dL_dout, axis=0)
        return dL_dout @ self.W
"""

LINEAR_OF_A_BASE_CLASS = """
class Layer:
    def __call__(self, *arguments):
        return self.forward(*arguments)

    def remember(self, **arrays):
        self.memory = arrays


class Linear(Layer):
    def __init__(self, in_features, out_features):
        self.W = np.random.randn(out_features, in_features) * 0.5
        self.b = np.zeros(out_features)
        self.dL_dW, self.dL_db = np.zeros_like(self.W), np.zeros_like(self.b)

    def forward(self, x):
        self.remember(x=x)
        return x @ self.W.T + self.b

    def backward(self, dL_dout):
        self.dL_dW[...] = dL_dout.T @ self.memory["x"]
        self.dL_db[...] = dL_dout.sum(axis=0)
        return dL_dout @ self.W
"""

TANH_OF_A_BASE_CLASS = """
class Tanh(Layer):
    def forward(self, x):
        z = np.tanh(x)
        self.remember(z=z)
        return z

    def backward(self, dL_dout):
        return (1 + self.memory["z"]) * (1 - self.memory["z"]) * dL_dout
"""

TANH_ARCTANH = """
class Tanh:
    def forward(self, x):
        self.z = np.tanh(x)
        return self.z

    def backward(self, dL_dout):
        a = np.arctanh(self.z)
        return dL_dout / np.cosh(a) ** 2
"""

TANH_FROM_THE_INPUT = """
def derivative(a):
    return 4 / (np.exp(a) + np.exp(-a)) ** 2


class Tanh:
    def forward(self, x):
        self.a = x
        return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))

    def backward(self, dL_dout):
        return np.multiply(derivative(self.a), dL_dout)
"""

TANH_LAMBDA = """
class Tanh:
    def forward(self, x):
        z = np.tanh(x)
        self.backward = lambda dL_dout: dL_dout - dL_dout * z * z
        return z

    def backward(self, dL_dout):
        raise RuntimeError("forward comes first")
"""

TANH_IN_PLACE_ON_COPIES = """
class Tanh:
    def forward(self, x):
        out = x.copy()
        np.tanh(out, out=out)
        self.slope = out**2
        self.slope *= -1
        self.slope += 1
        return out

    def backward(self, dL_dout):
        gradient = dL_dout.copy()
        gradient *= self.slope
        return gradient
"""

MSE_LOOPS = """
class MSELoss:
    def forward(self, y, t):
        self.y, self.t = y, t
        total = 0.0
        for row, wanted in zip(y, t):
            for value, target in zip(row, wanted):
                total += (value - target) ** 2
        return float(total) / y.size

    def backward(self):
        N, D = self.y.shape
        return np.array(
            [[2 * (self.y[n, d] - self.t[n, d]) / (N * D) for d in range(D)] for n in range(N)]
        )
"""

MSE_MEAN_OF_MEANS = """
class MSELoss:
    def forward(self, y, t):
        self.error = np.subtract(t, y)
        per_sample = np.mean(np.square(self.error), axis=1)
        return per_sample.mean()

    def backward(self):
        N, D = self.error.shape
        return -2.0 / N * self.error / D
"""

MSE_VDOT = """
class MSELoss:
    def forward(self, y, t):
        e = (y - t).ravel()
        self.gradient = (2 / e.size * e).reshape(y.shape)
        return np.array(np.vdot(e, e) / e.size)

    def backward(self):
        return self.gradient
"""

MSE_LISTS = """
class MSELoss:
    def forward(self, y, t):
        self.e = np.array(y) - np.array(t)
        return (self.e**2).mean().item()

    def backward(self):
        return np.asarray((self.e + self.e) / np.prod(self.e.shape))
"""

MLP_WITH_A_LIST = """
class MLP:
    def __init__(self, in_features, hidden_features, out_features):
        self.layers = [
            Linear(in_features, hidden_features),
            Tanh(),
            Linear(hidden_features, out_features),
        ]
        self.linear1, self.tanh, self.linear2 = self.layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dL_dy):
        for layer in reversed(self.layers):
            dL_dy = layer.backward(dL_dy)
        return dL_dy
"""

MLP_BY_FORMULA = '''
class MLP:
    """Forward and backward written out; the layers only hold parameters and gradients."""

    def __init__(self, in_features, hidden_features, out_features):
        self.linear1 = Linear(in_features, hidden_features)
        self.tanh = Tanh()
        self.linear2 = Linear(hidden_features, out_features)

    def forward(self, x):
        one, two = self.linear1, self.linear2
        self.x, self.z = x, np.tanh(x @ one.W.T + one.b)
        return self.z @ two.W.T + two.b

    def backward(self, dL_dy):
        one, two = self.linear1, self.linear2
        two.dL_dW, two.dL_db = dL_dy.T @ self.z, dL_dy.sum(axis=0)
        dL_da = dL_dy @ two.W * (1 - self.z**2)
        one.dL_dW, one.dL_db = dL_da.T @ self.x, dL_da.sum(axis=0)
        return dL_da @ one.W
'''

MLP_CALLABLE = """
class MLP:
    def __init__(self, in_features, hidden_features, out_features):
        self.linear1 = Linear(in_features, hidden_features)
        self.linear2 = Linear(hidden_features, out_features)
        self.tanh = Tanh()

    def __call__(self, x):
        return self.linear2.forward(self.tanh.forward(self.linear1.forward(x)))

    def forward(self, x):
        return self(x)

    def backward(self, dL_dy):
        return self.linear1.backward(self.tanh.backward(self.linear2.backward(dL_dy)))
"""

SGD_IN_PLACE = """
def sgd_step(model, lr):
    model.linear1.W -= lr * model.linear1.dL_dW
    model.linear1.b -= lr * model.linear1.dL_db
    model.linear2.W -= lr * model.linear2.dL_dW
    model.linear2.b -= lr * model.linear2.dL_db
"""

SGD_BY_NAME = """
def sgd_step(model, lr):
    for layer in [model.linear1, model.linear2]:
        for name in ["W", "b"]:
            moved = getattr(layer, name) + -lr * getattr(layer, "dL_d" + name)
            setattr(layer, name, moved)
    return model
"""

TRAIN_WHILE = """
def train(model, loss_fn, x, t, lr, epochs, batch_size, rng):
    losses = []
    while len(losses) < epochs:
        left = list(range(len(x)))
        rng.shuffle(left)
        of_batches = []
        while left:
            rows, left = left[:batch_size], left[batch_size:]
            of_batches.append(loss_fn.forward(model.forward(x[rows]), t[rows]))
            dL_dy = loss_fn.backward()
            model.backward(dL_dy)
            sgd_step(model, lr)
        losses.append(np.mean(of_batches))
    return losses
"""

TRAIN_ARRAY = '''
def train(model, loss_fn, x, t, lr, epochs, batch_size, rng):
    """Returns an array; shuffles copies of the data, and sums up squared errors itself."""
    history = np.zeros(epochs)
    both = np.hstack([x, t])
    for epoch in range(epochs):
        rng.shuffle(both)
        cuts = range(batch_size, len(both), batch_size)
        for batch in np.split(both, cuts):
            xb, tb = batch[:, : x.shape[1]], batch[:, x.shape[1] :]
            y = model.forward(xb)
            loss_fn.forward(y, tb)
            model.backward(loss_fn.backward())
            sgd_step(model, lr)
            history[epoch] += np.sum((y - tb) ** 2) / t.size
    return history
'''

TRAIN_EVALUATES = '''
def batches(x, t, batch_size, rng):
    order = rng.choice(len(x), size=len(x), replace=False)
    for start in range(0, len(x), batch_size):
        yield x[order[start : start + batch_size]], t[order[start : start + batch_size]]


def train(model, loss_fn, x, t, lr, epochs, batch_size, rng):
    """The loss of an epoch is that of the whole set at its end."""
    history = ()
    for _ in range(epochs):
        for xb, tb in batches(x, t, batch_size, rng):
            loss_fn.forward(model.forward(xb), tb)
            model.backward(loss_fn.backward())
            sgd_step(model, lr)
        history += (loss_fn.forward(model.forward(x), t),)
    return history
'''

TRAIN_SORTED_BY_RANDOM_KEYS = """
def train(model, loss_fn, x, t, lr, epochs, batch_size, rng):
    history = []
    for epoch in range(1, epochs + 1):
        order = np.argsort(rng.random(x.shape[0]))
        x_epoch, t_epoch = x[order], t[order]
        losses, sizes, first = [], [], 0
        while first < x.shape[0]:
            some = slice(first, min(first + batch_size, x.shape[0]))
            losses.append(float(loss_fn.forward(model.forward(x_epoch[some]), t_epoch[some])))
            sizes.append(some.stop - some.start)
            model.backward(loss_fn.backward())
            sgd_step(model, lr)
            first += batch_size
        history.append(np.average(losses, weights=sizes))
    return history
"""

RIGHT = [
    Variant("linear_with_einsum", {"linear": LINEAR_EINSUM}),
    Variant("linear_with_loops", {"linear": LINEAR_LOOPS}),
    Variant("linear_sample_by_sample", {"linear": LINEAR_SAMPLE_BY_SAMPLE}),
    Variant("linear_in_float32", {"linear": LINEAR_FLOAT32}),
    Variant("linear_with_the_bias_in_W", {"linear": LINEAR_HOMOGENEOUS}),
    Variant("linear_with_properties", {"linear": LINEAR_PROPERTIES}),
    Variant("linear_as_a_dataclass", {"linear": LINEAR_DATACLASS}),
    Variant(
        "layers_of_a_base_class",  # gradients are written into arrays that stay
        {"linear": LINEAR_OF_A_BASE_CLASS, "tanh": TANH_OF_A_BASE_CLASS},
    ),
    Variant("tanh_through_arctanh", {"tanh": TANH_ARCTANH}),
    Variant("tanh_from_the_input", {"tanh": TANH_FROM_THE_INPUT}),
    Variant("tanh_with_a_lambda", {"tanh": TANH_LAMBDA}),
    Variant("tanh_in_place_on_copies", {"tanh": TANH_IN_PLACE_ON_COPIES}),
    Variant("mse_with_loops", {"mse_loss": MSE_LOOPS}),
    Variant("mse_as_a_mean_of_means", {"mse_loss": MSE_MEAN_OF_MEANS}),
    Variant("mse_with_vdot_and_ready_gradient", {"mse_loss": MSE_VDOT}),
    Variant("mse_as_a_python_float", {"mse_loss": MSE_LISTS}),
    Variant("mlp_with_a_list_of_layers", {"mlp": MLP_WITH_A_LIST}),
    Variant("mlp_by_formula", {"mlp": MLP_BY_FORMULA}),
    Variant("mlp_that_can_be_called", {"mlp": MLP_CALLABLE}),
    Variant("sgd_step_in_place", {"sgd_step": SGD_IN_PLACE}),
    Variant("sgd_step_by_name", {"sgd_step": SGD_BY_NAME}),
    Variant("train_with_while_and_the_mean_of_batches", {"train": TRAIN_WHILE}),
    Variant("train_that_returns_an_array", {"train": TRAIN_ARRAY}),
    Variant("train_that_evaluates_after_each_epoch", {"train": TRAIN_EVALUATES}),
    Variant("train_that_sorts_by_random_keys", {"train": TRAIN_SORTED_BY_RANDOM_KEYS}),
    Variant(
        "all_in_float32_and_in_place",
        {"linear": LINEAR_FLOAT32, "tanh": TANH_ARCTANH, "sgd_step": SGD_IN_PLACE},
    ),
    Variant(
        "everything_another_way",
        {
            "linear": LINEAR_HOMOGENEOUS,
            "tanh": TANH_FROM_THE_INPUT,
            "mse_loss": MSE_MEAN_OF_MEANS,
            "mlp": MLP_WITH_A_LIST,
            "sgd_step": SGD_BY_NAME,
            "train": TRAIN_ARRAY,
        },
    ),
]
