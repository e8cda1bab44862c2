"""What a notebook imports: found by running it, kept, and found anew when it changes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from fairmark.kernel import preload
from fairmark.kernel.preload import PreloadError, modules_of
from tests.kernel.running import eventually, marked

OUTER = """
def use():
    import preload_inner
    return preload_inner.value
"""


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Writes a notebook of these cells; modules of the course can be imported, the cache is new."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "preload_outer.py").write_text(OUTER)
    (modules / "preload_inner.py").write_text("value = 3")
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def write(*cells: str) -> Path:
        path = tmp_path / "some notebook.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell(source) for source in cells]), path)
        return path

    return write


class TestModules:
    """What is found."""

    def test_lazy_imports(self, notebook):
        """A module that a library imports only inside of a function is found, ours are not."""
        path = notebook(
            "import preload_outer", "import fairmark.checks.values", "preload_outer.use()"
        )
        found = modules_of(path)
        assert {"preload_outer", "preload_inner"} <= set(found)
        assert found.index("preload_outer") < found.index("preload_inner")
        assert not [name for name in found if name.split(".")[0] in {"fairmark", "__main__"}]

    def test_not_used(self, notebook):
        """What is never imported is not found."""
        found = modules_of(notebook("import preload_outer"))
        assert "preload_outer" in found
        assert "preload_inner" not in found

    def test_noise_and_failing_cells(self, notebook):
        """What cells print by any way, and a cell that fails, change nothing."""
        noise = "import os, sys; print('x'); os.write(1, b'noise\\n'); os.system('echo noise')"
        assert "preload_outer" in modules_of(notebook(noise, "1 / 0", "import preload_outer"))

    def test_files_beside(self, notebook, tmp_path, monkeypatch):
        """It reads the files beside it; what it writes is neither there nor anywhere afterwards."""
        temporary = tmp_path / "temporary"
        temporary.mkdir()
        monkeypatch.setenv("TMPDIR", str(temporary))
        (tmp_path / "name.txt").write_text("preload_outer")
        code = "__import__(open('name.txt').read()); open('name.txt', 'w'); open('more.txt', 'w')"
        assert "preload_outer" in modules_of(notebook(code))
        assert (tmp_path / "name.txt").read_text() == "preload_outer"
        assert not list(tmp_path.rglob("more.txt"))
        assert list(temporary.iterdir()) == []


class TestCache:
    """The list is found once."""

    def test_found_once(self, notebook, monkeypatch):
        """The second time it comes from the cache; another code is another list."""
        asked = []
        monkeypatch.setattr(
            preload, "_found_by_running", lambda path: asked.append(path) or [f"m{len(asked)}"]
        )
        path = notebook("import json")
        assert modules_of(path) == modules_of(path) == ["m1"]
        notebook("import csv")
        assert modules_of(path) == ["m2"]
        notebook("import json")
        assert modules_of(path) == ["m1"]
        assert len(asked) == 2

    def test_other_versions(self, notebook, monkeypatch):
        """The list is found anew when a package was exchanged for another version."""
        monkeypatch.setattr(preload, "_found_by_running", lambda path: [preload._versions()[0]])
        path = notebook("import json")
        for version in ("numpy 1", "numpy 2"):
            monkeypatch.setattr(preload, "_versions", lambda version=version: [version])
            assert modules_of(path) == [version]

    @pytest.mark.parametrize("text", ["", "{"])
    def test_damaged(self, notebook, tmp_path, monkeypatch, text):
        """A file of the cache that cannot be read is replaced."""
        monkeypatch.setattr(preload, "_found_by_running", lambda path: ["json"])
        path = notebook("import json")
        modules_of(path)
        (kept,) = (tmp_path / "cache").rglob("*.json")
        kept.write_text(text)
        assert modules_of(path) == ["json"]
        assert kept.read_text() == '["json"]'

    def test_no_cache(self, notebook, tmp_path, monkeypatch):
        """Where nothing can be kept, the list is found all the same."""
        (tmp_path / "cache").write_text("a file where a folder should be")
        monkeypatch.setattr(preload, "_found_by_running", lambda path: ["json"])
        assert modules_of(notebook("import json")) == ["json"]


class TestErrors:
    """What cannot be read or run is said in one line."""

    @pytest.mark.parametrize(
        "text", ["", "no notebook\nat all", "[]", "{}", '{"nbformat": 4, "cells": 3}', "\0"]
    )
    def test_unreadable(self, notebook, text):
        """A file that is no notebook is a PreloadError of one line that names it."""
        path = notebook("import json")
        path.write_text(text)
        with pytest.raises(PreloadError, match=r"some notebook\.ipynb cannot be read: ") as caught:
            modules_of(path)
        assert "\n" not in str(caught.value)

    def test_missing(self, tmp_path):
        """So is a file that is not there."""
        with pytest.raises(PreloadError, match="cannot be read"):
            modules_of(tmp_path / "nothing.ipynb")

    @pytest.mark.parametrize(
        "code, why",
        [
            ("import os; os._exit(3)", "CalledProcessError"),
            ("raise SystemExit('the notebook\\ngave up')", "gave up"),
            ("import os; os._exit(0)", "JSONDecodeError"),
        ],
    )
    def test_does_not_end(self, notebook, code, why):
        """A notebook that ends its process is a PreloadError, and nothing is kept of it."""
        path = notebook("import preload_outer", code)
        with pytest.raises(PreloadError, match=why) as caught:
            modules_of(path)
        assert "\n" not in str(caught.value)

    def test_too_long(self, notebook, monkeypatch):
        """So is one that runs on."""
        monkeypatch.setattr(preload, "LONGEST", 0.1)
        with pytest.raises(PreloadError, match="TimeoutExpired"):
            modules_of(notebook("while True: pass"))

    def test_killed(self, notebook, tmp_path):
        """The run of the notebook ends with the process that asked for it, also by SIGKILL."""
        began = tmp_path / "began"
        path = notebook(f"open({str(began)!r}, 'w').close()", "while True: pass")
        asking = "import sys; from fairmark.kernel.preload import modules_of; "
        asking += "from pathlib import Path; modules_of(Path(sys.argv[1]))"
        environment = os.environ | {"MARKER": str(tmp_path)}
        command = [sys.executable, "-c", asking, str(path)]
        with subprocess.Popen(command, env=environment) as process:
            assert eventually(began.exists)
            time.sleep(0.1)
            process.kill()
        assert eventually(lambda: not marked(str(tmp_path)))
