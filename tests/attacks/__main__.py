"""Prints what stock nbgrader and this repository make of each attack.

``python -m tests.attacks [--stock-only | --ours-only] [NAME or CLASS ...]``
"""

from __future__ import annotations

import argparse
import importlib.metadata
import signal
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .attack import CLASSES, Attack, load_attacks
from .grade import Verdict, grade, grade_together
from .run import OURS, STOCK, Template

SHOWN = 110  # characters of what happened; the rest is in the log of a single attack
MODES = {STOCK: "stock nbgrader", OURS: "ours"}


def main(arguments: list[str] | None = None) -> int:
    """Run the attacks and print the table; 1 where one of them got through to us."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("names", nargs="*", help="attacks or classes; all where none is given")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--stock-only", action="store_const", dest="only", const=STOCK)
    only.add_argument("--ours-only", action="store_const", dest="only", const=OURS)
    parser.add_argument("--log", action="store_true", help="print what nbgrader said, too")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    chosen = [
        attack
        for attack in load_attacks()
        if not options.names or {attack.name, attack.kind} & set(options.names)
    ]
    if not chosen:
        parser.error(f"no attack and no class is called {' or '.join(options.names)}")
    modes = [options.only] if options.only else [STOCK, OURS]
    results = {mode: _graded(mode, chosen, options.log) for mode in modes}
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(_table(chosen, results))
    for mode, verdicts in results.items():
        console.print(_sum(mode, list(verdicts.values())))
    return int(any(verdict.findings for verdict in results.get(OURS, {}).values()))


def _graded(mode: str, attacks: list[Attack], log: bool) -> dict[str, Verdict]:
    """Stock nbgrader gets a run for each attack, as it may not survive one; we get one a class."""
    found = {}
    template = Template(mode)
    try:
        for verdict in _verdicts(template, attacks):
            found[verdict.attack.name] = verdict
            print(f"{mode}: {verdict.attack.name}: {_told(verdict)}", file=sys.stderr, flush=True)
            if log:
                print(verdict.log, file=sys.stderr)
    finally:
        template.close()
    return found


def _verdicts(template: Template, attacks: list[Attack]) -> Iterator[Verdict]:
    if template.mode == STOCK:
        for attack in attacks:
            yield from grade(template, [attack])
    else:
        for kind in CLASSES:
            yield from grade_together(template, [one for one in attacks if one.kind == kind])


def _told(verdict: Verdict) -> str:
    text = " ".join("; ".join(verdict.findings).split())
    return (text[:SHOWN] + " ..." if len(text) > SHOWN else text) or "nothing"


def _table(attacks: list[Attack], results: dict[str, dict[str, Verdict]]) -> Table:
    table = Table(title="Attacks, and what they got", title_justify="left")
    table.add_column("class", no_wrap=True)
    table.add_column("attack", no_wrap=True)
    for mode in results:
        table.add_column(MODES[mode], overflow="fold")
    kind = ""
    for attack in attacks:
        if kind and attack.kind != kind:
            table.add_section()
        cells = [Text(_told(verdicts[attack.name])) for verdicts in results.values()]
        table.add_row("" if attack.kind == kind else attack.kind, attack.name, *cells)
        kind = attack.kind
    return table


def _sum(mode: str, verdicts: list[Verdict]) -> str:
    lost = sum(bool(verdict.findings) for verdict in verdicts)
    version = f" {importlib.metadata.version('nbgrader')}" if mode == STOCK else ""
    return f"{MODES[mode]}{version}: loses to {lost} of {len(verdicts)} attacks"


if __name__ == "__main__":
    sys.exit(main())
