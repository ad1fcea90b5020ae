"""A measure of one's own: a function with a name, a direction and a version, and the digest of what it does.

Two evaluations are comparable only if they scored alike, and a name says little of that. So the text of the function
is digested with it, and so are the constants that it was made with; a function whose text cannot be had, or that was
made with something else than constants, is refused.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CellType, NoneType
from typing import Any

from hokusai.domain.metrics import METRICS, MetricSpec, Scale, Task, common_metric_name
from hokusai.errors import InvalidInputError

RESERVED = (*METRICS, "brier", "latency_ms", "size_bytes", "delta_one")
"""Names that mean something already."""


@dataclass(frozen=True)
class Scorer:
    """A measure of one's own.

    Attributes:
        name: What reports and guardrails call it.
        function: `function(y_true, y_pred)`, or `function(y_true, y_pred, y_score)` if it has a third parameter without
            a default; arrays of n_rows. Labels are as the data have them. `y_score` is the score of the second class
            where there are two, else (n_rows, n_classes) in the order of the classes.
        higher_is_better: Its direction.
        version: Another one wherever the function means something else.
        per_row: Whether it gives a number for each row, (n_rows,), whose mean is the score; else it gives the score.
        kind: How numbers of rows are tested: a value of `hokusai.stats.outcomes.OutcomeKind`; "" to see by the numbers.
        source: The function's text, where Python cannot find it. Constants that the text only names, since a function
            around it or a default has them, follow it as comments.

    Raises:
        InvalidInputError: A name that is taken, no version, no function, one whose text cannot be had, or one that
            was made with values other than constants.

    >>> def within(k):
    ...     return lambda truth, said: abs(truth - said) <= k
    >>> Scorer("close", within(2), True, "1", source="lambda truth, said: abs(truth - said) <= k").source
    'lambda truth, said: abs(truth - said) <= k\\n# k = 2'
    """

    name: str
    function: Callable[..., Any]
    higher_is_better: bool
    version: str
    per_row: bool = True
    kind: str = ""
    source: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or set(self.name) & set("[]=\n"):
            raise InvalidInputError(
                f"A scorer's name is text without brackets and equals signs, got {self.name!r}"
            )
        if common_metric_name(self.name) in RESERVED:
            raise InvalidInputError(
                f"The name {self.name!r} is taken", where="scorer", hint="Choose another."
            )
        if not callable(self.function):
            raise InvalidInputError("A scorer needs a function", where=self.name)
        if not isinstance(self.version, str) or not self.version:
            raise InvalidInputError(
                "A scorer has a version, so that reports tell what was measured",
                where=self.name,
                hint='Give version="1".',
            )
        text = normalised_source(self.source or _source_of(self))
        values = [f"# {name} = {_constant(self.name, name, value)}" for name, value in _values_of(self)]
        made_with = "".join(f"\n{value}" for value in values)
        has_them = text.endswith(made_with)  # the source of another Scorer, as `dataclasses.replace` gives it
        object.__setattr__(self, "source", text if has_them else text + made_with)

    @property
    def source_sha256(self) -> str:
        """SHA-256 of `source`. What the function refers to by name in its module is not in it."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @property
    def metric(self) -> MetricSpec:
        """The scorer as a metric: its change counts as it is."""
        return MetricSpec(self.name, Task.REGRESSION, self.higher_is_better, Scale.SHARE)

    @property
    def takes_scores(self) -> bool:
        """Whether the function has a third parameter that has to be given."""
        try:
            parameters = list(inspect.signature(self.function).parameters.values())
        except (TypeError, ValueError):
            return False
        needed = [one for one in parameters if one.default is one.empty and one.kind in _BY_PLACE]
        return len(needed) >= 3

    def to_dict(self) -> dict[str, Any]:
        """What reports and manifests say of it."""
        return {
            "name": self.name,
            "version": self.version,
            "higher_is_better": self.higher_is_better,
            "per_row": self.per_row,
            "source_sha256": self.source_sha256,
        }


_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def normalised_source(text: str) -> str:
    r"""A function's text with line ends as LF and without blanks around it: what is digested.

    >>> normalised_source("\r\ndef f(a, b):\r\n    return a == b\r\n")
    'def f(a, b):\n    return a == b'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _values_of(scorer: Scorer) -> list[tuple[str, object]]:
    """(name, value) of what the function was made with: variables of functions around it, and defaults.

    Raises:
        InvalidInputError: It is a method, whose object may hold anything.
    """
    function: Any = scorer.function
    values: list[tuple[str, object]] = []
    while isinstance(function, functools.partial):
        values += [(f"argument {i}", value) for i, value in enumerate(function.args)]
        values += sorted(function.keywords.items())
        function = function.func
    if inspect.ismethod(function):
        raise InvalidInputError(
            "A method depends on what its object holds, which its text does not say",
            where=scorer.name,
            hint="Give a plain function.",
        )
    if inspect.isfunction(function):
        around = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        values += [(name, _content(cell)) for name, cell in around]
        defaults = function.__defaults__ or ()
        named = function.__code__.co_varnames[: function.__code__.co_argcount]
        values += zip(named[len(named) - len(defaults) :], defaults, strict=True)
        values += sorted((function.__kwdefaults__ or {}).items())
    return values


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return cell


def _constant(scorer: str, name: str, value: object) -> str:
    """A constant as Python writes it: equal texts are equal values."""
    if type(value) is tuple:
        return f"({' '.join(f'{_constant(scorer, name, part)},' for part in value)})"
    if type(value) not in (bool, int, float, str, bytes, NoneType):
        raise InvalidInputError(
            f"The scorer's function was made with {name}, a value of the type {type(value).__name__}, of which its "
            "text says nothing",
            where=scorer,
            hint="Make it with numbers and texts only, or write the value into the function.",
        )
    return repr(value)


def _source_of(scorer: Scorer) -> str:
    try:
        return inspect.getsource(scorer.function)
    except (OSError, TypeError) as problem:
        raise InvalidInputError(
            "The text of the scorer's function cannot be found, so that nobody could tell what it measures",
            where=scorer.name,
            hint="Write a plain function into a file, or give its text as source=….",
        ) from problem
