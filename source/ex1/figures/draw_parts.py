"""Draw a computation graph: a row of nodes, the wires between them, leaves above and below.

The data flow from left to right along solid arrows, and the gradients flow back along dashed
ones. What goes forward stands above its wire (or left of an upright one), what comes back stands
below (or right of it). Lengths and font sizes are pixels of a picture that is 800 pixels wide.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch, Polygon

WIDTH, MARGIN = 800.0, 14.0
PITCH = 19.0  # from one line of text to the next
LANE = 4.5  # from the middle of a wire to each of its two arrows
DROP = 74.0  # length of a wire that enters a node from above or below
GAP = 3.0  # between the end of an arrow and the node there
LEGEND = 42.0  # height of the strip that explains the arrows

# Blue and vermilion of Okabe and Ito, darkened until small text in them is easy to read on white.
INK, FORWARD, BACKWARD = "#1a1a1a", "#00558c", "#a84200"
PAPER, BOX = "#ffffff", "#edf1f5"

STYLE = {
    "svg.hashsalt": "ex1",  # the same ids in every run
    "svg.fonttype": "path",  # the same letters on every machine
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
}
CODE_FONT, CODE_WIDTH = "DejaVu Sans Mono", 0.602  # and the width of its letters over its size
TAIL_WIDTH = 52.0  # room for a shape that follows a name

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One line of text; ``code`` is for a name of the program, ``tail`` for the shape after it."""

    text: str
    size: float = 17.0
    colour: str = INK
    code: bool = False
    bold: bool = False
    tail: str = ""


@dataclass(frozen=True)
class Node:
    """An operation, drawn as a box, or a leaf of the graph, drawn as a circle.

    Where ``lower`` is not empty, a thin line sets it apart from ``upper``: what the forward pass
    uses stands above that line, what the backward pass leaves behind stands below it.
    """

    upper: tuple[Line, ...]
    lower: tuple[Line, ...] = ()
    width: float = 36.0
    height: float = 36.0
    leaf: bool = True


@dataclass(frozen=True)
class Wire:
    """The text of the two directions, top to bottom.

    ``two_way`` keeps room for the arrow of a gradient; it is drawn where ``backward`` has text.
    ``share`` is the length of the wire relative to the others of its row.
    """

    forward: tuple[Line, ...]
    backward: tuple[Line, ...] = ()
    two_way: bool = False
    share: float = 1.0


@dataclass(frozen=True)
class Side:
    """A leaf that enters node number ``target`` from above (``way`` = 1) or from below (-1)."""

    leaf: Node
    wire: Wire
    target: int
    way: int = 1


@dataclass(frozen=True)
class Picture:
    """A graph with the room to keep ``above`` and ``below`` its row, and what its arrows mean."""

    title: str
    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]
    sides: tuple[Side, ...]
    legend: tuple[str, ...]
    above: float
    below: float


def points(pixels: float) -> float:
    """Pixels of the picture in points, the unit of font sizes and line widths."""
    return pixels * 72 / 96


def write(ax: Axes, x: float, y: float, lines: tuple[Line, ...], align: str = "center") -> None:
    """Write ``lines`` under each other, the middle of the whole at height ``y``."""
    first = y + PITCH * (len(lines) - 1) / 2
    for row, line in enumerate(lines):
        write_line(ax, x, first - row * PITCH - 5, line, align)


def write_line(ax: Axes, x: float, baseline: float, line: Line, align: str) -> None:
    """Write one line, and the tail after it where it has one."""
    font = {"family": CODE_FONT} if line.code else {}
    font |= {"weight": "bold"} if line.bold else {}
    if line.tail:
        length = CODE_WIDTH * line.size * len(line.text) + 7
        x, align = x - (length + TAIL_WIDTH) / 2, "left"
        ax.text(x + length, baseline, line.tail, color=line.colour, fontsize=points(16))
    ax.text(x, baseline, line.text, color=line.colour, fontsize=points(line.size), ha=align, **font)


def draw_node(ax: Axes, x: float, y: float, node: Node) -> None:
    """Draw ``node`` centred at (x, y)."""
    width, height = node.width, node.height
    left, edge = x - width / 2, {"edgecolor": INK, "linewidth": points(1.4)}
    if node.leaf:
        ax.add_patch(Circle((x, y), width / 2, facecolor=PAPER, **edge))
    else:
        corner, style = (left, y - height / 2), "round,pad=0,rounding_size=8"
        ax.add_patch(FancyBboxPatch(corner, width, height, style, facecolor=BOX, **edge))
    if not node.lower:
        write(ax, x, y, node.upper)
        return
    ax.add_line(Line2D([left, left + width], [y, y], color=INK, linewidth=points(0.8)))
    write(ax, x, y + height / 4, node.upper)
    write(ax, x, y - height / 4, node.lower)


def draw_arrow(ax: Axes, path: list[Point], back: bool = False) -> None:
    """Draw an arrow along ``path``, whose last leg is level or upright; dashed where ``back``."""
    (x0, y0), (x1, y1) = path[-2:]
    length = abs(x1 - x0) + abs(y1 - y0)
    u, v = (x1 - x0) / length, (y1 - y0) / length
    x2, y2 = x1 - 9 * u, y1 - 9 * v  # where the head begins
    colour, dashes = (BACKWARD, (0, (3.2, 1.8))) if back else (FORWARD, "-")
    shaft = Line2D(*zip(*path[:-1], (x2, y2), strict=True), color=colour, linestyle=dashes)
    shaft.set(linewidth=points(1.7), dash_capstyle="butt", solid_capstyle="butt")
    ax.add_line(shaft)
    head = [(x1, y1), (x2 - 3.6 * v, y2 + 3.6 * u), (x2 + 3.6 * v, y2 - 3.6 * u)]
    ax.add_patch(Polygon(head, closed=True, facecolor=colour, edgecolor="none"))


def draw_level_wire(ax: Axes, left: float, right: float, y: float, wire: Wire) -> None:
    """Draw a wire from ``left`` to ``right``: forward above, backward below."""
    left, right, middle = left + GAP, right - GAP, (left + right) / 2
    lane = LANE if wire.two_way else 0
    draw_arrow(ax, [(left, y + lane), (right, y + lane)])
    write(ax, middle, y + 18 + PITCH * (len(wire.forward) - 1) / 2, wire.forward)
    if wire.backward:
        draw_arrow(ax, [(right, y - lane), (left, y - lane)], back=True)
        write(ax, middle, y - 20 - PITCH * (len(wire.backward) - 1) / 2, wire.backward)


def draw_side(ax: Axes, x: float, edge: float, side: Side) -> None:
    """Draw a leaf and its upright wire to ``edge`` of a node: forward left, backward right."""
    wire, far = side.wire, edge + side.way * DROP
    near, end, middle = edge + side.way * GAP, far - side.way * GAP, (edge + far) / 2
    lane = LANE if wire.two_way else 0
    draw_arrow(ax, [(x - lane, end), (x - lane, near)])
    write(ax, x - lane - 8, middle, wire.forward, "right")
    if wire.backward:
        draw_arrow(ax, [(x + lane, near), (x + lane, end)], back=True)
        write(ax, x + lane + 8, middle, wire.backward, "left")
    draw_node(ax, x, far + side.way * side.leaf.height / 2, side.leaf)


def draw_legend(ax: Axes, y: float, legend: tuple[str, ...]) -> None:
    """Say what the solid arrows are and, where there are any, the dashed ones."""
    for x, text, back in zip((40, 430), legend, (False, True), strict=False):
        ends = [(x, y), (x + 44, y)]
        draw_arrow(ax, ends[::-1] if back else ends, back)
        write(ax, x + 54, y, (Line(text, 16, BACKWARD if back else FORWARD),), "left")


def centres(nodes: tuple[Node, ...], wires: tuple[Wire, ...]) -> list[float]:
    """The x of each node of a row that fills the width, each wire as long as its share says."""
    free = WIDTH - 2 * MARGIN - sum(node.width for node in nodes)
    unit = free / sum(wire.share for wire in wires)
    xs = [MARGIN + nodes[0].width / 2]
    for left, right, wire in zip(nodes[:-1], nodes[1:], wires, strict=True):
        xs.append(xs[-1] + left.width / 2 + unit * wire.share + right.width / 2)
    return xs


def draw(picture: Picture) -> Figure:
    """The figure of ``picture``; to be called and saved under ``STYLE``."""
    height = picture.above + picture.below + LEGEND
    figure = Figure(figsize=(WIDTH / 96, height / 96), facecolor=PAPER)
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
    ax.set_axis_off()
    nodes, y = picture.nodes, picture.below + LEGEND
    xs = centres(nodes, picture.wires)
    rights = [x + node.width / 2 for x, node in zip(xs, nodes, strict=True)]
    lefts = [x - node.width / 2 for x, node in zip(xs, nodes, strict=True)]
    for start, end, wire in zip(rights[:-1], lefts[1:], picture.wires, strict=True):
        draw_level_wire(ax, start, end, y, wire)
    for side in picture.sides:
        draw_side(ax, xs[side.target], y + side.way * nodes[side.target].height / 2, side)
    for x, node in zip(xs, nodes, strict=True):
        draw_node(ax, x, y, node)
    draw_legend(ax, LEGEND / 2, picture.legend)
    return figure
