"""Unusual right solutions of ex1_03: each keeps all 4 points.

``train_model`` may use any optimizer, ``RegressionMLP`` any architecture; where another optimizer
needs other settings, the variant changes the cell ``fit`` as a student would.
"""

from .variants import Variant

ADAM = "torch.optim.Adam(model.parameters(), lr=lr)"
SETTINGS = "epochs=120, lr=0.02"
LAYERS = """\
        self.hidden = nn.Linear(1, hidden_features)
        self.output = nn.Linear(hidden_features, 1)
"""
FORWARD = """\
        a = self.hidden(x)
        z = torch.tanh(a)
        return self.output(z)
"""
ITERATION = """\
            optimizer.zero_grad()
            loss = loss_fn(model(x), t)
            loss.backward()
            optimizer.step()
"""
MEAN = "history.append(sum(losses) / len(losses))"
PREDICT = """\
    model.eval()
    with torch.no_grad():
        return model(x)
"""


def network(name: str, layers: str, forward: str, settings: str = SETTINGS) -> Variant:
    """Another architecture: the bodies of ``__init__`` (after super) and of ``forward``."""
    change = [(LAYERS, layers), (FORWARD, forward)]
    return Variant(name, {"regression_mlp": change, "fit": [(SETTINGS, settings)]})


def training(name: str, *changes: tuple[str, str], settings: str = SETTINGS) -> Variant:
    """Another training loop: (old, new) texts in ``train_model``."""
    return Variant(name, {"train_model": list(changes), "fit": [(SETTINGS, settings)]})


def predicting(name: str, body: str) -> Variant:
    """Another body of ``predict``."""
    return Variant(name, {"predict": [(PREDICT, body)]})


NETWORKS = [
    network(
        "deep_relu_net",
        """\
        self.layers = nn.Sequential(
            nn.Linear(1, hidden_features), nn.ReLU(),
            nn.Linear(hidden_features, hidden_features), nn.ReLU(),
            nn.Linear(hidden_features, 1))
""",
        "        return self.layers(x)\n",
        "epochs=200, lr=0.01",
    ),
    network(
        "fourier_features",
        """\
        self.register_buffer("frequency", 0.2 * torch.arange(1.0, hidden_features + 1))
        self.output = nn.Linear(2 * hidden_features, 1)
""",
        """\
        a = x * self.frequency
        return self.output(torch.cat([torch.sin(a), torch.cos(a)], dim=1))
""",
    ),
    network(
        "sine_activation",
        LAYERS,
        "        return self.output(torch.sin(self.hidden(x)))\n",
    ),
    network(
        "parameters_without_layers",
        """\
        self.W1 = nn.Parameter(torch.randn(hidden_features, 1))
        self.b1 = nn.Parameter(torch.zeros(hidden_features))
        self.W2 = nn.Parameter(torch.randn(1, hidden_features) / hidden_features**0.5)
        self.b2 = nn.Parameter(torch.zeros(1))
""",
        """\
        z = torch.tanh(x @ self.W1.T + self.b1)
        return nn.functional.linear(z, self.W2, self.b2)
""",
    ),
    network(
        "layers_in_a_module_list",
        """\
        widths = [1, hidden_features, hidden_features, 1]
        self.layers = nn.ModuleList(
            nn.Linear(d_in, d_out) for d_in, d_out in zip(widths[:-1], widths[1:])
        )
""",
        """\
        *hidden, output = self.layers
        for layer in hidden:
            x = nn.functional.silu(layer(x))
        return output(x)
""",
    ),
    network(
        "weights_initialized_by_hand_and_output_at_zero",
        LAYERS
        + """\
        nn.init.uniform_(self.hidden.weight, -2, 2)
        nn.init.uniform_(self.hidden.bias, -3, 3)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
""",
        FORWARD,
    ),
    network(
        "dropout_in_the_model",
        LAYERS + "        self.dropout = nn.Dropout(0.02)\n",
        "        return self.output(self.dropout(torch.tanh(self.hidden(x))))\n",
        "epochs=300, lr=0.02",
    ),
    network(
        "batch_norm_of_the_input",
        LAYERS + "        self.norm = nn.BatchNorm1d(1, momentum=0.02)\n",
        "        return self.output(torch.tanh(self.hidden(self.norm(x))))\n",
        "epochs=200, lr=0.02",
    ),
    network(
        "double_precision_inside",
        LAYERS + "        self.double()\n",
        "        return self.output(torch.tanh(self.hidden(x.double()))).float()\n",
    ),
    network(
        "double_precision_output",
        LAYERS + "        self.double()\n",
        "        return self.output(torch.tanh(self.hidden(x.double())))\n",
    ),
    network(
        "frozen_random_hidden_layer",
        LAYERS
        + """\
        nn.init.uniform_(self.hidden.weight, -2, 2)
        nn.init.uniform_(self.hidden.bias, -4, 4)
        self.hidden.requires_grad_(False)
""",
        FORWARD,
        "epochs=300, lr=0.05",
    ),
    network(
        "residual_block_and_layer_norm",
        LAYERS
        + """\
        self.norm = nn.LayerNorm(hidden_features)
        self.block = nn.Linear(hidden_features, hidden_features)
""",
        """\
        z = torch.tanh(self.hidden(x))
        z = z + nn.functional.gelu(self.block(self.norm(z)))
        return self.output(z)
""",
        "epochs=200, lr=0.01",
    ),
    network(
        "mean_of_three_networks",
        """\
        self.members = nn.ModuleList(
            nn.Sequential(nn.Linear(1, hidden_features), nn.Tanh(), nn.Linear(hidden_features, 1))
            for _ in range(3)
        )
""",
        "        return torch.stack([member(x) for member in self.members]).mean(dim=0)\n",
    ),
    network(
        "line_plus_curve_with_weight_norm",
        LAYERS
        + """\
        self.line = nn.Linear(1, 1, bias=False)
        self.hidden = nn.utils.parametrizations.weight_norm(self.hidden)
""",
        "        return self.line(x) + self.output(torch.tanh(self.hidden(x)))\n",
    ),
    network(
        "seed_and_scaled_input_inside_the_model",
        "        torch.manual_seed(3)\n" + LAYERS,
        "        return 2 * self.output(torch.tanh(self.hidden(x / 1.5)))\n",
    ),
]

TRAININGS = [
    training(
        "sgd_with_momentum",
        (ADAM, "torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True)"),
        settings="epochs=250, lr=0.05",
    ),
    training(
        "plain_sgd",
        (ADAM, "torch.optim.SGD(model.parameters(), lr)"),
        settings="epochs=1500, lr=0.1",
    ),
    training(
        "adamw_with_weight_decay",
        (ADAM, "torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)"),
    ),
    training(
        "rmsprop",
        (ADAM, "torch.optim.RMSprop(model.parameters(), lr=lr)"),
        settings="epochs=250, lr=0.005",
    ),
    # Curvature that is kept from one mini-batch to the next misleads LBFGS: a new one for each.
    training(
        "lbfgs_with_closure_for_each_mini_batch",
        (f"    optimizer = {ADAM}\n", ""),
        (
            ITERATION,
            """\
            optimizer = torch.optim.LBFGS(model.parameters(), lr=lr, max_iter=10)

            def closure():
                optimizer.zero_grad()
                loss = loss_fn(model(x), t)
                loss.backward()
                return loss

            loss = optimizer.step(closure)
""",
        ),
        settings="epochs=20, lr=0.1",
    ),
    training(
        "update_by_hand_under_no_grad",
        (f"    optimizer = {ADAM}\n", ""),
        ("            optimizer.zero_grad()\n", "            model.zero_grad()\n"),
        (
            "            optimizer.step()\n",
            """\
            with torch.no_grad():
                for p in model.parameters():
                    p -= lr * p.grad
""",
        ),
        settings="epochs=1500, lr=0.1",
    ),
    training(
        "gradients_from_autograd_grad",
        (f"    optimizer = {ADAM}\n", "    parameters = list(model.parameters())\n"),
        (
            ITERATION,
            """\
            loss = loss_fn(model(x), t)
            gradients = torch.autograd.grad(loss, parameters)
            for p, g in zip(parameters, gradients):
                p.data.add_(g, alpha=-lr)
""",
        ),
        settings="epochs=1500, lr=0.1",
    ),
    training(
        "cosine_schedule_and_clipped_gradients",
        (
            "    model.train()\n",
            "    model.train()\n    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR("
            "optimizer, T_max=epochs)\n",
        ),
        (
            "            optimizer.step()\n",
            "            nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
            "            optimizer.step()\n",
        ),
        (MEAN, f"{MEAN}\n        scheduler.step()"),
        settings="epochs=250, lr=0.03",
    ),
    training(
        "one_cycle_schedule",
        (
            "    model.train()\n",
            "    model.train()\n    scheduler = torch.optim.lr_scheduler.OneCycleLR("
            "optimizer, max_lr=lr, total_steps=epochs * len(train_loader) + 1)\n",
        ),
        ("            optimizer.step()\n", "            optimizer.step(); scheduler.step()\n"),
        settings="epochs=200, lr=0.05",
    ),
    training(
        "early_stopping_that_repeats_the_last_loss",
        (
            MEAN,
            f"""{MEAN}
        if len(history) > 60 and min(history[-40:]) > min(history[:-40]):
            history += [history[-1]] * (epochs - len(history))
            break""",
        ),
        settings="epochs=600, lr=0.02",
    ),
    training(
        "keeps_the_best_parameters",
        (
            MEAN,
            f"""{MEAN}
        if history[-1] <= min(history):
            best = {{k: v.clone() for k, v in model.state_dict().items()}}""",
        ),
        ("    return history", "    model.load_state_dict(best)\n    return history"),
    ),
    training(
        "loss_by_hand",
        ("loss = loss_fn(model(x), t)", "loss = torch.sum((t - model(x)) ** 2) / t.numel()"),
        ("    loss_fn = nn.MSELoss()\n", ""),
    ),
    training(
        "flat_predictions_against_flat_targets",
        ("loss_fn(model(x), t)", "loss_fn(model(x).flatten(), t.flatten())"),
    ),
    training(
        "mean_over_the_samples",
        ("losses.append(loss.item())", "losses.append(loss.item() * len(x))"),
        (MEAN, "history.append(sum(losses) / len(train_loader.dataset))"),
    ),
    training(
        "loss_measured_after_each_epoch",
        ("            losses.append(loss.item())\n", ""),
        (
            MEAN,
            """model.eval()
        with torch.no_grad():
            parts = [(((model(x) - t) ** 2).sum().item(), len(t)) for x, t in train_loader]
        history.append(sum(s for s, _ in parts) / sum(n for _, n in parts))
        model.train()""",
        ),
    ),
    training("history_as_array", ("    return history", "    return np.array(history)")),
    training(
        "history_as_detached_tensors",
        ("losses.append(loss.item())", "losses.append(loss.detach())"),
    ),
    training("history_as_tuple_of_numpy_scalars", (MEAN, "history.append(np.mean(losses))")),
    training(
        "gradients_cleared_at_the_end_of_the_iteration",
        ("            optimizer.zero_grad()\n", ""),
        (
            "            optimizer.step()\n",
            "            optimizer.step()\n"
            "            for p in model.parameters():\n                p.grad = None\n",
        ),
        ("    model.train()\n", "    model.train()\n    model.zero_grad()\n"),
    ),
    training(
        "helper_function_for_one_iteration",
        (
            ITERATION,
            """\
            def iteration(x, t):
                error = model(x) - t
                loss = (error * error).mean()
                optimizer.zero_grad(set_to_none=False)
                loss.backward()
                optimizer.step()
                return loss

            loss = iteration(x, t)
""",
        ),
    ),
    training("ten_times_the_epochs", settings="epochs=1500, lr=0.01"),
]

PREDICTIONS = [
    predicting(
        "inference_mode", "    with torch.inference_mode():\n        return model.eval()(x)\n"
    ),
    predicting("detached_output", "    model.eval()\n    return model(x).detach()\n"),
    predicting(
        "mode_is_restored",
        """\
    was_training = model.training
    model.eval()
    with torch.no_grad():
        y = model(x)
    model.train(was_training)
    return y
""",
    ),
    predicting(
        "row_by_row",
        """\
    model.train(False)
    with torch.no_grad():
        return torch.stack([model(row[None])[0] for row in x])
""",
    ),
]

DATA = [
    Variant(
        "tensors_from_numpy_and_list_dataset",
        {
            "data": """\
batch_size = 32
def column(values):
    return torch.from_numpy(values.astype(np.float32))[:, None]
X_train, T_train, X_val = column(x_train), column(t_train), column(x_val)
T_val, X_test, T_test = column(t_val), column(x_test), column(t_test)
train_loader = DataLoader(
    list(zip(X_train, T_train)), batch_size, shuffle=True, drop_last=True
)
"""
        },
    ),
]

RIGHT = NETWORKS + TRAININGS + PREDICTIONS + DATA
