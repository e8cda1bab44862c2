"""CPU seconds of the student cells and tests of the reference notebooks, imports done before.

    python benchmarks/student_work.py [ASSIGNMENT] [--runs N]

Grading a class costs this much per student, whatever else is saved. The notebooks run once in this
process, which does all imports, lazy ones included; then they run N times and the median of the
process's CPU time (user and system, all threads) is printed. Figures are rendered to PNG as the
inline backend of a kernel does.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt

from fairmark.notebooks import read, run

SOURCE = Path(__file__).parents[1] / "source"


def render_figures() -> None:
    """Render and close every open figure, in place of ``plt.show``."""
    for number in plt.get_fignums():
        plt.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
    plt.close("all")


def cpu_seconds(notebook: object) -> float:
    """CPU seconds of one run of all cells of ``notebook``."""
    start = time.process_time()
    result = run(notebook)
    render_figures()
    seconds = time.process_time() - start
    if result.errors:
        raise SystemExit(f"a reference notebook fails: {result.errors}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assignment", nargs="?", default="ex1")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    plt.show = render_figures
    total = 0.0
    print(f"CPU seconds, median of {options.runs} runs in a process with its imports done")
    for path in sorted((SOURCE / options.assignment).glob("*.ipynb")):
        notebook = read(path)
        cpu_seconds(notebook)
        median = statistics.median(cpu_seconds(notebook) for _ in range(options.runs))
        total += median
        print(f"{path.stem:32} {median:6.3f}")
    print(f"{'together':32} {total:6.3f}")


if __name__ == "__main__":
    main()
