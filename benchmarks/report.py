"""Writes docs/benchmarks.md and its plots from the figures in docs/benchmarks/."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np

from .real import STOCK_NAME, WORKERS, ours

HERE = Path(__file__).parent
PROCESSES = ("coordinator", "worker", "kernel", "grader", "zygote")


def write_report(docs: Path) -> None:
    """Write the report on whatever has been measured, the class on ex1 and the big one."""
    plt.rcParams |= {"svg.hashsalt": "fairmark", "svg.fonttype": "none"}
    figures = docs / "benchmarks"
    parts = []
    for name, filled in (("real", real_part), ("parts", parts_part), ("synthetic", synthetic_part)):
        if (figures / f"{name}.json").exists():
            data = json.loads((figures / f"{name}.json").read_text())
            template = (HERE / f"{name}.template.md").read_text()
            parts.append(template.format(**data | filled(data, figures)))
    (docs / "benchmarks.md").write_text("\n".join(parts))


def real_part(data: dict[str, Any], figures: Path) -> dict[str, Any]:
    """What the text on ex1 is to say; its plot is written."""
    costs = {name: cost(runs, *data["sizes"][name]) for name, runs in data["runs"].items()}
    stock, floor = costs[STOCK_NAME]["wall"], median(data["floor"])
    plot_graders(costs, figures / "real.svg")
    spent = [each for runs in data["runs"].values() for turn in runs for each in turn]
    rows = []
    for name, c in costs.items():
        times = (c["wall"], 60 / c["wall"], stock / c["wall"], c["cpu"], c["cpu"] - floor)
        rows.append([name, *(f"{time:.2f}" for time in times), f"{c['wall once']:.1f}"])
    best = min(map(ours, WORKERS), key=lambda name: costs[name]["wall"])
    by_kind = dict(zip(PROCESSES, spent_by_kind(data["parts"])[best], strict=True))
    return {
        "graders": table(
            "grader, seconds, a minute, times stock, CPU seconds, beyond the floor, once", rows
        ),
        "floor": f"{floor:.2f}",
        "best": best,
        "times": f"{stock / costs[best]['wall']:.1f}",
        "beyond": f"{costs[best]['cpu'] - floor:.2f}",
        "own": f"{by_kind['coordinator'] + by_kind['worker']:.2f}",
        "memory_table": memory_table(data["memory"]),
        "seconds": ", ".join(f"{name} {c['wall']:.2f}" for name, c in costs.items()),
        "turns": len(data["floor"]),
        "parts_table": parts_table(data["parts"]),
        "peers": " and ".join(map(str, data["sizes"][STOCK_NAME])),
        "ours": " and ".join(map(str, data["sizes"][ours(WORKERS[0])])),
        "accounted": sum(each["cpu"] for each in spent) / sum(each["machine"] for each in spent),
    }


def cost(runs: list[list[dict[str, float]]], small: int, large: int) -> dict[str, float]:
    """Medians over the turns of what a submission costs, and a run."""
    result = {}
    for unit in ("wall", "cpu"):
        each = [(more[unit] - less[unit]) / (large - small) for less, more in runs]
        once = [less[unit] - small * one for (less, _), one in zip(runs, each, strict=True)]
        result |= {unit: median(each), f"{unit} once": median(once)}
    return result


def spent_by_kind(parts: dict[str, list[dict[str, Any]]]) -> dict[str, list[float]]:
    """CPU seconds a submission for each of PROCESSES, medians over the turns."""
    return {
        name: [
            median(turn["cpu"][kind] / turn["submissions"] for turn in turns) for kind in PROCESSES
        ]
        for name, turns in parts.items()
    }


def parts_table(parts: dict[str, list[dict[str, Any]]]) -> str:
    """The same as a table."""
    rows = [
        [name, *(f"{seconds:.2f}" for seconds in [*each, sum(each)])]
        for name, each in spent_by_kind(parts).items()
    ]
    return table(", ".join(["CPU seconds a submission", *PROCESSES, "together"]), rows)


def parts_part(data: dict[str, Any], figures: Path) -> dict[str, Any]:
    """What the text on the parts of the cost is to say."""
    rows = []
    for kind in PROCESSES:
        full, empty = data["full"][kind], data["empty"][kind]
        rows.append((kind, f"{empty:.2f}", f"{full - empty:.2f}", f"{full:.2f}"))
    sums = [sum(float(row[column]) for row in rows) for column in (1, 2, 3)]
    rows.append(("together", *(f"{each:.2f}" for each in sums)))
    heads = "CPU seconds a submission, with cells that do nothing, for the cells, together"
    return {"table": table(heads, rows), "floor": f"{data['floor']:.2f}"}


def memory_table(memory: dict[str, Any]) -> str:
    """Peaks by kind of process."""
    roles = ["command", "worker", "zygote", "kernel", "grader process"]
    rows = []
    for name, seen in memory.items():
        peaks = [(seen["rss"].get(role), seen["pss"].get(role)) for role in roles]
        cells = [f"{rss:.0f} ({pss:.0f})" if rss else "" for rss, pss in peaks]
        rows.append((name, *cells, f"{seen['together']:.0f}"))
    return table(", ".join(["grader", *roles, "together"]), rows)


def synthetic_part(data: dict[str, Any], figures: Path) -> dict[str, Any]:
    """What the text on the big class is to say; its plot is written."""
    with (figures / "synthetic.csv").open() as file:
        samples = np.array([list(row.values()) for row in csv.DictReader(file)], dtype=float)
    seconds, graded, memory = samples[samples[:, 1] > 0].T
    ends = np.linspace(graded[0], graded[-1], 11)
    rates = np.diff(ends) / np.diff(np.interp(ends, graded, seconds))
    plot_class(rates, graded, memory, figures / "synthetic.svg")
    later = graded > ends[1]
    growth = np.polyfit(graded[later] / 1000, memory[later], 1)[0]
    rows = [
        ("submissions a second", f"{data['submissions'] / data['wall']:.1f}"),
        ("in the first tenth, in the last", f"{rates[0]:.1f}, {rates[-1]:.1f}"),
        ("the last by the first (wanted: 0.8 at least)", f"{rates[-1] / rates[0]:.2f}"),
        ("CPU seconds a submission", f"{data['cpu'] / data['submissions']:.3f}"),
        ("MB of the coordinator after a tenth", f"{memory[later][0]:.0f}"),
        ("at most", f"{max(memory):.0f}"),
        ("MB more for 1000 submissions, after a tenth", f"{growth:.2f}"),
    ]
    return {"table": table("measured, ", rows)}


def table(head: str, rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; the headings are separated by commas."""
    heads = head.split(", ")
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def plot_graders(costs: dict[str, dict[str, float]], path: Path) -> None:
    """Bars of the seconds a submission takes, by the clock and on all cores."""
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for place, (unit, label) in enumerate([("wall", "seconds"), ("cpu", "CPU seconds")]):
        heights = np.arange(len(costs)) + 0.4 * place - 0.2
        bars = axes.barh(heights, [each[unit] for each in costs.values()], 0.4, label=label)
        axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set_yticks(range(len(costs)), list(costs))
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("for one submission of ex1, three notebooks")
    axes.legend()
    save(figure, path)


def plot_class(rates: np.ndarray, graded: np.ndarray, memory: np.ndarray, path: Path) -> None:
    """The rate in each tenth of the class, and the coordinator's memory over it."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    left.bar(range(1, 11), rates)
    left.set(xlabel="tenth of the class", ylabel="submissions a second", xticks=range(1, 11))
    right.plot(graded, memory)
    right.set(xlabel="submissions graded", ylabel="coordinator's memory in MB")
    right.set_ylim(0, 1.2 * memory.max())
    save(figure, path)


def save(figure: plt.Figure, path: Path) -> None:
    """Write a plot that is the same file for the same figures."""
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
