"""Wrong solutions of ex1_03, and the tests that each must lose: those that it is about.

FIT is lost as well where a mistake leaves nothing that could be trained, or trains something else
than the fit: the test of the fit judges the student's own model, trained by the student's own
loop. Where a mistake slows training down only, the variant trains for longer, as a student
would, and keeps FIT.
"""

from .ex1_03_right import (
    ADAM,
    FORWARD,
    ITERATION,
    LAYERS,
    MEAN,
    PREDICT,
    SETTINGS,
)
from .variants import Variant

MLP, TRAIN, FIT, PREDICTION = (
    "test_regression_mlp",
    "test_train_model",
    "test_fit",
    "test_predict",
)


def network(name: str, *changes: tuple[str, str], loses: set[str]) -> Variant:
    """A wrong ``RegressionMLP``: (old, new) texts."""
    return Variant(name, {"regression_mlp": list(changes)}, loses)


def training(
    name: str, *changes: tuple[str, str], loses: set[str], settings: str = SETTINGS
) -> Variant:
    """A wrong ``train_model``: (old, new) texts, and the settings of the fit."""
    return Variant(name, {"train_model": list(changes), "fit": [(SETTINGS, settings)]}, loses)


def predicting(name: str, body: str) -> Variant:
    """A wrong body of ``predict``."""
    return Variant(name, {"predict": [(PREDICT, body)]}, {PREDICTION})


NETWORKS = [
    # A straight line cannot reach the bound either.
    network("no_nonlinearity", ("torch.tanh(a)", "a"), loses={MLP, FIT}),
    # No instance can be made, so nothing is trained.
    network("super_init_missing", ("        super().__init__()\n", ""), loses={MLP, FIT}),
    # The optimizer finds no parameters and refuses.
    network(
        "all_layers_in_a_plain_list",
        (
            LAYERS,
            "        self.layers = [nn.Linear(1, hidden_features), "
            "nn.Linear(hidden_features, 1)]\n",
        ),
        (FORWARD, "        return self.layers[1](torch.tanh(self.layers[0](x)))\n"),
        loses={MLP, FIT},
    ),
    network(
        "extra_layer_in_a_plain_list",
        (LAYERS, LAYERS + "        self.more = [nn.Linear(hidden_features, hidden_features)]\n"),
        (
            FORWARD,
            "        z = torch.tanh(self.hidden(x))\n"
            "        return self.output(z + self.more[0](z))\n",
        ),
        loses={MLP},
    ),
    # No gradient at all: backward() raises.
    network(
        "parameters_without_requires_grad",
        (
            LAYERS,
            LAYERS + "        for p in self.parameters():\n            p.requires_grad = False\n",
        ),
        loses={MLP, FIT},
    ),
    # What is trained is thrown away by the next call.
    network(
        "fresh_layers_in_forward",
        (FORWARD, LAYERS.replace("hidden_features", "32") + FORWARD),
        loses={MLP, FIT},
    ),
    # The parameters get no gradient: the optimizer has nothing to step along.
    network(
        "output_detached",
        (
            "return self.output(z)",
            "return torch.tensor(self.output(z).tolist(), requires_grad=True)",
        ),
        loses={MLP, FIT},
    ),
    network(
        "residual_branch_under_no_grad",
        (LAYERS, LAYERS + "        self.more = nn.Linear(hidden_features, hidden_features)\n"),
        (
            FORWARD,
            """\
        z = torch.tanh(self.hidden(x))
        with torch.no_grad():
            more = self.more(z)
        return self.output(z + more)
""",
        ),
        loses={MLP},
    ),
    network(
        "layer_left_out_of_forward",
        (LAYERS, LAYERS + "        self.more = nn.Linear(hidden_features, hidden_features)\n"),
        loses={MLP},
    ),
    network(
        "input_changed_in_place",
        (FORWARD, "        x *= 0.5\n" + FORWARD),
        loses={MLP},
    ),
    # The shape is wrong on the test set, too, and against targets (N, 1) the loss broadcasts.
    network(
        "output_of_shape_n",
        ("return self.output(z)", "return self.output(z).squeeze(-1)"),
        loses={MLP, FIT},
    ),
    network(
        "hidden_features_ignored",
        (LAYERS, LAYERS.replace("hidden_features", "32")),
        loses={MLP},
    ),
    # 64 test points are not 32.
    network(
        "batch_size_hard_coded_in_forward",
        (FORWARD, "        x = x.view(32, 1)\n" + FORWARD),
        loses={MLP, FIT},
    ),
    network(
        "dropout_that_ignores_eval_mode",
        ("torch.tanh(a)", "nn.functional.dropout(torch.tanh(a), 0.02)"),
        loses={MLP},
    ),
    network(
        "largest_input_of_the_batch_as_unit",
        (FORWARD, "        x = x / x.abs().max()\n" + FORWARD),
        loses={MLP},
    ),
    network(
        "parameters_drift_with_every_call",
        (
            FORWARD,
            "        with torch.no_grad():\n            self.output.bias += 1e-7\n" + FORWARD,
        ),
        loses={MLP},
    ),
    # A module as good as any, but negative targets are out of its reach.
    network(
        "sigmoid_output_that_cannot_reach_the_range",
        ("return self.output(z)", "return torch.sigmoid(self.output(z))"),
        loses={FIT},
    ),
    # All units stay equal: together they are one.
    network(
        "all_weights_start_at_zero",
        (
            LAYERS,
            LAYERS + "        for p in self.parameters():\n            nn.init.zeros_(p)\n",
        ),
        loses={FIT},
    ),
]

TRAININGS = [
    # The sum of all gradients so far never dies down: the parameters swing ever wider.
    training(
        "zero_grad_forgotten",
        ("            optimizer.zero_grad()\n", ""),
        loses={TRAIN, FIT},
    ),
    training(
        "zero_grad_once_per_epoch",
        ("            optimizer.zero_grad()\n", ""),
        ("        losses = []\n", "        losses = []\n        optimizer.zero_grad()\n"),
        loses={TRAIN},
    ),
    # Nothing moves.
    training("parameters_not_updated", ("            optimizer.step()\n", ""), loses={TRAIN, FIT}),
    training(
        "updated_twice",
        ("            optimizer.step()\n", "            optimizer.step()\n" * 2),
        loses={TRAIN},
    ),
    training(
        "updated_twice_by_momentum_sgd",
        (ADAM, "torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)"),
        ("            optimizer.step()\n", "            optimizer.step()\n" * 2),
        loses={TRAIN},
        settings="epochs=300, lr=0.01",
    ),
    # The gradients are cleared right before each step: nothing moves.
    training(
        "update_before_backward",
        (
            ITERATION,
            """\
            optimizer.zero_grad()
            loss = loss_fn(model(x), t)
            optimizer.step()
            loss.backward()
""",
        ),
        loses={TRAIN, FIT},
    ),
    training(
        "update_with_the_gradient_of_the_last_iteration",
        (
            ITERATION,
            """\
            optimizer.step()
            optimizer.zero_grad()
            loss = loss_fn(model(x), t)
            loss.backward()
""",
        ),
        loses={TRAIN},
    ),
    # zero_grad() after backward(): the step finds no gradient.
    training(
        "gradients_cleared_before_the_step",
        (
            ITERATION,
            """\
            loss = loss_fn(model(x), t)
            loss.backward()
            optimizer.zero_grad()
            optimizer.step()
""",
        ),
        loses={TRAIN, FIT},
    ),
    training("lr_ignored", ("lr=lr", "lr=0.02"), loses={TRAIN}),
    training("epochs_ignored", ("range(epochs)", "range(120)"), loses={TRAIN}),
    # The given model stays as it was.
    training(
        "trains_a_copy",
        ("    model.train()\n", ""),
        (
            f"    optimizer = {ADAM}",
            f"    import copy\n    model = copy.deepcopy(model)\n    optimizer = {ADAM}",
        ),
        loses={TRAIN, FIT},
    ),
    training(
        "trains_on_the_global_loader",
        ("in train_loader:", "in globals()['train_loader']:"),
        loses={TRAIN},
    ),
    training(
        "one_update_per_epoch",
        (
            ITERATION,
            """\
            loss = loss_fn(model(x), t)
            loss.backward()
""",
        ),
        (MEAN, f"optimizer.step()\n        optimizer.zero_grad()\n        {MEAN}"),
        loses={TRAIN},
        settings="epochs=400, lr=0.02",
    ),
    training(
        "first_mini_batch_only",
        ("losses.append(loss.item())\n", "losses.append(loss.item())\n            break\n"),
        loses={TRAIN},
        settings="epochs=450, lr=0.02",
    ),
    training(
        "last_partial_batch_dropped",
        (
            ITERATION,
            "            if len(x) < train_loader.batch_size:\n                continue\n"
            + ITERATION,
        ),
        loses={TRAIN},
    ),
    training(
        "last_partial_batch_measured_but_not_trained_on",
        (
            "            optimizer.step()\n",
            "            if len(x) == train_loader.batch_size:\n                optimizer.step()\n",
        ),
        loses={TRAIN},
    ),
    training(
        "batch_size_hard_coded",
        ("loss_fn(model(x), t)", "loss_fn(model(x.view(32, 1)), t.view(32, 1))"),
        loses={TRAIN},
    ),
    # The loop learns the mean of the mini-batch: every target meets every prediction.
    training(
        "flat_predictions_broadcast_against_targets",
        ("loss_fn(model(x), t)", "loss_fn(model(x).squeeze(1), t)"),
        loses={TRAIN, FIT},
    ),
    # No gradient reaches the parameters.
    training(
        "predictions_detached",
        ("loss_fn(model(x), t)", "loss_fn(model(x).detach().requires_grad_(), t)"),
        loses={TRAIN, FIT},
    ),
    # The loss grows without bound.
    training(
        "gradient_ascent",
        (ADAM, "torch.optim.Adam(model.parameters(), lr=lr, maximize=True)"),
        loses={TRAIN, FIT},
    ),
    # Steps 32 times as large as meant diverge.
    training(
        "sum_of_squares_that_diverges",
        ("nn.MSELoss()", 'nn.MSELoss(reduction="sum")'),
        (ADAM, "torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)"),
        loses={TRAIN, FIT},
        settings="epochs=150, lr=0.1",
    ),
    training("absolute_error_in_place_of_mse", ("nn.MSELoss()", "nn.L1Loss()"), loses={TRAIN}),
    training(
        "history_keeps_the_graph",
        ("losses.append(loss.item())", "losses.append(loss)"),
        loses={TRAIN},
    ),
    training(
        "history_per_mini_batch",
        ("losses.append(loss.item())", "history.append(loss.item())"),
        (f"        {MEAN}\n", ""),
        loses={TRAIN},
    ),
    training("history_of_sums", (MEAN, "history.append(sum(losses))"), loses={TRAIN}),
    training("history_of_the_last_mini_batch", (MEAN, "history.append(losses[-1])"), loses={TRAIN}),
    training(
        "history_misses_the_last_epoch",
        (MEAN, MEAN),
        ("    return history", "    return history[:-1]"),
        loses={TRAIN},
    ),
    training("nothing_returned", ("    return history", "    pass"), loses={TRAIN}),
]

PREDICTIONS = [
    predicting("model_in_train_mode", "    with torch.no_grad():\n        return model(x)\n"),
    predicting("gradient_kept", "    model.eval()\n    return model(x)\n"),
    predicting(
        "eval_mode_after_the_call",
        "    with torch.no_grad():\n        y = model(x)\n    model.eval()\n    return y\n",
    ),
    predicting(
        "eval_mode_switched_off_again",
        "    model.eval()\n    with torch.no_grad():\n        return model.train()(x)\n",
    ),
    predicting("predictions_of_shape_n", PREDICT.replace("model(x)", "model(x).squeeze()")),
    predicting(
        "parameters_frozen",
        "    model.eval()\n    return model.requires_grad_(False)(x)\n",
    ),
    predicting(
        "predict_changes_the_input_in_place",
        PREDICT.replace("model(x)", "model(x.mul_(2).div_(2.5))"),
    ),
    predicting("mean_prediction_for_all", PREDICT.replace("model(x)", "model(x).mean() + 0 * x")),
]

DATA = [
    Variant(
        "inputs_shuffled_without_targets",
        {
            "data": [
                (
                    "TensorDataset(X_train, T_train)",
                    "TensorDataset(X_train[torch.randperm(96)], T_train)",
                )
            ]
        },
        {FIT},
    ),
]

WRONG = NETWORKS + TRAININGS + PREDICTIONS + DATA
