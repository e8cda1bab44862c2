"""``python -m benchmarks``: measure what grading costs, and write docs/benchmarks.md.

python -m benchmarks                     all of it, and the report
python -m benchmarks real                ours, stock nbgrader and otter-grader on ex1
python -m benchmarks parts               where the CPU seconds of ours go
python -m benchmarks synthetic           a class of ten thousand
python -m benchmarks report              the report anew, from what was measured before
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from . import measure, otter, parts, real, synthetic
from .report import write_report

PACKAGES = ("nbgrader", "distributed", "ipykernel", "torch", "numpy")


def main() -> None:
    """Measure what is asked for, keep the figures beside the report, and write it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=["real", "parts", "synthetic", "report"])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs=2, default=[2, 6])
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--docs", type=Path, default=Path(__file__).parents[1] / "docs")
    options = parser.parse_args()
    kept = options.docs / "benchmarks"
    kept.mkdir(parents=True, exist_ok=True)
    if options.what in (None, "real"):
        keep(kept / "real.json", real.measured(options.turns, options.sizes))
    if options.what in (None, "parts"):
        keep(kept / "parts.json", parts.measured(options.turns))
    if options.what in (None, "synthetic"):
        samples = kept / "synthetic.csv"
        spent = synthetic.measured(options.submissions, options.workers, samples)
        keep(kept / "synthetic.json", spent)
    write_report(options.docs)


def keep(path: Path, figures: dict[str, Any]) -> None:
    """Write figures, and on what they were measured."""
    path.write_text(json.dumps({"machine": machine(), **figures}, indent=1) + "\n")


def machine() -> str:
    """On what it was measured."""
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(": ")[1] for line in cpuinfo if line.startswith("model name")), "?")
    memory = round(psutil.virtual_memory().total / 1000 / measure.MEGA)
    versions = [f"{name} {version(name)}" for name in PACKAGES]
    return ", ".join(
        [
            f"{len(os.sched_getaffinity(0))} cores ({model}), {memory} GB of memory",
            f"Linux {'.'.join(platform.release().split('.')[:2])}",
            f"Python {platform.python_version()}",
            *versions,
            f"otter-grader {otter.VERSION}",
        ]
    )


if __name__ == "__main__":
    main()
