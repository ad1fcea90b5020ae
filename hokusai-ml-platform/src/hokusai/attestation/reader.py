"""Read a DeltaOne statement back into the claim that it was written from.

What a statement says twice (a delta beside its two values, credit beside the rows) is read once and dropped;
the verifier writes the claim again and compares, so that nothing derived has to be believed. Reading is
strict about types, and says where in the document something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

from hokusai.attestation.credited import read_attribution, read_interval
from hokusai.attestation.decided import read_decision
from hokusai.attestation.node import Node
from hokusai.attestation.statement import PREDICATE_TYPE, STATEMENT_TYPE
from hokusai.domain.claim import DeltaOneClaim, Estimator, Evidence
from hokusai.domain.commitments import Commitments
from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.delta import PAIRED_T, Comparison, Interval, JointCounts, MetricDelta, PrimaryRecord
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.metrics import METRICS, MetricSpec, Task, metric_spec
from hokusai.errors import HokusaiError, IntegrityError

T = TypeVar("T")
_MOST_ROWS = 10**10
"""McNemar's test takes a time that grows with the root of the rows; a real benchmark is far smaller."""


def read_statement(statement: object) -> DeltaOneClaim:
    """The claim that `statement` makes; `build_statement` gives the statement back.

    A contribution's file name is not part of the statement, and comes back empty.

    Raises:
        IntegrityError: The document is not a DeltaOne statement v1; `where` is the JSON path.
    """
    top = Node(statement)
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
            decision=_where_present(predicate, "decision", read_decision),
            attribution=_where_present(predicate, "attribution", read_attribution),
            commitments=_where_present(predicate, "commitments", _commitments),
            benchmark_record_sha256=_where_present(predicate, "benchmarkRecord", _sha256),
            benchmark_statement_sha256=_where_present(predicate, "benchmarkStatement", _sha256),
        )
    except IntegrityError:
        raise
    except (HokusaiError, ValueError) as exc:  # a noun that refuses its values
        raise IntegrityError(f"Not a DeltaOne statement v1: {exc}") from exc


def _where_present(predicate: Node, name: str, read: Callable[[Node], T]) -> T | None:
    """A member that a statement need not have; where it stands, it is not null."""
    node = predicate.get(name)
    return None if node is None else read(node)


def _commitments(node: Node) -> Commitments:
    return Commitments(
        labels=node["labels"].text(),
        baseline=node["baselinePredictions"].text(),
        new=node["newPredictions"].text(),
        scheme=node["scheme"].text(),
    )


def _sha256(node: Node) -> str:
    return node["sha256"].text()


def _comparison(predicate: Node) -> Comparison:
    whole = predicate["deltaOne"]
    score = whole["score"].number()
    standard_error, interval, p_value = _uncertainty(whole)
    n_units = _where_present(predicate, "benchmarkUnits", Node.count)
    n_rows = predicate["benchmarkRows"].count()
    return Comparison(
        task=Task(predicate["task"]["kind"].text()),
        n_rows=n_rows,
        averaging=predicate["task"]["averaging"].text(),
        deltas=_deltas(predicate["metrics"], n_rows, n_units),
        weights={name: node.fraction() for name, node in whole["weights"].members().items()},
        delta_one=float(score),
        standard_error=standard_error,
        interval=interval,
        p_value=p_value,
        exact=score if isinstance(score, Fraction) else None,
        counts=predicate["jointCounts"].optional(_counts),
        primary=_primary(predicate["primary"]),
        warnings=tuple(node.text() for node in predicate["warnings"].items()),
        n_units=n_units,
    )


def _deltas(node: Node, n_rows: int, n_units: int | None) -> tuple[MetricDelta, ...]:
    deltas = [_delta(metric_spec(name), member, n_rows, n_units) for name, member in node.members().items()]
    reporting_order = list(METRICS)
    return tuple(sorted(deltas, key=lambda delta: reporting_order.index(delta.metric.name)))


def _delta(spec: MetricSpec, node: Node, n_rows: int, n_units: int | None) -> MetricDelta:
    baseline, new, gain = node["baseline"].number(), node["new"].number(), node["gain"].number()
    exact = (baseline, new) if isinstance(baseline, Fraction) and isinstance(new, Fraction) else None
    standard_error, interval, p_value = _uncertainty(node)
    method = node["method"].text()
    freedom = max(n_rows - 1, 1) if method == PAIRED_T else None
    return MetricDelta(
        metric=spec,
        baseline_value=float(baseline),
        new_value=float(new),
        gain=float(gain),
        standard_error=standard_error,
        interval=interval,
        p_value=p_value,
        method=method,
        exact=exact,
        freedom=freedom if n_units is None else n_units - 1,
    )


def _uncertainty(node: Node) -> tuple[float, Interval, float]:
    return node["standardError"].decimal(), read_interval(node["interval"]), node["pValue"].decimal()


def _counts(node: Node) -> JointCounts:
    return JointCounts(
        classes=tuple(name.text() for name in node["classes"].items()),
        positive=node["positive"].optional(Node.count),
        cells=tuple(_cell(cell) for cell in node["cells"].items()),
    )


def _cell(node: Node) -> tuple[tuple[int, int, int], int]:
    match node.items():
        case [indexes, count]:
            match indexes.items():
                case [label, baseline, new]:
                    if count.count() > _MOST_ROWS:
                        raise count.wrong(f"more than {_MOST_ROWS} rows in one cell")
                    return (label.count(), baseline.count(), new.count()), count.count()
    raise node.wrong("expected [[label, baseline, new], count]")


def _primary(node: Node) -> PrimaryRecord:
    return PrimaryRecord(
        metric=node["metric"].text(),
        baseline_bps=node["baselineBps"].optional(Node.integer),
        new_bps=node["newBps"].optional(Node.integer),
        delta_bps=node["deltaBps"].integer(),
    )


def _contribution(node: Node) -> Contribution:
    rows = node["rows"]
    wallet = node["wallet"].optional(Node.text)
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


def _evidence(node: Node) -> Evidence:
    return Evidence(node["name"].text(), node["digest"]["sha256"].text(), node["mediaType"].text())


def _estimator(node: Node) -> Estimator:
    params = node["params"]
    return Estimator(
        node["importPath"].text(), {name: _param(value) for name, value in params.members().items()}
    )


def _param(node: Node) -> object:
    if isinstance(node.value, list):
        return [_param(item) for item in node.items()]
    if isinstance(node.value, dict):
        if set(node.value) == {"float"}:
            return node["float"].decimal()
        return {name: _param(item) for name, item in node.members().items()}
    if isinstance(node.value, float):
        raise node.wrong('a float is written {"float": "…"}')
    return node.value
