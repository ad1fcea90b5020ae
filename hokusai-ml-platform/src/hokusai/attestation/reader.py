"""Read a DeltaOne statement back into the claim that it was written from.

What a statement says twice (a delta beside its two values, credit beside the rows) is read once and dropped;
the verifier writes the claim again and compares, so that nothing derived has to be believed. Reading is
strict about types, and says where in the document something is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from hokusai.attestation.statement import PREDICATE_TYPE, STATEMENT_TYPE, decimal_text
from hokusai.domain.claim import DeltaOneClaim, Estimator, Evidence
from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.delta import Comparison, Interval, JointCounts, MetricDelta, PrimaryRecord
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.metrics import METRICS, MetricSpec, Task, metric_spec
from hokusai.errors import HokusaiError, IntegrityError

T = TypeVar("T")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,4000}")
_LARGEST = 10**300
_MOST_ROWS = 10**10
"""McNemar's test takes a time that grows with the root of the rows; a real benchmark is far smaller."""
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?")


def read_statement(statement: object) -> DeltaOneClaim:
    """The claim that `statement` makes; `build_statement` gives the statement back.

    A contribution's file name is not part of the statement, and comes back empty.

    Raises:
        IntegrityError: The document is not a DeltaOne statement v1; `where` is the JSON path.
    """
    top = _Node(statement, "$")
    for name, expected in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if top[name].value != expected:
            raise top[name].wrong(f"expected {expected!r}")
    subjects = {s["name"].text(): s["digest"]["sha256"].text() for s in top["subject"].items()}
    predicate = top["predicate"]
    for role in ("baseline-model", "new-model", "benchmark"):
        if role not in subjects:
            raise top["subject"].wrong(f"no subject is called {role!r}")
    baseline, new = predicate["estimators"]["baseline"], predicate["estimators"]["new"]
    try:
        return DeltaOneClaim(
            baseline_model_sha256=subjects["baseline-model"],
            new_model_sha256=subjects["new-model"],
            benchmark_sha256=subjects["benchmark"],
            base_data_sha256=subjects.get("base-data"),
            contributions=tuple(_contribution(node) for node in predicate["contributions"].items()),
            comparison=_comparison(predicate),
            target_column=predicate["task"]["targetColumn"].text(),
            feature_columns=tuple(node.text() for node in predicate["task"]["featureColumns"].items()),
            base_rows=predicate["training"]["baseRows"].count(),
            new_estimator=_estimator(new),
            baseline_estimator=baseline.optional(_estimator),
            libraries={name: node.text() for name, node in predicate["libraries"].members().items()},
            dry_run=predicate["dryRun"].flag(),
            evidence=tuple(_evidence(node) for node in predicate["evidence"].items()),
        )
    except IntegrityError:
        raise
    except (HokusaiError, ValueError) as exc:  # a noun that refuses its values
        raise IntegrityError(f"Not a DeltaOne statement v1: {exc}") from exc


@dataclass(frozen=True, slots=True)
class _Node:
    """A JSON value and where it stands, with one method a type that it may be read as."""

    value: object
    path: str

    def __getitem__(self, name: str) -> _Node:
        members = self._a(dict, "an object")
        if name not in members:
            raise self.wrong(f"{name!r} is missing")
        return _Node(members[name], f"{self.path}.{name}")

    def members(self) -> dict[str, _Node]:
        return {
            name: _Node(value, f"{self.path}.{name}") for name, value in self._a(dict, "an object").items()
        }

    def items(self) -> list[_Node]:
        return [_Node(value, f"{self.path}[{i}]") for i, value in enumerate(self._a(list, "a list"))]

    def text(self) -> str:
        return self._a(str, "text")

    def flag(self) -> bool:
        return self._a(bool, "true or false")

    def count(self) -> int:
        if isinstance(self.value, bool) or self._a(int, "a whole number") < 0:
            raise self.wrong("expected a whole number, zero or more")
        return self._a(int, "a whole number")

    def integer(self) -> int:
        return int(self._matching(_INTEGER, "a whole number in decimal, as text"))

    def decimal(self) -> float:
        number = float(self._matching(_DECIMAL, "a decimal number, as text"))
        if abs(number) == float("inf") or decimal_text(number) != self.value:
            raise self.wrong(f"expected the one text of a double, got {self.value!r}")
        return number

    def fraction(self) -> Fraction:
        numerator, denominator = self["num"].integer(), self["den"].integer()
        if denominator < 1:
            raise self["den"].wrong("a denominator must be above zero")
        if abs(numerator) > denominator * _LARGEST:
            raise self.wrong("the number is too large")
        return Fraction(numerator, denominator)

    def number(self) -> Fraction | float:
        return self.fraction() if isinstance(self.value, dict) else self.decimal()

    def optional(self, read: Callable[[_Node], T]) -> T | None:
        return None if self.value is None else read(self)

    def wrong(self, what: str) -> IntegrityError:
        return IntegrityError(f"Not a DeltaOne statement v1: {what}", where=self.path)

    def _a(self, kind: type[T], name: str) -> T:
        if not isinstance(self.value, kind):
            raise self.wrong(f"expected {name}, got {type(self.value).__name__}")
        return self.value

    def _matching(self, pattern: re.Pattern[str], name: str) -> str:
        text = self._a(str, name)
        if not pattern.fullmatch(text):
            raise self.wrong(f"expected {name}, got {text[:40]!r}")
        return text


def _comparison(predicate: _Node) -> Comparison:
    whole = predicate["deltaOne"]
    score = whole["score"].number()
    standard_error, interval, p_value = _uncertainty(whole)
    return Comparison(
        task=Task(predicate["task"]["kind"].text()),
        n_rows=predicate["benchmarkRows"].count(),
        averaging=predicate["task"]["averaging"].text(),
        deltas=_deltas(predicate["metrics"]),
        weights={name: node.fraction() for name, node in whole["weights"].members().items()},
        delta_one=float(score),
        standard_error=standard_error,
        interval=interval,
        p_value=p_value,
        exact=score if isinstance(score, Fraction) else None,
        counts=predicate["jointCounts"].optional(_counts),
        primary=_primary(predicate["primary"]),
        warnings=tuple(node.text() for node in predicate["warnings"].items()),
    )


def _deltas(node: _Node) -> tuple[MetricDelta, ...]:
    deltas = [_delta(metric_spec(name), member) for name, member in node.members().items()]
    reporting_order = list(METRICS)
    return tuple(sorted(deltas, key=lambda delta: reporting_order.index(delta.metric.name)))


def _delta(spec: MetricSpec, node: _Node) -> MetricDelta:
    baseline, new, gain = node["baseline"].number(), node["new"].number(), node["gain"].number()
    exact = (baseline, new) if isinstance(baseline, Fraction) and isinstance(new, Fraction) else None
    standard_error, interval, p_value = _uncertainty(node)
    return MetricDelta(
        metric=spec,
        baseline_value=float(baseline),
        new_value=float(new),
        gain=float(gain),
        standard_error=standard_error,
        interval=interval,
        p_value=p_value,
        method=node["method"].text(),
        exact=exact,
    )


def _uncertainty(node: _Node) -> tuple[float, Interval, float]:
    bounds = node["interval"]
    interval = Interval(bounds["low"].decimal(), bounds["high"].decimal(), bounds["confidence"].decimal())
    return node["standardError"].decimal(), interval, node["pValue"].decimal()


def _counts(node: _Node) -> JointCounts:
    return JointCounts(
        classes=tuple(name.text() for name in node["classes"].items()),
        positive=node["positive"].optional(_Node.count),
        cells=tuple(_cell(cell) for cell in node["cells"].items()),
    )


def _cell(node: _Node) -> tuple[tuple[int, int, int], int]:
    match node.items():
        case [indexes, count]:
            match indexes.items():
                case [label, baseline, new]:
                    if count.count() > _MOST_ROWS:
                        raise count.wrong(f"more than {_MOST_ROWS} rows in one cell")
                    return (label.count(), baseline.count(), new.count()), count.count()
    raise node.wrong("expected [[label, baseline, new], count]")


def _primary(node: _Node) -> PrimaryRecord:
    return PrimaryRecord(
        metric=node["metric"].text(),
        baseline_bps=node["baselineBps"].optional(_Node.integer),
        new_bps=node["newBps"].optional(_Node.integer),
        delta_bps=node["deltaBps"].integer(),
    )


def _contribution(node: _Node) -> Contribution:
    rows = node["rows"]
    wallet = node["wallet"].optional(_Node.text)
    return Contribution(
        contributor=Contributor(
            node["contributor"].text(), None if wallet is None else WalletAddress.parse(wallet)
        ),
        file_name="",
        sha256=node["sha256"].text(),
        size_bytes=node["sizeBytes"].count(),
        rows_read=rows["read"].count(),
        rows_accepted=rows["accepted"].count(),
        rows_duplicate=rows["duplicate"].count(),
        rows_in_base=rows["inBase"].count(),
        rows_in_benchmark=rows["inBenchmark"].count(),
        rows_without_label=rows["withoutLabel"].count(),
    )


def _evidence(node: _Node) -> Evidence:
    return Evidence(node["name"].text(), node["digest"]["sha256"].text(), node["mediaType"].text())


def _estimator(node: _Node) -> Estimator:
    params = node["params"]
    return Estimator(
        node["importPath"].text(), {name: _param(value) for name, value in params.members().items()}
    )


def _param(node: _Node) -> object:
    if isinstance(node.value, list):
        return [_param(item) for item in node.items()]
    if isinstance(node.value, dict):
        if set(node.value) == {"float"}:
            return node["float"].decimal()
        return {name: _param(item) for name, item in node.members().items()}
    if isinstance(node.value, float):
        raise node.wrong('a float is written {"float": "…"}')
    return node.value
