"""The figures of ex1: drawn afresh they are the committed files, and notebooks show them well."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

SOURCE = Path(__file__).parents[2] / "source" / "ex1"
FIGURES = SOURCE / "figures"
SCRIPT = FIGURES / "draw_graph.py"
NAMES = [
    "computation_graph",
    "computation_graph_numpy",
    "computation_graph_pytorch",
    "worked_example_backward",
    "worked_example_forward",
]
MARKDOWN_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]+)[^)]*\)")
LEAST_ALT = 40  # characters; less than that cannot say what a graph shows


def images_of(notebook: Path) -> list[tuple[str, str]]:
    """The alt text and target of every image in the prose of ``notebook``."""
    cells = nbformat.read(notebook, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert "<img" not in prose, f"{notebook.name}: write images as ![alt text](figures/NAME.svg)"
    images = [(match["alt"], match["target"]) for match in MARKDOWN_IMAGE.finditer(prose)]
    assert len(images) == prose.count("!["), f"{notebook.name}: an image that cannot be read"
    return images


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the figures of a fresh run of the script."""
    folder = tmp_path_factory.mktemp("figures")
    subprocess.run([sys.executable, SCRIPT, folder], check=True, timeout=120)
    return folder


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module."""
    monkeypatch.syspath_prepend(str(FIGURES))
    return importlib.import_module("draw_graph")


class TestFiles:
    def test_the_script_draws_the_five_figures_and_nothing_else(self, drawn):
        """What the script writes and what is committed are the same five names."""
        assert sorted(path.name for path in drawn.iterdir()) == [f"{name}.svg" for name in NAMES]
        assert sorted(path.stem for path in FIGURES.glob("*.svg")) == NAMES

    @pytest.mark.parametrize("name", NAMES)
    def test_a_fresh_run_gives_the_committed_bytes(self, drawn, name):
        """The committed figure is what the script draws today."""
        same = (drawn / f"{name}.svg").read_bytes() == (FIGURES / f"{name}.svg").read_bytes()
        assert same, f"{name}.svg is stale; run: python source/ex1/figures/draw_graph.py"

    @pytest.mark.parametrize("name", NAMES)
    def test_a_figure_is_small_and_stands_alone(self, name):
        """At most 80 KB, on white paper, letters as paths, no date and no link to other files."""
        text = (FIGURES / f"{name}.svg").read_text(encoding="utf-8")
        assert len(text.encode()) <= 80_000
        assert "fill: #ffffff" in text
        assert "<text" not in text
        assert "dc:date" not in text
        assert all(link.startswith("#") for link in re.findall(r'xlink:href="([^"]*)"', text))


class TestWorkedExample:
    def test_the_gradients_are_the_slopes_of_the_loss(self, script):
        """Each parameter's gradient agrees with a central difference of the forward pass."""
        gradients = script.backward(script.forward(script.EXAMPLE))
        for name in ("W1", "b1", "W2", "b2"):
            value, step = script.EXAMPLE[name], 1e-6
            up = script.forward(script.EXAMPLE | {name: value + step})["L"]
            down = script.forward(script.EXAMPLE | {name: value - step})["L"]
            assert gradients[name] == pytest.approx((up - down) / (2 * step), rel=1e-6)

    def test_gradients_along_the_chain_follow_from_those_of_the_biases(self, script):
        """A bias adds to its sum, so its gradient is that of the sum."""
        gradients = script.backward(script.forward(script.EXAMPLE))
        assert gradients["b1"] == gradients["a"]
        assert gradients["b2"] == gradients["y"]
        assert gradients["z"] == pytest.approx(gradients["y"] * script.EXAMPLE["W2"])


class TestNotebooks:
    def test_images_are_files_and_have_alt_text(self):
        """Every notebook shows a figure, and its images exist and are described in words."""
        wrong = []
        for notebook in sorted(SOURCE.glob("*.ipynb")):
            images = images_of(notebook)
            if not any(target.startswith("figures/") for _, target in images):
                wrong.append(f"{notebook.name}: it shows no figure")
            for alt, target in images:
                if not (SOURCE / target).is_file():
                    wrong.append(f"{notebook.name}: there is no file {target}")
                if len(alt) < LEAST_ALT:
                    wrong.append(f"{notebook.name}: {target} needs a longer alt text than {alt!r}")
        assert not wrong, "\n".join(wrong)

    def test_alt_text_and_target_are_read_from_prose(self, tmp_path):
        """An image is found wherever it stands in a cell, and code is no prose."""
        cells = [
            nbformat.v4.new_markdown_cell("See\n\n![a graph](figures/a.svg)\nand ![](b.svg 'B')."),
            nbformat.v4.new_code_cell("print('![c](c.svg)')"),
        ]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "n.ipynb")
        assert images_of(tmp_path / "n.ipynb") == [("a graph", "figures/a.svg"), ("", "b.svg")]
