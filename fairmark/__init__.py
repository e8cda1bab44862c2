"""Fair, trustworthy and fast marks for Jupyter courses graded with nbgrader.

An instructor has this package, a student does not need it. Its rooms:

- :mod:`fairmark.derivation`: a chain of hand-worked answers, errors carried forward.
- :mod:`fairmark.checks`: values, functions, layers and modules against independent oracles.
- :mod:`fairmark.preprocessors`: the places where nbgrader is told all this.
- :mod:`fairmark.notebooks`: the role of every cell, and a run of a notebook in this process.
- :mod:`fairmark.samples`: sample submissions, derived from the sources.
- :mod:`fairmark.report`: what a grading run gave, as a table.
- :mod:`fairmark.isolation`: tests in a process of their own, joined to the answers by a bridge.
- :mod:`fairmark.kernel`: kernels that are forked warm and confined.
- :mod:`fairmark.autograde`: a whole class, in parallel, to be stopped and resumed at any point.
"""

__version__ = "0.1.0"
