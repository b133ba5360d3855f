"""An incremental constraint solver: variables tied by one-way methods, the stronger constraint wins.

Constraints hang in linked webs that are built, edited, re-planned and torn down again.
"""

from __future__ import annotations

from collections.abc import Callable

from _program import Checksum, Scale, run

REQUIRED, STRONG, NORMAL, WEAK, WEAKEST = range(5)


class Variable:
    def __init__(self, name: str, value: float = 0) -> None:
        self.name = name
        self.value = value
        self.constraints: list[Constraint] = []
        self.determined_by: Constraint | None = None
        # How weak the weakest constraint upstream is that could give way to a new one.
        self.walk_strength = WEAKEST
        # No edit upstream: the value is computed once and stays until the web changes.
        self.stays = True
        self.mark = 0


class Constraint:
    """Ties variables; `output` is the one that it sets while it is satisfied."""

    is_edit = False

    def __init__(
        self, strength: int, variables: list[Variable], methods: list[tuple[Variable, Callable[[], float]]]
    ) -> None:
        self.strength = strength
        self.variables = variables
        self.methods = methods
        self.chosen: int | None = None

    @property
    def output(self) -> Variable:
        assert self.chosen is not None
        return self.methods[self.chosen][0]

    def inputs(self) -> list[Variable]:
        output = self.output
        return [variable for variable in self.variables if variable is not output]

    def choose(self, mark: int) -> bool:
        """Take the method whose output gives way most easily, if one does."""
        self.chosen = None
        weakest = self.strength
        for number, (output, _) in enumerate(self.methods):
            if output.mark != mark and output.walk_strength > weakest:
                self.chosen = number
                weakest = output.walk_strength
        return self.chosen is not None

    def recalculate(self) -> None:
        """Tell the output how easily it gives way, and whether an edit can move it."""
        weakest = self.strength
        output = self.output
        for other, _ in self.methods:
            if other is not output and other.walk_strength > weakest:
                weakest = other.walk_strength
        output.walk_strength = weakest
        output.stays = not self.is_edit and all(variable.stays for variable in self.inputs())

    def execute(self) -> None:
        assert self.chosen is not None
        output, method = self.methods[self.chosen]
        output.value = method()


def equal(strength: int, left: Variable, right: Variable) -> Constraint:
    return Constraint(strength, [left, right], [(right, lambda: left.value), (left, lambda: right.value)])


def scaled(strength: int, source: Variable, factor: Variable, offset: Variable, target: Variable) -> Constraint:
    return Constraint(
        strength,
        [source, factor, offset, target],
        [
            (target, lambda: source.value * factor.value + offset.value),
            (source, lambda: (target.value - offset.value) / factor.value),
        ],
    )


def stay(strength: int, variable: Variable) -> Constraint:
    return Constraint(strength, [variable], [(variable, lambda: variable.value)])


def editing(variable: Variable) -> Constraint:
    constraint = stay(STRONG, variable)
    constraint.is_edit = True
    return constraint


class Solver:
    def __init__(self) -> None:
        self.mark = 0

    def add(self, constraint: Constraint) -> None:
        for variable in constraint.variables:
            variable.constraints.append(constraint)
        self.mark += 1
        overridden = self._satisfy(constraint)
        while overridden is not None:
            overridden = self._satisfy(overridden)

    def _satisfy(self, constraint: Constraint) -> Constraint | None:
        if not constraint.choose(self.mark):
            if constraint.strength == REQUIRED:
                raise RuntimeError("a required constraint can't be satisfied")
            return None
        for variable in constraint.inputs():
            variable.mark = self.mark
        output = constraint.output
        overridden = output.determined_by
        if overridden is not None:
            overridden.chosen = None
        output.determined_by = constraint
        self._propagate(constraint)
        output.mark = self.mark
        return overridden

    def remove(self, constraint: Constraint) -> None:
        for variable in constraint.variables:
            variable.constraints.remove(constraint)
        if constraint.chosen is None:
            return
        output = constraint.output
        constraint.chosen = None
        output.determined_by = None
        output.walk_strength = WEAKEST
        output.stays = True
        unsatisfied = []
        waiting = [output]
        while waiting:
            variable = waiting.pop()
            for other in variable.constraints:
                if other.chosen is None:
                    unsatisfied.append(other)
                elif variable.determined_by is not other:
                    other.recalculate()
                    waiting.append(other.output)
        for other in sorted(unsatisfied, key=lambda one: one.strength):
            self.mark += 1
            again = self._satisfy(other)
            while again is not None:
                again = self._satisfy(again)

    def _propagate(self, constraint: Constraint) -> None:
        waiting = [constraint]
        while waiting:
            current = waiting.pop()
            current.recalculate()
            current.execute()
            output = current.output
            for other in output.constraints:
                if other is not current and other.chosen is not None and other.output is not output:
                    waiting.append(other)

    def plan(self, sources: list[Constraint]) -> list[Constraint]:
        """The constraints downstream of `sources`, each after those that it depends on."""
        self.mark += 1
        plan = []
        waiting = list(sources)
        while waiting:
            current = waiting.pop()
            output = current.output
            if output.mark == self.mark:
                continue
            if all(
                variable.mark == self.mark or variable.stays or variable.determined_by is None
                for variable in current.inputs()
            ):
                plan.append(current)
                output.mark = self.mark
                waiting.extend(
                    other for other in output.constraints if other is not current and other.chosen is not None
                )
        return plan


def edit(solver: Solver, variable: Variable, values: list[float]) -> None:
    handle = editing(variable)
    solver.add(handle)
    plan = solver.plan([handle])
    for value in values:
        variable.value = value
        for constraint in plan:
            constraint.execute()
    solver.remove(handle)


def chain(checksum: Checksum, length: int) -> None:
    solver = Solver()
    variables = [Variable(f"v{number}") for number in range(length + 1)]
    for left, right in zip(variables, variables[1:]):
        solver.add(equal(REQUIRED, left, right))
    solver.add(stay(WEAK, variables[-1]))
    edit(solver, variables[0], [float(value) for value in range(40)])
    assert all(variable.value == 39 for variable in variables)
    checksum.add(variables[-1].value, variables[length // 2].value)


def projection(checksum: Checksum, count: int) -> None:
    solver = Solver()
    factor, offset = Variable("factor", 10), Variable("offset", 1000)
    solver.add(stay(NORMAL, factor))
    solver.add(stay(NORMAL, offset))
    sources, targets = [], []
    for number in range(count):
        source, target = Variable(f"source {number}", number), Variable(f"target {number}", number)
        solver.add(stay(NORMAL, source))
        solver.add(scaled(REQUIRED, source, factor, offset, target))
        sources.append(source)
        targets.append(target)
    edit(solver, sources[0], [17.0])
    assert targets[0].value == 1170
    checksum.add(targets[0].value)
    edit(solver, targets[-1], [1050.0])
    assert sources[-1].value == 5
    checksum.add(sources[-1].value)
    edit(solver, factor, [5.0, 6.0, 7.0])
    edit(solver, offset, [2000.0])
    assert all(target.value == source.value * 7 + 2000 for source, target in zip(sources, targets))
    checksum.add([target.value for target in targets])


def main(scale: Scale, checksum: Checksum) -> None:
    for turn in range(scale(11)):
        chain(checksum, 1500 + turn)
        projection(checksum, 1500 + turn)


run(main)
