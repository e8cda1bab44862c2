"""One version of everything: pyproject.toml, constraints.txt and environment.yml agree."""

from __future__ import annotations

import re
import sysconfig
import tomllib
from importlib.metadata import distributions, version
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"dask-core": "dask", "msgpack-python": "msgpack", "pytorch-cpu": "torch"}


def canonical(name: str) -> str:
    """``name`` as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DIRECT = {
    canonical(re.split(r"[;\[]", entry)[0])
    for entry in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"])
}
PINNED = {
    canonical(name): pinned
    for name, pinned in re.findall(
        r"(?m)^([^#\s=]+)==(\S+)$", (ROOT / "constraints.txt").read_text()
    )
}
ENTRIES = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
CONDA = dict(entry.split("=") for entry in ENTRIES if isinstance(entry, str) and entry != "pip")
CONDA |= dict(entry.split("==") for entry in ENTRIES[-1]["pip"] if "==" in entry)


def test_conda_and_pip_name_the_same_packages():
    """environment.yml names the direct dependencies of pyproject.toml, and Python."""
    conda = {canonical(CONDA_NAMES.get(name, name)) for name in CONDA}
    assert conda - {"python"} == DIRECT


@pytest.mark.parametrize("name", sorted(CONDA.keys() - {"python"}))
def test_same_version_everywhere(name):
    """A version in environment.yml is the one in constraints.txt, and the one that runs here."""
    pip_name = canonical(CONDA_NAMES.get(name, name))
    assert CONDA[name] == PINNED[pip_name]
    assert version(pip_name).split("+")[0] == PINNED[pip_name]


def test_everything_installed_is_pinned():
    """Whatever the direct dependencies bring along is pinned as well."""
    installed = {
        canonical(d.metadata["Name"]) for d in distributions(path=[sysconfig.get_path("purelib")])
    }
    assert installed - set(PINNED) <= {"fairmark", "pip", "wheel", "setuptools"}


def test_python_version():
    """conda's Python satisfies what the package asks for."""
    assert PROJECT["requires-python"] == f">={CONDA['python']}"
