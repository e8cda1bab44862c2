"""Attacks on the grader: one file each, in a folder for each class.

The first line of a file says what stock nbgrader 0.9.6 makes of it. Those that get nothing there
are kept so that it stays so, and because they may get something from a grader that is built
otherwise. ``python -m tests.attacks`` runs them all against stock nbgrader and this repository.
"""
