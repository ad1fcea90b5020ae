"""A decision with its rule and its guardrails as JSON in a statement, and back."""

from __future__ import annotations

from hokusai.attestation.node import Node
from hokusai.attestation.numbers import Json, decimal_text, fraction_json
from hokusai.domain.decision import AcceptanceRule, Decision, Guardrail, GuardrailOutcome, Reason, Verdict


def decision_json(decision: Decision) -> Json:
    """The decision as JSON; `read_decision` is the inverse."""
    return {
        "accepted": decision.accepted,
        "reasons": [
            {"verdict": reason.verdict.value, "detail": reason.detail} for reason in decision.reasons
        ],
        "rule": rule_json(decision.rule),
        "guardrails": [_outcome(outcome) for outcome in decision.guardrails],
    }


def read_decision(node: Node) -> Decision:
    """What `decision_json` wrote; whether it was accepted follows from the reasons.

    Raises:
        IntegrityError: A member is missing or of the wrong type.
        InvalidInputError: The reasons are not in order, or a number is out of range.
    """
    return Decision(
        reasons=tuple(
            Reason(Verdict(reason["verdict"].text()), reason["detail"].text())
            for reason in node["reasons"].items()
        ),
        rule=read_rule(node["rule"]),
        guardrails=tuple(_read_outcome(outcome) for outcome in node["guardrails"].items()),
    )


def rule_json(rule: AcceptanceRule) -> Json:
    """The rule as JSON; `read_rule` is the inverse."""
    return {
        "minRows": rule.min_rows,
        "threshold": fraction_json(rule.threshold),
        "alpha": decimal_text(rule.alpha),
        "guardrails": [_guardrail(guardrail) for guardrail in rule.guardrails],
    }


def read_rule(node: Node) -> AcceptanceRule:
    """What `rule_json` wrote.

    Raises:
        IntegrityError: A member is missing or of the wrong type.
        InvalidInputError: A number is out of range.
    """
    return AcceptanceRule(
        min_rows=node["minRows"].count(),
        threshold=node["threshold"].fraction(),
        alpha=node["alpha"].decimal(),
        guardrails=tuple(_read_guardrail(guardrail) for guardrail in node["guardrails"].items()),
    )


def _guardrail(guardrail: Guardrail) -> Json:
    return {
        "metric": guardrail.metric,
        "margin": decimal_text(guardrail.margin),
        "higherIsBetter": guardrail.direction > 0,
        "relative": guardrail.relative,
        "slice": None if guardrail.slice is None else list(guardrail.slice),
    }


def _read_guardrail(node: Node) -> Guardrail:
    return Guardrail(
        metric=node["metric"].text(),
        margin=node["margin"].decimal(),
        higher_is_better=node["higherIsBetter"].flag(),
        relative=node["relative"].flag(),
        slice=node["slice"].optional(_read_slice),
    )


def _read_slice(node: Node) -> tuple[str, str]:
    match node.items():
        case [column, value]:
            return column.text(), value.text()
    raise node.wrong("expected [column, value]")


def _outcome(outcome: GuardrailOutcome) -> Json:
    measured = {"change": outcome.change, "bound": outcome.bound, "allowed": outcome.allowed}
    return {
        "guardrail": _guardrail(outcome.guardrail),
        **{name: None if value is None else decimal_text(value) for name, value in measured.items()},
        "breached": outcome.breached,
        "reason": outcome.reason,
    }


def _read_outcome(node: Node) -> GuardrailOutcome:
    return GuardrailOutcome(
        guardrail=_read_guardrail(node["guardrail"]),
        change=node["change"].optional(Node.decimal),
        bound=node["bound"].optional(Node.decimal),
        allowed=node["allowed"].optional(Node.decimal),
        breached=node["breached"].flag(),
        reason=node["reason"].text(),
    )
