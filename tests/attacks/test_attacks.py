"""Each attack gets what was honestly earned and nothing more."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from . import watch
from .attack import CLASSES, Attack, load_attacks
from .course import HONEST, MAXIMA, SECRETS
from .grade import Verdict, grade, grade_together
from .judge import revealed
from .run import OURS, STOCK, Template

ATTACKS = load_attacks()
OPENINGS = re.compile(
    "(Changes|Ends|Gets|Leaves|Makes|Opens|Prints|Reads|Rewrites|Ruins|Runs|Sends|Starts|Takes"
    "|Talks|Uses|Writes) .+[.]"
)
SEEN = {  # an attack that stock nbgrader loses to, for each way to notice one
    "transformer": "points, earned",
    "history": "shows a hidden test",
    "daemon": "left 1 processes running",
    "network": "reached a tcp socket",
    "own_marks": "changed what the gradebook holds",
    "next_submission": "the next student gets",
    "startup_file": "made ~/",
    "shared_memory": "made /dev/shm",
    "terminal": "control codes",
    "linked_data": "the gradebook",
    "parent_stopped": "killed after",
}


@pytest.fixture(scope="module")
def verdict(request: pytest.FixtureRequest) -> Iterator[Callable[[Attack], Verdict]]:
    """What came of an attack. Those of a class that are to be tested are graded in one run."""
    wanted = {
        item.callspec.params["attack"].name
        for item in request.session.items
        if "attack" in getattr(getattr(item, "callspec", None), "params", {})
    }
    found: dict[str, Verdict] = {}
    template = Template(OURS)

    def of(attack: Attack) -> Verdict:
        if attack.name not in found:
            same = [one for one in ATTACKS if one.kind == attack.kind and one.name in wanted]
            found.update({one.attack.name: one for one in grade_together(template, same)})
        return found[attack.name]

    yield of
    template.close()


@pytest.fixture(scope="module")
def stock() -> Iterator[Template]:
    """The course as stock nbgrader grades it."""
    template = Template(STOCK)
    yield template
    template.close()


@pytest.mark.attacks
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.kind}-{attack.name}")
def test_ours(verdict: Callable[[Attack], Verdict], attack: Attack) -> None:
    """The mark is right, nothing is leaked or changed, and the next student is graded as ever."""
    found = verdict(attack)
    assert found.findings == [], found.log[-3000:]


@pytest.mark.attacks
@pytest.mark.parametrize("name", SEEN)
def test_stock(stock: Template, name: str) -> None:
    """The judge sees each kind of loss where there is one: with stock nbgrader."""
    attack = next(one for one in ATTACKS if one.name == name)
    assert any(SEEN[name] in finding for finding in grade(stock, [attack])[0].findings)


def test_classes() -> None:
    """There are at least thirty attacks, and three of each class, each under a name of its own."""
    assert len(ATTACKS) >= 30
    assert len({attack.name + attack.kind for attack in ATTACKS}) == len(ATTACKS)
    counts = Counter(attack.kind for attack in ATTACKS)
    assert {kind: counts[kind] >= 3 for kind in CLASSES} == dict.fromkeys(CLASSES, True)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.kind}-{attack.name}")
def test_described(attack: Attack) -> None:
    """Each file says in its first line what stock nbgrader makes of it, and does something."""
    assert OPENINGS.fullmatch(attack.stock)
    assert attack.answers or attack.edit or attack.tamper
    assert attack.earned.keys() <= MAXIMA.keys()
    honest = [name for name, source in attack.answers.items() if source == HONEST]
    assert {f"test_{name}" for name in honest} >= attack.earned.keys() - {"test_mean"} or (
        attack.name == "callers"
    )


@pytest.mark.parametrize(
    "encode",
    [
        str,
        lambda text: text[::-1],
        lambda text: text.encode().hex(),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: f"<span>{text[:5]}</span><b>{text[5:]}</b>",
    ],
    ids=["plain", "reversed", "hex", "base64", "markup"],
)
def test_revealed(encode: Callable[[str], str]) -> None:
    """A secret is found in any text around it, and in the usual encodings."""
    secret = SECRETS["a hidden test"]
    assert revealed(f"x {encode('... ' + secret + ' ...')} y") == {"a hidden test"}
    assert revealed(encode("nothing of interest here")) == set()


def test_survivors(tmp_path) -> None:
    """What a command leaves running is told, and ended; a command that takes too long as well."""
    left = "import os, time; os.fork() or os.setsid() or os.fork() or time.sleep(60)"
    done = watch.run(["python3", "-c", left], tmp_path, {"PATH": "/usr/bin:/bin"}, 20)
    assert (done.code, len(done.survivors)) == (0, 1)
    slow = watch.run(["sleep", "60"], tmp_path, {"PATH": "/usr/bin:/bin"}, 0.2)
    assert slow.code is None
