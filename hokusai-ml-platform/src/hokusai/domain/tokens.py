"""Hokusai tokens: which token a model belongs to, and the benchmark that its improvement is measured against.

The three tags below are what ties a model to a token, also for those who write them straight into MLflow. Every
reader and writer of them comes through here.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

from hokusai.errors import InvalidInputError

TOKEN_TAG = "hokusai_token_id"  # noqa: S105 - the name of a tag, no secret
METRIC_TAG = "benchmark_metric"
VALUE_TAG = "benchmark_value"
TOKEN_TAGS = (TOKEN_TAG, METRIC_TAG, VALUE_TAG)

_TOKEN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_MAX_LENGTH = 64


def validate_token_id(token_id: str) -> str:
    """`token_id`, which must be lower-case letters, digits and inner hyphens, at most 64 of them.

    >>> validate_token_id("msg-ai")
    'msg-ai'

    Raises:
        InvalidInputError: It is not; the text begins with "Invalid token ID".
    """
    if not isinstance(token_id, str) or len(token_id) > _MAX_LENGTH or not _TOKEN.fullmatch(token_id):
        shown = token_id[:80] if isinstance(token_id, str) else token_id
        raise InvalidInputError(
            f"Invalid token ID {shown!r}: {_trouble(token_id)}", where=TOKEN_TAG, hint=_hint(token_id)
        )
    return token_id


@dataclass(frozen=True, slots=True)
class TokenBenchmark:
    """The token a model belongs to, and the value of the metric that improvements start from.

    Attributes:
        token_id: See `validate_token_id`.
        metric: The benchmark metric's name, for example `reply_rate`.
        value: Its baseline value; finite.
    """

    token_id: str
    metric: str
    value: float

    def __post_init__(self) -> None:
        validate_token_id(self.token_id)
        if not isinstance(self.metric, str) or not self.metric.strip() or not self.metric.isprintable():
            raise InvalidInputError(
                f"The benchmark metric's name is {self.metric!r}",
                where=METRIC_TAG,
                hint="Give a name such as reply_rate.",
            )
        object.__setattr__(self, "value", _finite(self.value))  # NumPy's numbers are written otherwise

    def tags(self) -> dict[str, str]:
        """The three required tags."""
        return {TOKEN_TAG: self.token_id, METRIC_TAG: self.metric, VALUE_TAG: repr(self.value)}

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> TokenBenchmark | None:
        """What `tags` say; None where they name no token.

        Raises:
            InvalidInputError: A token is named, but a required tag is missing or cannot be used.
        """
        if TOKEN_TAG not in tags:
            return None
        missing = [name for name in TOKEN_TAGS if name not in tags]
        if missing:
            raise InvalidInputError(
                f"The tag {missing[0]!r} is missing",
                hint=f"A model of a token needs all of {', '.join(TOKEN_TAGS)}.",
            )
        return cls(tags[TOKEN_TAG], tags[METRIC_TAG], _number(tags[VALUE_TAG]))


def _number(text: str) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"The benchmark value is {text!r}, and a finite number was expected",
            where=VALUE_TAG,
            hint="Write it as in 0.1342.",
        ) from None


def _finite(value: object) -> float:
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidInputError(
            f"The benchmark value is {reprlib.repr(value)}, and a finite number was expected", where=VALUE_TAG
        )
    return number


def _trouble(token_id: object) -> str:
    if not isinstance(token_id, str):
        return f"it is {type(token_id).__name__}, not text"
    if not token_id:
        return "it is empty"
    if len(token_id) > _MAX_LENGTH:
        return f"it has {len(token_id)} characters, and at most {_MAX_LENGTH} are allowed"
    if token_id[0] == "-" or token_id[-1] == "-":
        return "it starts or ends with a hyphen"
    return "only lower-case letters, digits and hyphens are allowed"


def _hint(token_id: object) -> str:
    if isinstance(token_id, str):
        near = re.sub(r"[^a-z0-9]+", "-", token_id.lower()).strip("-")[:_MAX_LENGTH].strip("-")
        if near:
            return f"Did you mean {near!r}?"
    return "Examples: msg-ai, lead-scorer, churn-predictor-v2."
