"""Draw the computation graph of ex1: one graph, five pictures of it.

    python source/ex1/figures/draw_graph.py [FOLDER]

writes these SVG files beside this script, or into FOLDER:

- computation_graph.svg: symbols and shapes, for ex1_01;
- worked_example_forward.svg: a smaller network of the same form, with its values;
- worked_example_backward.svg: the same, with the gradients added;
- computation_graph_numpy.svg: the layers written in ex1_02;
- computation_graph_pytorch.svg: the modules used in ex1_03.

What each picture holds is below, as data; how it is drawn is in draw_parts.py.
"""

from __future__ import annotations

import sys
from math import tanh
from pathlib import Path

import matplotlib as mpl
from draw_parts import BACKWARD, FORWARD, INK, STYLE, Line, Node, Picture, Side, Wire, draw

Texts = dict[str, str]  # by the name of a quantity: x, W1, b1, a, z, W2, b2, y, t, L

# ------------------------------------------------------------- pictures in symbols and numbers


def symbol(text: str, colour: str = INK, size: float = 17) -> Line:
    """A line of mathematics."""
    return Line(f"${text}$", size, colour)


def leaf(text: str) -> Node:
    """A circle that holds a symbol."""
    return Node((symbol(text),))


def box(text: str, width: float) -> Node:
    """An operation that is one line of text."""
    return Node((Line(text, 16.5),), width=width, height=58, leaf=False)


def partial(text: str) -> Line:
    """The name of the gradient of the loss with respect to a symbol."""
    return symbol(rf"\partial L/\partial {text}", BACKWARD, 16.5)


def symbol_wire(name: str, detail: str, gradient: str | None, inner: bool = False) -> Wire:
    """A wire with the shape or value of ``name`` and, unless None, of its gradient.

    A wire of a leaf leaves out the name, which stands in the circle; an ``inner`` one has it.
    """
    forward = (symbol(name, FORWARD),) if inner else ()
    forward += (symbol(detail, FORWARD, 15.5),)
    if gradient is None:
        return Wire(forward, two_way=name not in "xt")
    return Wire(forward, (partial(name), symbol(gradient, BACKWARD, 15.5)), two_way=True)


def mlp(title: str, names: Texts, details: Texts, gradients: Texts, legend: tuple) -> Picture:
    """The graph x -> a -> z -> y -> L with its parameters and the target.

    ``names`` holds the symbols of W1, b1, W2, b2; ``details`` the shape or value of every
    quantity; ``gradients`` that of every gradient to draw.
    """
    names = {key: key for key in "xazytL"} | names
    wires = {
        key: symbol_wire(name, details[key], gradients.get(key), inner=key in "azy")
        for key, name in names.items()
    }
    first = rf"${names['W1']}\, x + {names['b1']}$"
    second = rf"${names['W2']}\, z + {names['b2']}$"
    operations = (box(first, 98), box("tanh", 64), box(second, 98), box("$(y - t)^2$", 84))
    entries = (("W1", 1, 1), ("b1", 1, -1), ("W2", 3, 1), ("b2", 3, -1), ("t", 4, 1))
    return Picture(
        title=title,
        nodes=(leaf("x"), *operations, leaf("L")),
        wires=tuple(wires[key] for key in "xazyL"),
        sides=tuple(Side(leaf(names[key]), wires[key], node, way) for key, node, way in entries),
        legend=legend,
        above=152,
        below=150,
    )


def symbols_and_shapes() -> Picture:
    """The network of ex1_01."""
    names = {"W1": "W_1", "b1": "b_1", "W2": "W_2", "b2": "b_2"}
    shapes = {
        "x": "(3{,})", "W1": "(2, 3)", "b1": "(2{,})", "a": "(2{,})", "z": "(2{,})",
        "W2": "(1, 2)", "b2": "(1{,})", "y": "(1{,})", "t": "(1{,})", "L": r"\mathrm{number}",
    }  # fmt: skip
    gradients = {key: shape for key, shape in shapes.items() if key not in "xtL"} | {"L": "= 1"}
    legend = ("forward pass: quantity and its shape", "backward pass: gradient and its shape")
    return mlp("Computation graph in symbols", names, shapes, gradients, legend)


EXAMPLE = {"x": 2.0, "W1": 0.5, "b1": -0.4, "W2": 1.5, "b2": 0.2, "t": 1.6}


def forward(given: dict[str, float]) -> dict[str, float]:
    """Every value of the worked example: one input, one tanh unit, one linear output."""
    a = given["W1"] * given["x"] + given["b1"]
    z = tanh(a)
    y = given["W2"] * z + given["b2"]
    return given | {"a": a, "z": z, "y": y, "L": (y - given["t"]) ** 2}


def backward(value: dict[str, float]) -> dict[str, float]:
    """The gradient of the loss with respect to each quantity of the worked example."""
    dy = 2 * (value["y"] - value["t"])
    dz = dy * value["W2"]
    da = dz * (1 - value["z"] ** 2)
    return {
        "L": 1.0, "y": dy, "W2": dy * value["z"], "b2": dy,
        "z": dz, "a": da, "W1": da * value["x"], "b1": da,
    }  # fmt: skip


def worked_example(with_gradients: bool) -> Picture:
    """The worked example, with or without what the backward pass adds."""
    names = {"W1": "w_1", "b1": "b_1", "W2": "w_2", "b2": "b_2"}
    values = forward(EXAMPLE)
    value_texts = {key: f"{value:.3f}" for key, value in values.items()}
    if not with_gradients:
        return mlp("Worked example: values", names, value_texts, {}, ("forward pass: value",))
    gradients = {key: f"{value:.3f}" for key, value in backward(values).items()}
    legend = ("forward pass: value", "backward pass: gradient")
    return mlp("Worked example: values and gradients", names, value_texts, gradients, legend)


# --------------------------------------------------------------------------- pictures in code

X, HIDDEN, Y = r"$(N, D_\mathrm{in})$", "$(N, H)$", r"$(N, D_\mathrm{out})$"
LINEAR_SHAPES = (
    (r"$(H, D_\mathrm{in})$", "$(H{,})$"),
    (r"$(D_\mathrm{out}, H)$", r"$(D_\mathrm{out}{,})$"),
)


def code(text: str, colour: str = INK, bold: bool = False, tail: str = "") -> Line:
    """A name of the program, and a shape after it."""
    return Line(text, 13, colour, code=True, bold=bold, tail=tail)


def code_leaf(text: str, width: float = 36) -> Node:
    """A circle that holds a name of the program."""
    return Node((code(text),), width=width, height=width)


def code_box(title: str, width: float) -> Node:
    """An operation without parameters."""
    return Node((code(title, bold=True),), width=width, height=58, leaf=False)


def linear_boxes(titles: tuple[str, str], names: Texts, intro: str, width: float) -> list[Node]:
    """The two linear layers: their parameters, and where backward leaves the gradients.

    ``names`` maps the name of each parameter to that of its gradient.
    """
    lower = (Line(intro, 16, BACKWARD), *(code(name, BACKWARD) for name in names.values()))
    boxes = []
    for title, shapes in zip(titles, LINEAR_SHAPES, strict=True):
        parameters = (code(name, tail=tail) for name, tail in zip(names, shapes, strict=True))
        upper = (code(title, bold=True), *parameters)
        boxes.append(Node(upper, lower, width=width, height=134, leaf=False))
    return boxes


def code_wire(name: str, shape: str, gradient: Line | None = None, share: float = 1) -> Wire:
    """A wire that carries ``name`` (empty where a leaf has it); the gradient has its shape."""
    forward = ((code(name, FORWARD),) if name else ()) + (Line(shape, 16, FORWARD),)
    if gradient is None:
        return Wire(forward, share=share)
    backward = (gradient, Line(shape, 16, BACKWARD))
    return Wire(forward, backward, two_way=True, share=share)


def numpy_layers() -> Picture:
    """The layers of ex1_02 with the names of their arrays."""
    names = {"W": "dL_dW", "b": "dL_db"}
    first, second = linear_boxes(
        ("linear1: Linear", "linear2: Linear"), names, "backward stores", width=138
    )
    return Picture(
        title="Computation graph of the NumPy layers",
        nodes=(code_leaf("x"), first, code_box("Tanh", 54), second,
               code_box("MSELoss", 74), code_leaf("L")),
        wires=(
            code_wire("", X, code("dL_dx", BACKWARD)),
            code_wire("a", HIDDEN, code("dL_da", BACKWARD)),
            code_wire("z", HIDDEN, code("dL_dz", BACKWARD)),
            code_wire("y", Y, code("dL_dy", BACKWARD), share=1.1),
            code_wire("", "float", share=0.8),
        ),
        sides=(Side(code_leaf("t"), code_wire("", Y), 4),),
        legend=("forward: array and its shape", "backward: gradient, in the shape of its array"),
        above=152,
        below=86,
    )  # fmt: skip


def pytorch_modules() -> Picture:
    """The modules of ex1_03; autograd walks the same graph backwards."""
    names = {"weight": "weight.grad", "bias  ": "bias.grad"}
    first, second = linear_boxes(("nn.Linear", "nn.Linear"), names, "gradients land in", width=132)
    return Picture(
        title="Computation graph of the PyTorch modules",
        nodes=(code_leaf("x"), first, code_box("tanh", 54), second,
               code_box("MSE", 50), code_leaf("loss", 46)),
        wires=(
            code_wire("", X),
            code_wire("a", HIDDEN, partial("a")),
            code_wire("z", HIDDEN, partial("z")),
            code_wire("y", Y, partial("y"), share=1.1),
            Wire((Line("scalar", 16, FORWARD),), (code("backward()", BACKWARD),), True, 1.5),
        ),
        sides=(Side(code_leaf("t"), code_wire("", Y), 4),),
        legend=("forward pass: tensor and its shape", "backward pass, run by loss.backward()"),
        above=152,
        below=86,
    )  # fmt: skip


# ----------------------------------------------------------------------------------- files

PICTURES = {
    "computation_graph": symbols_and_shapes(),
    "worked_example_forward": worked_example(with_gradients=False),
    "worked_example_backward": worked_example(with_gradients=True),
    "computation_graph_numpy": numpy_layers(),
    "computation_graph_pytorch": pytorch_modules(),
}


def main(folder: Path) -> None:
    """Write every picture into ``folder``."""
    # No date and no version in the files: the same picture is the same bytes.
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with mpl.rc_context(STYLE):
        for name, picture in PICTURES.items():
            path = folder / f"{name}.svg"
            draw(picture).savefig(path, metadata=metadata | {"Title": picture.title})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
