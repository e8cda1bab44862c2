"""Cells of the course as the grader process runs them: their code, and the names that they mean.

They are the same for every submission, so whoever grades many has them compiled once, and sends
the grader processes the code. No student's process may have it: it holds the tests.
"""

from __future__ import annotations

import ast
import base64
import builtins
import copy
import marshal
import re
import symtable
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from IPython.core.inputtransformer2 import TransformerManager

MAYBE = (ast.If, ast.While, ast.Try, ast.TryStar, ast.Match)  # need not bind what they could
TIMED = re.compile(r"^\s*%%(time|capture)\b.*")  # magics of a whole cell that change no name
KEPT = 2000  # cells


class Compiled(NamedTuple):
    """A cell, ready to be run; ``last`` is its last line where that is an expression."""

    names: Names
    body: CodeType
    last: CodeType | None

    def run(self, names: dict[str, Any]) -> Any:
        """Run the cell; the value of its last line, or None."""
        exec(self.body, names)
        return None if self.last is None else eval(self.last, names)


def compile_cell(source: str, name: str) -> Compiled:
    """The code of a cell. Raises SyntaxError, and ValueError for what is no source at all."""
    tree = parse_cell(source, name)
    names = names_of(tree)
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    body = ast.Module(tree.body[:-1] if last else tree.body, [])
    return Compiled(
        names,
        compile(body, cell_file(name), "exec", dont_inherit=True),
        last and compile(ast.Expression(last.value), cell_file(name), "eval", dont_inherit=True),
    )


@lru_cache(maxsize=KEPT)
def packed(source: str, name: str) -> str:
    """A compiled cell as text for :func:`unpacked`, in a process of the same Python.

    Empty where it cannot be compiled; the grader process meets the error itself then.
    """
    try:
        names, body, last = compile_cell(source, name)
    except Exception:
        return ""
    return base64.b64encode(marshal.dumps(([*map(list, names)], body, last))).decode()


def unpacked(text: str) -> Compiled:
    """The cell that was packed; ``text`` is from a process that is trusted."""
    names, body, last = marshal.loads(base64.b64decode(text))
    return Compiled(Names(*map(set, names)), body, last)


def parse_cell(source: str, name: str) -> ast.Module:
    """The syntax tree of a cell; magics, which are about the display of a kernel, are left out.

    Raises :class:`SyntaxError`.
    """
    source = TIMED.sub("", source)
    tree = ast.parse(TransformerManager().transform_cell(source), cell_file(name))
    first = len(source) - len(source.lstrip())  # IPython drops the blank lines before it
    ast.increment_lineno(tree, source[:first].count("\n"))
    tree.body = [line for line in tree.body if not ast.unparse(line).startswith("get_ipython()")]
    if source.rstrip().endswith(";") and tree.body and isinstance(tree.body[-1], ast.Expr):
        tree.body.append(ast.Pass())  # as in a kernel, this value is not shown
    return ast.fix_missing_locations(tree)


def cell_file(name: str) -> str:
    """The file name that stands for a cell in tracebacks."""
    return f"<cell {name}>"


class Names(NamedTuple):
    """The global names of a cell, without builtins."""

    loads: set[str]
    defines: set[str]
    asks: set[str]  # those that it may look up before it has defined them


def names_of(tree: ast.Module) -> Names:
    """The names that a cell looks up as globals, and those it defines itself."""
    loads, defines = _names_in(tree.body)
    return Names(loads, defines, _asked(tree.body, set()))


def _asked(lines: list[ast.stmt], bound: set[str]) -> set[str]:
    """What ``lines`` look up that may not be ``bound`` by then; what they surely bind is added."""
    asked: set[str] = set()
    for line in lines:
        loads, defines = _names_in([line])
        if isinstance(line, ast.For | ast.With):
            loads, defines = _names_in([_head(line)])
            asked |= loads - bound
            inside = bound if isinstance(line, ast.With) else set(bound)  # a loop may have no turn
            inside |= defines
            asked |= _asked(line.body, inside) | _asked(getattr(line, "orelse", []), set(bound))
        elif isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            asked |= loads - bound - defines
            bound |= defines
        else:
            asked |= loads - bound
            if not isinstance(line, MAYBE):
                bound |= defines
    return asked


def _head(line: ast.For | ast.With) -> ast.stmt:
    """A loop or ``with`` that does nothing."""
    head = copy.copy(line)
    head.body = [ast.Pass()]
    if isinstance(head, ast.For):
        head.orelse = []
    return head


def _names_in(lines: list[ast.stmt]) -> tuple[set[str], set[str]]:
    """The global names that ``lines`` look up somewhere, and those that they define."""
    tree = ast.Module(lines, [])
    top = symtable.symtable(ast.unparse(tree), "cell", "exec")
    used, tables = set(), [top]
    for table in tables:  # grows as nested functions are met
        tables.extend(table.get_children())
        read = (s for s in table.get_symbols() if s.is_referenced())
        used |= {s.get_name() for s in read if table is top or s.is_global()}
    added_to = (node.target for node in ast.walk(tree) if isinstance(node, ast.AugAssign))
    own = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    used |= own & {target.id for target in added_to if isinstance(target, ast.Name)}
    return used - set(dir(builtins)), own
