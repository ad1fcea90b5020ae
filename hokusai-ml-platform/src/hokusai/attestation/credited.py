"""An attribution with everybody's credit as JSON in a statement, and back."""

from __future__ import annotations

from hokusai.attestation.node import Node
from hokusai.attestation.numbers import Json, decimal_text
from hokusai.domain.attribution import Attribution, AttributionMethod, Credit
from hokusai.domain.contribution import Contributor
from hokusai.domain.delta import Interval
from hokusai.domain.identifiers import WalletAddress


def attribution_json(attribution: Attribution) -> Json:
    """The attribution as JSON; `read_attribution` is the inverse."""
    error = attribution.sampling_error
    return {
        "method": attribution.method.value,
        "gain": decimal_text(attribution.gain),
        "seeds": attribution.seeds,
        "evaluations": attribution.evaluations,
        "samplingError": None if error is None else decimal_text(error),
        "note": attribution.note,
        **({} if attribution.without is None else {"without": decimal_text(attribution.without)}),
        "credits": [_credit(credit) for credit in attribution.credits],
    }


def read_attribution(node: Node) -> Attribution:
    """What `attribution_json` wrote; who is payable follows from the wallets.

    Raises:
        IntegrityError: A member is missing or of the wrong type.
        InvalidInputError: The weights do not sum to 10,000 or to 0, or one is paid and unpaid at once.
    """
    return Attribution(
        method=AttributionMethod(node["method"].text()),
        gain=node["gain"].decimal(),
        credits=tuple(_read_credit(credit) for credit in node["credits"].items()),
        seeds=node["seeds"].count(),
        evaluations=node["evaluations"].count(),
        sampling_error=node["samplingError"].optional(Node.decimal),
        note=node["note"].text(),
        without=None if (without := node.get("without")) is None else without.decimal(),
    )


def _credit(credit: Credit) -> Json:
    who, interval = credit.contributor, credit.interval
    return {
        "contributor": who.contributor_id,
        "wallet": None if who.wallet is None else str(who.wallet),
        "payable": who.payable,
        "value": decimal_text(credit.value),
        "standardError": None if credit.standard_error is None else decimal_text(credit.standard_error),
        "interval": None if interval is None else interval_json(interval),
        "weightBps": str(credit.weight_bps),
        "rows": credit.rows,
        "unpaid": credit.unpaid,
    }


def _read_credit(node: Node) -> Credit:
    wallet = node["wallet"].optional(Node.text)
    return Credit(
        contributor=Contributor(
            node["contributor"].text(), None if wallet is None else WalletAddress.parse(wallet)
        ),
        value=node["value"].decimal(),
        standard_error=node["standardError"].optional(Node.decimal),
        interval=node["interval"].optional(read_interval),
        weight_bps=node["weightBps"].integer(),
        rows=node["rows"].count(),
        unpaid=node["unpaid"].text(),
    )


def interval_json(interval: Interval) -> Json:
    """An interval as JSON; `read_interval` is the inverse."""
    return {
        "low": decimal_text(interval.low),
        "high": decimal_text(interval.high),
        "confidence": decimal_text(interval.confidence),
    }


def read_interval(node: Node) -> Interval:
    """What `interval_json` wrote."""
    return Interval(node["low"].decimal(), node["high"].decimal(), node["confidence"].decimal())
