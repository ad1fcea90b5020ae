"""The arithmetic of a claim, done again: each check recomputes one thing from the facts that stand below it.

Only the standard library, and the rules that the comparison itself is made by (`hokusai.stats.from_counts`,
`hokusai.stats.wald`, `hokusai.domain.metrics`). Directions, formulas and the meaning of a weight come from
there, never from the statement. Every function returns a sentence on what it found right, or raises
`IntegrityError`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

from hokusai.attestation.numbers import Json, is_writable
from hokusai.domain.claim import DeltaOneClaim
from hokusai.domain.delta import BY_UNITS, PAIRED_T, Comparison, Interval, MetricDelta, primary_record
from hokusai.domain.metrics import Scale, Task
from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.stats.cell_influence import INFLUENCE_FUNCTION, JACKKNIFE, error_from_counts
from hokusai.stats.from_counts import (
    COUNT_METRICS,
    discordant_rows,
    mcnemar_from_counts,
    metrics_from_counts,
)
from hokusai.stats.wald import interval_around, stand_in_error, two_sided_p

NO_BASELINE_ERROR_GAIN = Fraction(-1)
"""The gain in a regression error where the baseline made none and the new model does."""

_SIGN_TEST = "+sign-test"
_BY_INFLUENCE = (INFLUENCE_FUNCTION, f"{INFLUENCE_FUNCTION}{_SIGN_TEST}")
_FROM_COUNTS = (JACKKNIFE, f"{JACKKNIFE}{_SIGN_TEST}", *_BY_INFLUENCE)
_METHODS = {
    "accuracy": ("mcnemar-mid-p",),
    "precision": _FROM_COUNTS,
    "recall": _FROM_COUNTS,
    "f1": _FROM_COUNTS,
    **dict.fromkeys(("rmse", "mae", "r2"), (PAIRED_T, f"{PAIRED_T}{_SIGN_TEST}", *_BY_INFLUENCE)),
}
"""How the p-value of a metric may have been made; of any other metric, from its influences."""

_AUROC_OF_TWO = ("delong", f"delong{_SIGN_TEST}")
"""Of the one area where there are two classes; the mean of several areas has influences as any other metric."""

_ACCURACY_BY_UNITS = "sign-flip-mid-p"

_ROUNDING = 1e-9
"""Two ways of computing one number in doubles, on any machine, agree to this share of its size."""


def check_task(claim: DeltaOneClaim) -> str:
    """Task, columns, averaging and joint counts fit each other, and the counts are of the whole benchmark."""
    comparison = claim.comparison
    if claim.target_column in claim.feature_columns:
        raise IntegrityError(f"The target column {claim.target_column!r} is among the features")
    if len(set(claim.feature_columns)) < len(claim.feature_columns):
        raise IntegrityError("A feature column is named twice")
    for delta in comparison.deltas:
        if delta.metric.task is not comparison.task:
            raise IntegrityError(f"{delta.metric.name} is not a metric of {comparison.task}")
    if not comparison.deltas or comparison.n_rows < 1:
        raise IntegrityError("The statement has no metric, or its benchmark has no row")
    if comparison.n_units is not None and not 2 <= comparison.n_units < comparison.n_rows:
        raise IntegrityError(f"{comparison.n_rows} rows cannot belong to {comparison.n_units} units")
    counts = comparison.counts
    if comparison.task is Task.REGRESSION:
        if counts is not None or comparison.averaging:
            raise IntegrityError("A regression has no joint counts and no averaging")
        return f"regression on {comparison.n_rows} benchmark rows"
    if counts is None:
        raise IntegrityError("A classification without its joint counts cannot be checked")
    discordant_rows(counts)  # refuses a table that has more than one reading
    if counts.n_rows != comparison.n_rows:
        raise IntegrityError(f"The counts are of {counts.n_rows} rows, the benchmark has {comparison.n_rows}")
    n_classes = len(counts.classes)
    if n_classes < 2 or len(set(counts.classes)) < n_classes:
        raise IntegrityError("The classes are fewer than two, or two have one name")
    binary = counts.positive is not None
    if binary != (n_classes == 2) or comparison.averaging != ("binary" if binary else "macro"):
        raise IntegrityError("Averaging, positive class and number of classes do not fit each other")
    return f"{n_classes} classes, counts of all {comparison.n_rows} benchmark rows"


def check_metrics(claim: DeltaOneClaim) -> str:
    """Every metric that the joint counts determine has exactly the values that they give."""
    comparison = claim.comparison
    for delta in comparison.deltas:
        _check_range(delta)
    if comparison.counts is None:
        return "values are in range"
    recomputed = metrics_from_counts(comparison.counts)
    checked = [delta for delta in comparison.deltas if delta.metric.name in recomputed]
    for delta in checked:
        expected = recomputed[delta.metric.name]
        if all(map(is_writable, expected)):
            right = delta.exact == expected
        else:
            right = (delta.baseline_value, delta.new_value) == tuple(map(float, expected))
        if not right:
            raise IntegrityError(
                f"{delta.metric.name}: the counts give {float(expected[0]):.6g} "
                f"and {float(expected[1]):.6g}, "
                f"the statement says {delta.baseline_value:.6g} and {delta.new_value:.6g}"
            )
    return f"{', '.join(delta.metric.name for delta in checked) or 'none'}: exactly what the counts give"


def check_deltas(claim: DeltaOneClaim, stated: Json, rebuilt: Json) -> str:
    """Each delta is new minus baseline; a model does not differ from itself."""
    for name in _members(stated, "metrics"):
        said, right = (_member(predicate, "metrics", name).get("delta") for predicate in (stated, rebuilt))
        if said != right:
            raise IntegrityError(f"{name}: new minus baseline is {right}, the statement says {said}")
    same = claim.baseline_model_sha256 == claim.new_model_sha256
    changed = [d.metric.name for d in claim.comparison.deltas if d.absolute_delta]
    if same and changed:
        raise IntegrityError(f"Baseline and new model are the same file, but {', '.join(changed)} differ")
    return f"{len(claim.comparison.deltas)} deltas are new minus baseline"


def check_gains(claim: DeltaOneClaim, stated: Json, rebuilt: Json) -> str:
    """Each gain follows from the values and from the metric's own direction."""
    for delta in claim.comparison.deltas:
        name = delta.metric.name
        said, right = (_member(predicate, "metrics", name).get("gain") for predicate in (stated, rebuilt))
        if said != right or not _close(delta.gain, float(_gain(delta)), _size(delta)):
            raise IntegrityError(f"{name}: the gain is {float(_gain(delta)):.6g}, the statement says {said}")
    return "gains have the direction of their metric"


def check_uncertainty(claim: DeltaOneClaim, confidence: float) -> str:
    """Every interval is its estimate plus or minus the critical value times its standard error."""
    comparison = claim.comparison
    if comparison.interval.confidence != confidence:
        raise IntegrityError(
            f"The confidence is {comparison.interval.confidence}, the policy asks for {confidence}"
        )
    for name, change, standard_error, interval, p_value in _estimates(comparison):
        if interval.confidence != comparison.interval.confidence or not 0 < interval.confidence < 1:
            raise IntegrityError(f"{name}: the confidence {interval.confidence} is not one in (0, 1) for all")
        if standard_error < 0 or not 0 < p_value <= 1:
            raise IntegrityError(f"{name}: a standard error below zero, or a p-value outside (0, 1]")
        expected = interval_around(change, standard_error, interval.confidence, _freedom(comparison, name))
        size = abs(change) + standard_error
        if not (_close(interval.low, expected.low, size) and _close(interval.high, expected.high, size)):
            raise IntegrityError(
                f"{name}: the standard error gives the interval {expected.low:.6g} to {expected.high:.6g}, "
                f"the statement says {interval.low:.6g} to {interval.high:.6g}"
            )
    return f"{100 * comparison.interval.confidence:g} % intervals follow from the standard errors"


def check_significance(claim: DeltaOneClaim, units: str | None = None) -> str:
    """Accuracy's p-value and all errors that the counts give are so; other p-values fit their errors.

    Args:
        claim: What the statement says.
        units: The column of units that was agreed on, without which errors between rows are too small.
    """
    comparison = claim.comparison
    counts = comparison.counts
    if units is not None and comparison.n_units is None:
        raise IntegrityError(f"Errors are to be between the units of {units!r}, and these are between rows")
    for delta in comparison.deltas:
        if not _is_method(delta, comparison):
            raise IntegrityError(f"{delta.metric.name}: no such method as {delta.method[:80]!r}")
    _check_errors(comparison)
    for name, change, standard_error, _, p_value in _estimates(comparison):
        of_accuracy = name == "accuracy" or (name == "DeltaOne" and set(comparison.weights) == {"accuracy"})
        if of_accuracy and comparison.n_units is not None:
            # All units together show the most if all go one way; and they show no more than that many single rows.
            by_rows = 0.0 if counts is None else mcnemar_from_counts(counts) * (1 - _ROUNDING * 100)
            if p_value < max(2.0**-comparison.n_units, by_rows):
                raise IntegrityError(
                    f"{name}: {comparison.n_units} units cannot give the p-value {p_value:.6g}"
                )
            continue
        if of_accuracy and counts is not None:
            expected = mcnemar_from_counts(counts)
        elif p_value == 1.0 and abs(change) <= _ROUNDING * max(1.0, _largest(comparison, name)):
            continue
        else:
            freedom = _freedom(comparison, name)
            expected = two_sided_p(change / standard_error, freedom) if standard_error else math.nan
        if not math.isclose(p_value, expected, rel_tol=_ROUNDING * 100):
            raise IntegrityError(
                f"{name}: expected the p-value {expected:.6g}, the statement says {p_value:.6g}"
            )
    if comparison.n_units is not None:
        return f"p-values follow from the standard errors between {comparison.n_units} units"
    if counts is None:
        return "p-values follow from the standard errors"
    mid_p = mcnemar_from_counts(counts)
    return f"McNemar's mid-p is {mid_p:.4g}; the other p-values follow from the standard errors"


def check_weights(claim: DeltaOneClaim, wanted: Mapping[str, Fraction] | None) -> str:
    """The weights are above zero, of compared metrics, sum to exactly 1, and are the wanted ones."""
    weights = claim.comparison.weights
    unknown = set(weights) - {delta.metric.name for delta in claim.comparison.deltas}
    if unknown:
        raise IntegrityError(f"A weight is given to {', '.join(sorted(unknown))}, which was not compared")
    if any(weight <= 0 for weight in weights.values()) or sum(weights.values()) != 1:
        raise IntegrityError(f"The weights sum to {sum(weights.values())}, or one is not above zero")
    if wanted is not None and dict(weights) != dict(wanted):
        raise IntegrityError(f"The weights are {_listed(weights)}, the policy asks for {_listed(wanted)}")
    return f"{_listed(weights)}{'' if wanted is None else ', as the policy asks'}"


def check_delta_one(claim: DeltaOneClaim, stated: Json, rebuilt: Json) -> str:
    """DeltaOne is the weighted average of the gains."""
    comparison = claim.comparison
    weighted = [(w, d) for d in comparison.deltas if (w := comparison.weights.get(d.metric.name)) is not None]
    total = sum((weight * _gain(delta) for weight, delta in weighted), Fraction(0))
    if comparison.exact is not None:
        right = comparison.exact == total and all(delta.exact is not None for _, delta in weighted)
    else:
        size = sum(float(weight) * _size(delta) for weight, delta in weighted)
        must_be_exact = all(delta.exact is not None for _, delta in weighted) and is_writable(total)
        right = not must_be_exact and _close(comparison.delta_one, float(total), size)
    for name in ("display", "computationMethod"):
        right = right and _members(stated, "deltaOne").get(name) == _members(rebuilt, "deltaOne").get(name)
    if not right:
        raise IntegrityError(
            f"The weighted average of the gains is {float(total):.6g}, "
            f"the statement says {comparison.delta_one:.6g}"
        )
    exactly = "" if comparison.exact is None else ", exactly"
    return f"{float(total):.6g} is the weighted average of the gains{exactly}"


def check_primary(claim: DeltaOneClaim, wanted: str | None) -> str:
    """The record in basis points is that of the primary metric."""
    stated = claim.comparison.primary
    if wanted is not None and stated.metric != wanted:
        raise IntegrityError(f"The primary metric is {stated.metric}, the policy asks for {wanted}")
    of = [delta for delta in claim.comparison.deltas if delta.metric.name == stated.metric]
    if not of:
        raise IntegrityError(f"The primary metric {stated.metric!r} was not compared")
    expected = primary_record(of[0])
    if stated != expected:
        raise IntegrityError(f"The primary record should read {expected}, the statement says {stated}")
    return f"{stated.metric}: {stated.delta_bps:+d} basis points"


def check_sources(claim: DeltaOneClaim) -> None:
    """No row was accepted from a file that is the benchmark, the base data, or an earlier contribution.

    Such a file may be given: then all of its rows are left out as known.
    """
    known = {claim.benchmark_sha256: "the benchmark"}
    if claim.base_data_sha256 is not None:
        known.setdefault(claim.base_data_sha256, "the base data")
    for i, contribution in enumerate(claim.contributions, start=1):
        same = known.setdefault(contribution.sha256, f"contributed-data/{i}")
        if same != f"contributed-data/{i}" and contribution.rows_accepted:
            raise IntegrityError(
                f"contributed-data/{i} is the same file as {same}, "
                f"but {contribution.rows_accepted} rows of it are said to be new"
            )


def check_contributors(claim: DeltaOneClaim, stated: Json, rebuilt: Json) -> str:
    """Credit follows from the attribution, or else from accepted rows; only a well-formed address is payable."""
    for said, right in zip(_list(stated, "contributions"), _list(rebuilt, "contributions"), strict=True):
        for name in ("credit", "payable", "subject", "wallet"):
            if said.get(name) != right.get(name):
                raise IntegrityError(
                    f"{right['subject']}: {name} should be {right.get(name)}, "
                    f"the statement says {said.get(name)}"
                )
    for name in ("training", "creditMethod"):
        if stated.get(name) != rebuilt.get(name):
            raise IntegrityError(
                f"{name} should be {rebuilt.get(name)}, the statement says {stated.get(name)}"
            )
    nobody = claim.attribution is not None and not claim.attribution.paid
    if sum(claim.credits) != (0 if nobody else 1):
        raise IntegrityError(f"The credit sums to {sum(claim.credits)}")
    unpayable = [c.contributor.contributor_id for c in claim.contributions if not c.contributor.payable]
    note = f"; not payable: {', '.join(unpayable)}" if unpayable else ""
    return f"credit for {len(claim.contributions)} contributions sums to {sum(claim.credits)}{note}"


def check_error(name: str, change: float, said: float, expected: float) -> None:
    """A standard error is the one that the counts give; 0 stands for what they do not know."""
    if change and not expected:
        expected = stand_in_error(change, 1)
    if not math.isclose(said, expected, rel_tol=1e-6, abs_tol=1e-12):
        raise IntegrityError(
            f"{name}: the counts give the standard error {expected:.6g}, the statement says {said:.6g}"
        )


def below_rows(comparison: Comparison) -> tuple[str, ...]:
    """Metrics whose stated error between units is below that which the counts give between rows.

    What is made today has none (`hokusai.stats.clusters.by_units`); what was made before may have some.
    """
    if comparison.n_units is None or comparison.counts is None:
        return ()
    methods = {
        d.metric.name: d.method.removesuffix(_SIGN_TEST).removesuffix(BY_UNITS) for d in comparison.deltas
    }
    least = {
        d.metric.name: error_from_counts(comparison.counts, {d.metric.name: 1.0}, methods)
        for d in comparison.deltas
        if d.metric.name in COUNT_METRICS
    }
    return tuple(
        d.metric.name
        for d in comparison.deltas
        if d.standard_error < least.get(d.metric.name, 0.0) * (1 - 1e-6)
    )


def first_difference(stated: object, expected: object, path: str = "$") -> str | None:
    """Where two JSON values differ first, in words; None if they are equal and of equal types."""
    return next(_differences(stated, expected, path), None)


def _differences(stated: object, expected: object, path: str) -> Iterator[str]:
    if isinstance(stated, dict) and isinstance(expected, dict):
        for name in sorted({*stated, *expected}):
            if name not in expected:
                yield f"{path}.{name} is unknown"
            elif name not in stated:
                yield f"{path}.{name} is missing"
            else:
                yield from _differences(stated[name], expected[name], f"{path}.{name}")
    elif isinstance(stated, list) and isinstance(expected, list) and len(stated) == len(expected):
        for i, (one, other) in enumerate(zip(stated, expected, strict=True)):
            yield from _differences(one, other, f"{path}[{i}]")
    elif type(stated) is not type(expected) or stated != expected:
        yield f"{path} is {str(stated)[:80]}, expected {str(expected)[:80]}"


def _gain(delta: MetricDelta) -> Fraction:
    """The gain by the metric's own rule, from the two values."""
    old, new = delta.exact or (Fraction(delta.baseline_value), Fraction(delta.new_value))
    if delta.metric.scale is Scale.SHARE:
        return delta.metric.direction * (new - old)
    if old:
        return delta.metric.direction * (new - old) / abs(old)
    return Fraction(0) if new == old else NO_BASELINE_ERROR_GAIN


def _size(delta: MetricDelta) -> float:
    """The magnitude beside which rounding in a gain is judged."""
    if delta.metric.scale is Scale.SHARE:
        return max(1.0, abs(delta.baseline_value), abs(delta.new_value))
    return 1.0 + abs(float(_gain(delta)))


def _largest(comparison: Comparison, name: str) -> float:
    values = [
        max(abs(d.baseline_value), abs(d.new_value)) for d in comparison.deltas if d.metric.name == name
    ]
    return max(values, default=1.0)


def _estimates(comparison: Comparison) -> list[tuple[str, float, float, Interval, float]]:
    """(name, change, standard error, interval, p-value) of each metric and of DeltaOne."""
    of_metrics = [
        (d.metric.name, d.absolute_delta, d.standard_error, d.interval, d.p_value) for d in comparison.deltas
    ]
    change = comparison.delta_one if comparison.exact is None else float(comparison.exact)
    whole = ("DeltaOne", change, comparison.standard_error, comparison.interval, comparison.p_value)
    return [*of_metrics, whole]


def _check_errors(comparison: Comparison) -> None:
    """Standard errors that the counts determine are so; that of DeltaOne is one that its parts can have.

    The error of a sum lies between the difference and the sum of its parts' errors, however they correlate. What
    the counts determine is one part, each other metric is one; the error of an error's relative gain is not known.
    """
    counts = comparison.counts if comparison.n_units is None else None  # they know nothing of units
    parts, known = [], {}
    methods = {d.metric.name: d.method.removesuffix(_SIGN_TEST) for d in comparison.deltas}
    for delta in comparison.deltas:
        name, weight = delta.metric.name, float(comparison.weights.get(delta.metric.name, 0))
        if counts is not None and name in COUNT_METRICS:
            expected = error_from_counts(counts, {name: 1.0}, methods)
            check_error(name, delta.absolute_delta, delta.standard_error, expected)
            known.update({name: weight} if weight else {})
        elif weight and delta.metric.scale is not Scale.SHARE:
            return
        elif weight:
            parts.append(weight * delta.standard_error)
    change = comparison.delta_one if comparison.exact is None else float(comparison.exact)
    if counts is not None and known:
        parts.append(error_from_counts(counts, known, methods))
    if counts is not None and known and len(parts) == 1:
        check_error("DeltaOne", change, comparison.standard_error, parts[0])
        return
    most = math.fsum(parts)
    least = max(0.0, 2 * max(parts, default=0.0) - most)
    said, slack = comparison.standard_error, 1e-6 * most + 1e-12
    stands_in = change and math.isclose(said, stand_in_error(change, 1), rel_tol=1e-6)
    if not (least - slack <= said <= most + slack or stands_in):
        raise IntegrityError(
            f"DeltaOne: the standard errors of its metrics allow {least:.6g} to {most:.6g}, "
            f"the statement says {said:.6g}"
        )


def _is_method(delta: MetricDelta, comparison: Comparison) -> bool:
    """Whether the p-value of this metric can be made so."""
    name, method = delta.metric.name, delta.method
    known = _METHODS.get(name, _BY_INFLUENCE)
    if name == "auroc" and comparison.counts is not None and len(comparison.counts.classes) == 2:
        known = _AUROC_OF_TWO
    if comparison.n_units is None:
        return method in known
    if method.startswith(PAIRED_T):
        return False  # that is each row by itself
    if name == "accuracy":
        return method == _ACCURACY_BY_UNITS + BY_UNITS
    by_units = method.endswith(BY_UNITS) or method.endswith(BY_UNITS + _SIGN_TEST)
    return by_units and method.replace(BY_UNITS, "", 1) in known


def _freedom(comparison: Comparison, name: str) -> int | None:
    """Degrees of freedom of Student's t, between units or rows; None for the normal limit."""
    if comparison.n_units is not None:
        return comparison.n_units - 1
    among = comparison.weights if name == "DeltaOne" else (name,)
    by_rows = any(d.method == PAIRED_T for d in comparison.deltas if d.metric.name in among)
    return max(comparison.n_rows - 1, 1) if by_rows else None


def _check_range(delta: MetricDelta) -> None:
    lowest = -math.inf if delta.metric.name == "r2" else 0.0
    highest = 1.0 if delta.metric.scale is Scale.SHARE else math.inf
    for value in (delta.baseline_value, delta.new_value):
        if not lowest <= value <= highest:
            raise IntegrityError(f"{delta.metric.name} cannot be {value:.6g}")


def _close(one: float, other: float, size: float) -> bool:
    return abs(one - other) <= _ROUNDING * size


def _listed(weights: Mapping[str, Fraction]) -> str:
    return ", ".join(f"{name} {weight}" for name, weight in sorted(weights.items()))


def _members(predicate: Json, name: str) -> Json:
    value = predicate.get(name)
    if not isinstance(value, dict):
        raise InvalidInputError(f"{name} is not an object")
    return value


def _member(predicate: Json, name: str, key: str) -> Json:
    return _members(_members(predicate, name), key)


def _list(predicate: Json, name: str) -> list[Json]:
    value = predicate.get(name)
    return value if isinstance(value, list) else []
