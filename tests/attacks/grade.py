"""Grades attacks, each followed by an honest submission, and judges what came of it."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import host, judge
from .attack import Attack
from .course import SECOND, submit_attack, submit_honest
from .run import OPTIONS, OURS, STOCK, Run, Template
from .watch import Done

FIXED = 30  # seconds that a run may take, and on top of them for each attack:
LIMITS = {STOCK: 45, OURS: 45}


@dataclass
class Verdict:
    """What came of one attack; without ``findings`` it came to nothing."""

    attack: Attack
    findings: list[str]
    together: list[str]  # those that may as well come of another attack in the same run
    log: str


def grade(template: Template, attacks: list[Attack]) -> list[Verdict]:
    """Grade ``attacks`` in one run of nbgrader, with an honest student after each."""
    run, course = template.copy()
    listeners = host.Listeners(run.folder, run.mark)
    known = {"COURSE": str(run.root), "MARK": run.mark, "SHM_KEY": run.shm_key}
    known |= listeners.addresses()
    students = {}
    try:
        for number, attack in enumerate(attacks):
            students[f"s{number:02}a_{attack.name}"] = attack
            submit_attack(course, f"s{number:02}a_{attack.name}", attack, known)
            submit_honest(course, f"s{number:02}b_next")
        before, rows = run.snapshot(), judge.kept(run.root)
        began = time.time()
        limit = FIXED + LIMITS[run.mode] * len(attacks)
        done = run.nbgrader("autograde", "ex1", *OPTIONS[run.mode], limit=limit)
        together = _changed(run, done, before, rows) + listeners.reached()
        if run.mode == OURS:
            together += _feedback(run, limit)
        taken = _seconds(run.root, began)
        verdicts = []
        for student, attack in students.items():
            findings = _findings(run, student, attack)
            if run.mode == OURS and taken.get(student, 0) > LIMITS[OURS]:
                findings.append(f"took {taken[student]:.0f} s")
            verdicts.append(Verdict(attack, findings + together, together, done.log))
        return verdicts
    finally:
        listeners.close()
        run.close()


def grade_together(template: Template, attacks: list[Attack]) -> list[Verdict]:
    """The same; where it cannot be told which attack did something, each gets a run of its own."""
    verdicts = grade(template, attacks) if attacks else []
    if len(attacks) < 2 or not verdicts[0].together:
        return verdicts
    alone = [grade(template, [attack])[0] for attack in attacks]
    return alone if any(verdict.together for verdict in alone) else verdicts


def _findings(run: Run, student: str, attack: Attack) -> list[str]:
    """What one attack gained or broke, as far as it can be told from those beside it."""
    after = f"{student[:3]}b_next"
    found = [
        judge.wrong_mark(run.root, student, attack),
        judge.broken_next(run.root, after, run.mark),
    ]
    found += judge.leaks(run.root, student, run.mark)
    if run.mode == OURS:
        found += judge.faults(run.root, student)
    return [each for each in found if each]


def _changed(run: Run, done: Done, before: dict[str, str], rows: list[object]) -> list[str]:
    """What a run changed that is none of its business, whoever of its students it was."""
    found = []
    if done.code is None:
        found.append(f"killed after {done.seconds:.0f} s")
    elif done.code != 0 and run.mode == OURS:
        found.append(f"nbgrader ended with {done.code}: {done.log[-300:]}")
    found += host.changes(before, run.snapshot()) + host.marked(run.mark, run.shm_key)
    if rows != _kept(run.root):
        found.append("changed what the gradebook holds of others")
    if done.survivors:
        found.append(f"left {len(done.survivors)} processes running ({done.survivors[0][:40]})")
    if re.search(rf"\x1b\][^\n]*{run.mark}", done.log):
        found.append("wrote control codes on the instructor's terminal")
    return found


def _kept(root: Path) -> list[object] | None:
    with suppress(Exception):  # whatever is wrong with the file, it is not what it was
        return judge.kept(root)
    return None


def _feedback(run: Run, limit: float) -> list[str]:
    """Make the pages that students get back; those of the honest are not looked at."""
    honest = ",".join(path.name for path in (run.root / "autograded").glob("s??b_*"))
    done = run.nbgrader(
        "generate_feedback",
        "ex1",
        f"--CourseDirectory.student_id_exclude={honest},neighbour",
        limit=limit,
    )
    if done.code == 0:
        return []
    return [f"feedback ended with {done.code}: {done.log[-300:]}"]


def _seconds(root: Path, began: float) -> dict[str, float]:
    """How long each student took: from the end of the one before, by the times of the files."""
    ends = {
        folder.name: (folder / "ex1" / f"{SECOND}.ipynb").stat().st_mtime
        for folder in (root / "autograded").iterdir()
        if (folder / "ex1" / f"{SECOND}.ipynb").exists()
    }
    taken, last = {}, began
    for name, end in sorted(ends.items(), key=lambda pair: pair[1]):
        if end > began:  # the neighbour was graded before
            taken[name], last = end - last, end
    return taken
