"""From what everybody's data is worth to whole basis points: who is paid, who is not and why.

Harm is not paid for, and neither is noise. The rule needs nothing but the values and their intervals, so that whoever
holds an attestation comes to the same weights; hence the standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from hokusai.domain.attribution import ALL_BPS, AttributionMethod
from hokusai.domain.delta import Interval
from hokusai.errors import InvalidInputError

MOST_PAID = 100
"""Most contributors that one mint can pay."""

NO_ROWS = "no row of it could be used"
"""Each was there already, in the base data, the benchmark or an earlier contribution, or had no label."""
HARM = "the data does harm"
NO_WORTH = "the data is worth nothing"
NOISE = "what the data is worth cannot be told from zero"
UNKNOWN_NOISE = "how sure the value is cannot be told"
TOO_MANY = f"at most {MOST_PAID} contributors are paid at once, and others are worth more"
LESS_THAN_A_POINT = "the share is less than one basis point"


@dataclass(frozen=True, slots=True)
class Worth:
    """What one contributor's data is worth.

    Attributes:
        identity: Of the contributor; it decides where two are worth the same.
        value: His part of the gain, a fraction.
        interval: Confidence interval of `value`; None if its noise is not known.
        rows: His rows that were used.
    """

    identity: str
    value: float
    interval: Interval | None
    rows: int


def pay(worths: Sequence[Worth], method: AttributionMethod) -> list[tuple[int, str]]:
    """(basis points, why nothing is paid) of each, in their order; the points sum to exactly 10,000 or to 0.

    Nothing is paid where the interval of a value covers zero, nor, for a measured value, where nothing shows its noise.
    Of the rest, the `MOST_PAID` most worthy share the whole in proportion to their values.

    >>> sure, unsure = Interval(0.01, 0.03, 0.95), Interval(-0.01, 0.02, 0.95)
    >>> pay([Worth("a", 0.02, sure, 5), Worth("b", 0.005, unsure, 5)], AttributionMethod.SHAPLEY)
    [(10000, ''), (0, 'what the data is worth cannot be told from zero')]
    """
    reasons = [_reason(worth, method) for worth in worths]
    deserving = [i for i, reason in enumerate(reasons) if not reason]
    ranked = sorted(deserving, key=lambda i: (-worths[i].value, worths[i].identity, i))
    for i in ranked[MOST_PAID:]:
        reasons[i] = TOO_MANY
    paid = sorted(ranked[:MOST_PAID])
    points = basis_points([worths[i].value for i in paid], [worths[i].identity for i in paid])
    weights = dict(zip(paid, points, strict=True))
    for i in paid:
        if not weights[i]:
            reasons[i] = LESS_THAN_A_POINT
    return [(weights.get(i, 0), reason) for i, reason in enumerate(reasons)]


def basis_points(shares: Sequence[float | Fraction], identities: Sequence[str]) -> tuple[int, ...]:
    """Whole basis points in proportion to `shares`, summing to exactly 10,000; all 0 where the shares are.

    By largest remainder: each gets the whole points that he has for sure, and those with the largest rest get one more.
    Equal rests are taken in the order of identities, then as given.

    Args:
        shares: At least 0, in any unit.
        identities: One for each share.

    Raises:
        InvalidInputError: A share is negative or not finite, or one of the two is longer.

    >>> basis_points([1, 1, 1], ["c", "a", "b"])
    (3333, 3334, 3333)
    """
    if len(shares) != len(identities) or any(not math.isfinite(share) or share < 0 for share in shares):
        raise InvalidInputError(
            "Shares are finite numbers of 0 or more, each with an identity", where="shares"
        )
    exact = [Fraction(share) for share in shares]
    total = sum(exact)
    if not total:
        return (0,) * len(exact)
    points = [share * ALL_BPS // total for share in exact]
    rests = [share * ALL_BPS / total - point for share, point in zip(exact, points, strict=True)]
    by_rest = sorted(range(len(exact)), key=lambda i: (-rests[i], identities[i], i))
    for i in by_rest[: ALL_BPS - sum(points)]:
        points[i] += 1
    return tuple(points)


def _reason(worth: Worth, method: AttributionMethod) -> str:
    """Why nothing is paid for this, whatever the others are worth; or ""."""
    if not worth.rows:
        return NO_ROWS
    if worth.interval is None:
        # By rows given, nothing was measured that could be noise: whether the gain is, the decision says.
        if method is not AttributionMethod.PROPORTIONAL:
            return UNKNOWN_NOISE
        return "" if worth.value > 0 else NO_WORTH
    if worth.interval.low > 0:
        return "" if worth.value > 0 else NO_WORTH
    if worth.interval.high < 0:
        return HARM
    return NOISE if worth.value else NO_WORTH
