"""Wrong solutions of ex1_02, each with the tests that it must lose: these and no others.

A mistake costs the points of the part that it is in. Where it takes more, nothing is left to judge
there, and the entry says so by one of these sets:

- ``NO_TRAINING``: the gradients or the parameters are no use for training: the toy set is not
  fitted, the shapes allow no step, or a step depends on more than its batch.
- ``NO_BACKWARD``: a gradient is not there at all, or raises, so the network has no backward pass.
- ``NO_NETWORK``: a layer takes no input of other sizes, or raises, so the network cannot run.

A mistake that still trains (a missing factor 2, a mean for a sum) keeps the points of training.
"""

from __future__ import annotations

from .variants import Variant

FORWARD, BACKWARD = "return x @ self.W.T + self.b", "return dL_dout @ self.W"
DW, DB = "self.dL_dW = dL_dout.T @ self.x", "self.dL_db = dL_dout.sum(axis=0)"
TANH_OUT, TANH_BACK = "self.out = np.tanh(x)", "return dL_dout * (1 - self.out**2)"
SQUARE, MEAN = "self.difference = y - t", "return np.mean(self.difference**2)"
MSE_BACK = "return 2 * self.difference / self.difference.size"
W_STEP, B_STEP = "layer.W = layer.W - lr * layer.dL_dW", "layer.b = layer.b - lr * layer.dL_db"
ORDER = "order = rng.permutation(len(x))"
BATCHES = "range(0, len(x), batch_size)"
TOTAL = "total += loss_fn.forward(model.forward(x[rows]), t[rows]) * len(rows)"
BACK, STEP = "model.backward(loss_fn.backward())", "sgd_step(model, lr)"
APPEND = "history.append(total / len(x))"

NO_TRAINING = frozenset({"test_train"})
NO_BACKWARD = NO_TRAINING | {"test_mlp_backward"}
NO_NETWORK = NO_BACKWARD | {"test_mlp_forward"}

LINEAR_FORWARD = [
    Variant(
        "linear_forgets_the_bias",
        {"linear": [(FORWARD, "return x @ self.W.T")]},
        {"test_linear_forward"},
    ),
    Variant(
        "linear_subtracts_the_bias",
        {"linear": [(FORWARD, "return x @ self.W.T - self.b")]},
        {"test_linear_forward", *NO_TRAINING},
    ),
    Variant(
        "linear_does_not_transpose_W",
        {"linear": [(FORWARD, "return x @ self.W + self.b")]},
        {"test_linear_forward", *NO_NETWORK},
    ),
    Variant(
        "linear_squeezes_a_single_output",  # (N,) in place of (N, 1)
        {"linear": [(FORWARD, "return (x @ self.W.T + self.b).squeeze()")]},
        {"test_linear_forward", *NO_TRAINING},
    ),
    Variant(
        "linear_truncates_to_integers",
        {"linear": [(FORWARD, "return (x @ self.W.T + self.b).astype(int)")]},
        {"test_linear_forward"},
    ),
    Variant(
        "linear_knows_only_the_sizes_of_the_visible_check",
        {
            "linear": [
                (
                    FORWARD,
                    "out = np.zeros((4, 2))\n"
                    "        out[:] = x @ self.W.T + self.b\n"
                    "        return out",
                )
            ]
        },
        {"test_linear_forward", *NO_NETWORK},
    ),
    Variant(
        "linear_centres_its_input_in_place",
        {
            "linear": [
                (FORWARD, f"x -= x.mean(axis=0)\n        {FORWARD}"),
                ("= x\n", "= x.copy()\n"),
            ]
        },
        # In the network it spoils the output that tanh has stored for its backward pass.
        {"test_linear_forward", "test_mlp_backward"},
    ),
    Variant(
        "linear_starts_with_W_transposed",
        {
            "linear": [
                ("(out_features, in_features))", "(in_features, out_features))"),
                (FORWARD, "return x @ self.W + self.b"),
                (BACKWARD, "return dL_dout @ self.W.T"),
                (DW, "self.dL_dW = self.x.T @ dL_dout"),
            ]
        },
        # The tests put a W of shape (out, in) in place; dL_db alone does not depend on it.
        {
            "test_linear_forward",
            "test_linear_backward_dL_dx",
            "test_linear_backward_dL_dW",
            *NO_NETWORK,
        },
    ),
]

LINEAR_BACKWARD = [
    Variant(
        "dL_dW_transposed",
        {"linear": [(DW, "self.dL_dW = self.x.T @ dL_dout")]},
        {"test_linear_backward_dL_dW", *NO_TRAINING},
    ),
    Variant(
        "dL_dW_mean_over_the_batch",
        {"linear": [(DW, f"{DW} / len(self.x)")]},
        {"test_linear_backward_dL_dW"},
    ),
    Variant(
        "dL_dW_with_the_wrong_sign",
        {"linear": [(DW, "self.dL_dW = -dL_dout.T @ self.x")]},
        {"test_linear_backward_dL_dW", *NO_TRAINING},
    ),
    Variant(
        "dL_dW_overwritten_by_each_sample",
        {
            "linear": [
                (
                    DW,
                    "for g, x in zip(dL_dout, self.x):\n            self.dL_dW = np.outer(g, x)",
                )
            ]
        },
        {"test_linear_backward_dL_dW", *NO_TRAINING},
    ),
    Variant(
        "dL_dW_without_the_sum_over_the_batch",
        {"linear": [(DW, "self.dL_dW = dL_dout[:, :, None] * self.x[:, None, :]")]},
        {"test_linear_backward_dL_dW", *NO_TRAINING},
    ),
    Variant(
        "dL_dW_accumulated_over_calls",
        {"linear": [(DW, 'self.dL_dW = getattr(self, "dL_dW", 0) + dL_dout.T @ self.x')]},
        {"test_linear_backward_dL_dW", *NO_TRAINING},
    ),
    Variant(
        "dL_dW_of_the_first_batch_only",
        {"linear": [("self.x = x", 'self.x = getattr(self, "x", x)')]},
        {"test_linear_backward_dL_dW", *NO_TRAINING},
    ),
    Variant(
        "dL_dW_from_a_cache_that_all_layers_share",
        {"linear": [("self.x = x", "Linear.x = x")]},
        {"test_linear_backward_dL_dW", *NO_TRAINING},
    ),
    Variant(
        "dL_dW_stored_for_all_layers",
        {"linear": [("self.dL_dW = ", "Linear.dL_dW = ")]},
        {"test_linear_backward_dL_dW", *NO_TRAINING},
    ),
    Variant(
        "dL_dW_spoils_the_stored_input",
        {
            "linear": [
                ("self.x = x", "self.x = x.copy()"),
                (DW, "self.x *= 2\n        self.dL_dW = dL_dout.T @ self.x / 2"),
            ]
        },
        {"test_linear_backward_dL_dW"},
    ),
    Variant(
        "linear_backward_moves_W",  # both what it returns next time and W itself are wrong
        {
            "linear": [
                (
                    BACKWARD,
                    "dL_dx = dL_dout @ self.W\n"
                    "        self.W -= 0.01 * self.dL_dW\n"
                    "        return dL_dx",
                )
            ]
        },
        {"test_linear_backward_dL_dW", "test_linear_backward_dL_dx", *NO_TRAINING},
    ),
    Variant(
        "dL_db_without_the_sum_over_the_batch",
        {"linear": [(DB, "self.dL_db = dL_dout")]},
        {"test_linear_backward_dL_db", *NO_TRAINING},
    ),
    Variant(
        "dL_db_mean_over_the_batch",
        {"linear": [(DB, "self.dL_db = dL_dout.mean(axis=0)")]},
        {"test_linear_backward_dL_db"},
    ),
    Variant(
        "dL_db_with_keepdims",
        {"linear": [(DB, "self.dL_db = dL_dout.sum(axis=0, keepdims=True)")]},
        {"test_linear_backward_dL_db"},
    ),
    Variant(
        "dL_db_summed_over_the_outputs",
        {"linear": [(DB, "self.dL_db = dL_dout.sum(axis=1)")]},
        {"test_linear_backward_dL_db", *NO_TRAINING},
    ),
    Variant(
        "dL_db_summed_over_everything",
        {"linear": [(DB, "self.dL_db = dL_dout.sum()")]},
        {"test_linear_backward_dL_db"},
    ),
    Variant(
        "dL_db_under_another_name",
        {"linear": [(DB, "self.dL_dB = dL_dout.sum(axis=0)")]},
        {"test_linear_backward_dL_db", *NO_BACKWARD},  # nothing of that name to carry on
    ),
    Variant(
        "dL_dx_with_W_transposed",
        {"linear": [(BACKWARD, "return dL_dout @ self.W.T")]},
        {"test_linear_backward_dL_dx", *NO_BACKWARD},
    ),
    Variant(
        "dL_dx_not_returned",
        {"linear": [(BACKWARD, "self.dL_dx = dL_dout @ self.W")]},
        {"test_linear_backward_dL_dx", *NO_BACKWARD},
    ),
    Variant(
        "dL_dx_divided_by_the_batch",
        {"linear": [(BACKWARD, f"{BACKWARD} / len(dL_dout)")]},
        {"test_linear_backward_dL_dx"},
    ),
    Variant(
        "linear_backward_scales_the_upstream_gradient_in_place",
        {
            "linear": [
                (DW, "dL_dout *= 2\n        self.dL_dW = dL_dout.T @ self.x / 2"),
                (DB, "self.dL_db = dL_dout.sum(axis=0) / 2"),
                (BACKWARD, f"{BACKWARD} / 2"),
            ]
        },
        {"test_linear_backward_dL_dx"},
    ),
]

TANH = [
    Variant(
        "tanh_replaced_by_the_sigmoid",
        {"tanh": [(TANH_OUT, "self.out = 1 / (1 + np.exp(-x))")]},
        {"test_tanh_forward"},
    ),
    Variant(
        "tanh_overwrites_its_input",
        {"tanh": [(TANH_OUT, "self.out = np.tanh(x, out=x)")]},
        {"test_tanh_forward"},
    ),
    Variant(
        "tanh_backward_squares_the_input",  # 1 - a**2
        {"tanh": [(TANH_OUT, "self.a, self.out = x, np.tanh(x)"), ("1 - self.out", "1 - self.a")]},
        {"test_tanh_backward", *NO_TRAINING},
    ),
    Variant(
        "tanh_backward_applies_tanh_twice",  # 1 - tanh(z)**2
        {"tanh": [(TANH_BACK, "return dL_dout * (1 - np.tanh(self.out) ** 2)")]},
        {"test_tanh_backward"},
    ),
    Variant(
        "tanh_backward_forgets_the_square",  # 1 - z
        {"tanh": [(TANH_BACK, "return dL_dout * (1 - self.out)")]},
        {"test_tanh_backward", *NO_TRAINING},
    ),
    Variant(
        "tanh_backward_with_plus",  # 1 + z**2
        {"tanh": [(TANH_BACK, "return dL_dout * (1 + self.out**2)")]},
        {"test_tanh_backward", *NO_TRAINING},
    ),
    Variant(
        "tanh_backward_passes_the_gradient_on",
        {"tanh": [(TANH_BACK, "return dL_dout")]},
        {"test_tanh_backward", *NO_TRAINING},
    ),
    Variant(
        "tanh_backward_forgets_the_upstream_gradient",
        {"tanh": [(TANH_BACK, "return 1 - self.out**2")]},
        {"test_tanh_backward", *NO_TRAINING},
    ),
    Variant(
        "tanh_backward_overwrites_the_upstream_gradient",
        {"tanh": [(TANH_BACK, "dL_dout *= 1 - self.out**2\n        return dL_dout")]},
        {"test_tanh_backward"},
    ),
    Variant(
        "tanh_backward_spoils_the_stored_output",
        {"tanh": [(TANH_BACK, "self.out *= self.out\n        return dL_dout * (1 - self.out)")]},
        {"test_tanh_backward"},
    ),
    Variant(
        "tanh_stores_its_output_for_all_instances",
        {"tanh": [("self.out", "Tanh.out")]},
        {"test_tanh_backward"},
    ),
    Variant(
        "tanh_backward_truncates_to_integers",
        {"tanh": [(TANH_BACK, f"return np.array({TANH_BACK[7:]}, dtype=int)")]},
        {"test_tanh_backward", "test_mlp_backward"},  # zeros: nothing of it to carry on
    ),
]

MSE = [
    Variant(
        "mse_is_the_sum",
        {"mse_loss": [(MEAN, "return np.sum(self.difference**2)")]},
        {"test_mse_forward"},
    ),
    Variant(
        "mse_is_halved",
        {"mse_loss": [(MEAN, "return np.mean(self.difference**2) / 2")]},
        {"test_mse_forward"},
    ),
    Variant(
        "mse_divides_by_the_batch_only",
        {"mse_loss": [(MEAN, "return np.sum(self.difference**2) / len(y)")]},
        {"test_mse_forward"},
    ),
    Variant(
        "mse_for_each_sample",
        {"mse_loss": [(MEAN, "return np.mean(self.difference**2, axis=1)")]},
        {"test_mse_forward", *NO_TRAINING},
    ),
    Variant(
        "mse_is_the_root",
        {"mse_loss": [(MEAN, "return np.sqrt(np.mean(self.difference**2))")]},
        {"test_mse_forward"},
    ),
    Variant(
        "mse_truncates_to_an_integer",
        {"mse_loss": [(MEAN, "return int(np.mean(self.difference**2))")]},
        {"test_mse_forward", *NO_TRAINING},
    ),
    Variant(
        "mse_overwrites_the_prediction",
        {"mse_loss": [(SQUARE, "y -= t\n        self.difference = y.copy()")]},
        {"test_mse_forward"},
    ),
    Variant(
        "mse_broadcasts_a_flat_target",  # (N, 1) - (N,) is (N, N)
        {"mse_loss": [(SQUARE, "self.difference = y - t.squeeze()")]},
        {"test_mse_forward", "test_mse_backward", *NO_TRAINING},
    ),
    Variant(
        "mse_backward_forgets_the_2",
        {"mse_loss": [(MSE_BACK, "return self.difference / self.difference.size")]},
        {"test_mse_backward"},
    ),
    Variant(
        "mse_backward_with_the_wrong_sign",
        {"mse_loss": [(MSE_BACK, "return -2 * self.difference / self.difference.size")]},
        {"test_mse_backward", *NO_TRAINING},
    ),
    Variant(
        "mse_backward_of_the_sum",
        {"mse_loss": [(MSE_BACK, "return 2 * self.difference")]},
        {"test_mse_backward", *NO_TRAINING},
    ),
    Variant(
        "mse_backward_divides_by_the_batch_only",
        {"mse_loss": [(MSE_BACK, "return 2 * self.difference / len(self.difference)")]},
        {"test_mse_backward"},
    ),
    Variant(
        "mse_backward_summed_over_the_batch",
        {"mse_loss": [(MSE_BACK, "return 2 * self.difference.mean(axis=0)")]},
        {"test_mse_backward", *NO_TRAINING},
    ),
    Variant(
        "mse_backward_spoils_the_stored_difference",
        {
            "mse_loss": [
                (
                    MSE_BACK,
                    "self.difference *= 2 / self.difference.size\n        return self.difference",
                )
            ]
        },
        {"test_mse_backward"},
    ),
    Variant(
        "mse_stores_the_difference_for_all_instances",
        {"mse_loss": [("self.difference", "MSELoss.difference")]},
        {"test_mse_backward"},
    ),
]

MLP_OLD_FORWARD = (
    "a = self.linear1.forward(x)\n"
    "        z = self.tanh.forward(a)\n"
    "        return self.linear2.forward(z)"
)
MLP_OLD_BACKWARD = (
    "dL_dz = self.linear2.backward(dL_dy)\n"
    "        dL_da = self.tanh.backward(dL_dz)\n"
    "        return self.linear1.backward(dL_da)"
)

MLP = [
    Variant(
        "mlp_forward_leaves_tanh_out",
        {"mlp": [("z = self.tanh.forward(a)", "z = a")]},
        {"test_mlp_forward", *NO_TRAINING},
    ),
    Variant(
        "mlp_forward_ends_in_tanh",
        {"mlp": [("return self.linear2.forward(z)", "return np.tanh(self.linear2.forward(z))")]},
        {"test_mlp_forward"},
    ),
    Variant(
        "mlp_forward_returns_the_hidden_layer",
        {"mlp": [("return self.linear2.forward(z)", "self.linear2.forward(z)\n        return z")]},
        {"test_mlp_forward", *NO_TRAINING},
    ),
    Variant(
        "mlp_forward_in_the_wrong_order",
        {
            "mlp": [
                ("self.linear1.forward(x)", "self.tanh.forward(x)"),
                ("self.tanh.forward(a)", "self.linear1.forward(a)"),
            ]
        },
        {"test_mlp_forward", *NO_TRAINING},
    ),
    Variant(
        "mlp_has_five_hidden_units_always",
        {"mlp": [("hidden_features)\n", "5)\n"), ("Linear(hidden_features,", "Linear(5,")]},
        {"test_mlp_forward"},
    ),
    Variant(
        "mlp_forward_does_without_its_layers",  # so they have nothing stored for backward
        {
            "mlp": [
                (
                    MLP_OLD_FORWARD,
                    "z = np.tanh(x @ self.linear1.W.T + self.linear1.b)\n"
                    "        return z @ self.linear2.W.T + self.linear2.b",
                )
            ]
        },
        NO_BACKWARD,
    ),
    Variant(
        "mlp_backward_in_the_order_of_forward",
        {
            "mlp": [
                (
                    MLP_OLD_BACKWARD,
                    "dL_da = self.linear1.backward(dL_dy)\n"
                    "        dL_dz = self.tanh.backward(dL_da)\n"
                    "        return self.linear2.backward(dL_dz)",
                )
            ]
        },
        {"test_mlp_backward", *NO_TRAINING},
    ),
    Variant(
        "mlp_backward_leaves_tanh_out",
        {"mlp": [("self.tanh.backward(dL_dz)", "dL_dz")]},
        {"test_mlp_backward", *NO_TRAINING},
    ),
    Variant(
        "mlp_backward_returns_nothing",
        {"mlp": [("return self.linear1.backward(dL_da)", "self.linear1.backward(dL_da)")]},
        {"test_mlp_backward"},
    ),
    Variant(
        "mlp_backward_stops_before_linear1",
        {"mlp": [("return self.linear1.backward(dL_da)", "return dL_da @ self.linear1.W")]},
        {"test_mlp_backward", *NO_TRAINING},
    ),
    Variant(
        "mlp_backward_uses_a_in_place_of_z",  # in dL_dW2
        {
            "mlp": [
                ("z = self.tanh.forward(a)", "z, self.a = self.tanh.forward(a), a"),
                ("dL_da = ", "self.linear2.dL_dW = dL_dy.T @ self.a\n        dL_da = "),
            ]
        },
        {"test_mlp_backward"},
    ),
    Variant(
        "mlp_backward_uses_the_transpose_of_dL_dW1",
        {
            "mlp": [
                (
                    "return self.linear1.backward(dL_da)",
                    "dL_dx = self.linear1.backward(dL_da)\n"
                    "        self.linear1.dL_dW = self.linear1.dL_dW.T\n"
                    "        return dL_dx",
                )
            ]
        },
        {"test_mlp_backward", *NO_TRAINING},
    ),
]

SGD = [
    Variant(
        "sgd_step_with_plus",
        {"sgd_step": [("- lr", "+ lr")]},
        {"test_sgd_step", *NO_TRAINING},
    ),
    Variant(
        "sgd_step_without_lr",
        {"sgd_step": [("lr * ", "")]},
        {"test_sgd_step", *NO_TRAINING},
    ),
    Variant(
        "sgd_step_forgets_the_biases",
        {"sgd_step": [(B_STEP, "pass")]},
        {"test_sgd_step"},
    ),
    Variant(
        "sgd_step_of_the_last_layer_only",
        {"sgd_step": [("(model.linear1, model.linear2)", "[model.linear2]")]},
        {"test_sgd_step"},
    ),
    Variant(
        "sgd_step_on_local_names",
        {"sgd_step": [("layer.W = ", "W = "), ("layer.b = ", "b = ")]},
        {"test_sgd_step", *NO_TRAINING},
    ),
    Variant(
        "sgd_step_taken_twice",
        {
            "sgd_step": [
                (W_STEP, W_STEP.replace("lr", "2 * lr")),
                (B_STEP, B_STEP.replace("lr", "2 * lr")),
            ]
        },
        {"test_sgd_step"},
    ),
    Variant(
        "sgd_step_scales_the_gradients_in_place",
        {"sgd_step": [(W_STEP, "layer.dL_dW *= lr\n        layer.W = layer.W - layer.dL_dW")]},
        {"test_sgd_step"},
    ),
    Variant(
        "sgd_step_replaces_the_parameters",
        {"sgd_step": [("layer.W - lr", "-lr"), ("layer.b - lr", "-lr")]},
        {"test_sgd_step", *NO_TRAINING},
    ),
]


def _train(name: str, *changes: tuple[str, str]) -> Variant:
    """A mistake of the training loop, which costs the points of the loop and no others."""
    return Variant(name, {"train": list(changes)}, {"test_train"})


TRAIN = [
    _train("train_never_updates", (STEP, "pass")),
    _train("train_updates_twice", (STEP, f"{STEP}\n            {STEP}")),
    _train(
        "train_updates_before_backward",
        ("history = []", "model.forward(x)\n    model.backward(0 * t)\n    history = []"),
        (f"{BACK}\n            {STEP}", f"{STEP}\n            {BACK}"),
    ),
    _train(
        "train_updates_once_per_epoch",
        (f"            {STEP}\n", ""),
        (APPEND, f"{APPEND}\n        {STEP}"),
    ),
    _train("train_ignores_lr", (STEP, "sgd_step(model, 0.1)")),
    _train("train_ignores_epochs", ("range(epochs)", "range(100)")),
    _train("train_ignores_batch_size", (BATCHES, "range(0, len(x), 8)"), ("+ batch_size", "+ 8")),
    _train("train_shuffles_x_without_t", ("t[rows]", "t[start : start + batch_size]")),
    _train("train_shuffles_x_and_t_apart", ("t[rows]", "t[rng.permutation(rows)]")),
    _train(
        "train_drops_the_last_batch",
        (BATCHES, "range(0, len(x) - batch_size + 1, batch_size)"),
    ),
    _train("train_stops_one_batch_early", (BATCHES, "range(0, len(x) - batch_size, batch_size)")),
    _train("train_uses_one_batch_only", (BATCHES, "[0]")),
    _train("train_takes_one_sample_too_few", ("start + batch_size]", "start + batch_size - 1]")),
    _train("train_does_not_shuffle", (ORDER, "order = np.arange(len(x))")),
    _train(
        "train_shuffles_once",
        ("history = []", f"history = []\n    {ORDER}"),
        (f"        {ORDER}\n        total", "        total"),
    ),
    _train("train_ignores_rng", ("rng.permutation", "np.random.permutation")),
    _train("train_starts_a_generator_of_its_own", ("rng.perm", "np.random.default_rng(0).perm")),
    _train("train_draws_with_replacement", (ORDER, "order = rng.integers(len(x), size=len(x))")),
    _train(
        "train_shuffles_the_data_in_place",
        (ORDER, f"{ORDER}\n        x[:], t[:] = x[order], t[order]"),
        ("rows = order[start : start + batch_size]", "rows = slice(start, start + batch_size)"),
        ("* len(rows)", "* len(x[rows])"),
    ),
    _train("train_returns_the_last_loss_only", ("return history", "return history[-1]")),
    _train(
        "train_records_the_last_batch",
        (TOTAL, TOTAL.replace("+=", "=").replace("len(rows)", "len(x)")),
    ),
    _train("train_records_the_sum_over_the_batches", (APPEND, "history.append(total)")),
    _train("train_records_every_batch", (TOTAL, f"{TOTAL}\n            history.append(total)")),
]  # fmt: skip

WRONG = [*LINEAR_FORWARD, *LINEAR_BACKWARD, *TANH, *MSE, *MLP, *SGD, *TRAIN]
