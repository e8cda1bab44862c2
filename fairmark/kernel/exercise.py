"""Typical work of a notebook, done once before the forks: what is made at its first use is there.

Only what was measured to help: drawing. (Torch and NumPy have little that is made at first use.)
Nothing here comes from an assignment; settings stay as they were, and pyplot hears of nothing.
"""

from __future__ import annotations

import contextlib
import sys


def exercise() -> None:
    """Draw, if Matplotlib is loaded; that it cannot is for notebooks to find out."""
    if "matplotlib.pyplot" in sys.modules:
        with contextlib.suppress(Exception):
            _draw()


def _draw() -> None:
    """Render a figure with what figures of notebooks have, as a kernel shows it."""
    import matplotlib
    from IPython.core.pylabtools import print_figure
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        figure = Figure(layout="tight")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        places = range(1, 9)
        left.plot(places, places, "o--", label=r"$\frac{\partial L}{\partial x_1}$")
        left.scatter(places, places, s=3, alpha=0.5)
        left.set(xlabel="x", ylabel="y", title="title")
        left.legend()
        left.grid(True)
        right.semilogy(places, places)
        right.bar(places, places)
        print_figure(figure, fmt="png", base64=True)
