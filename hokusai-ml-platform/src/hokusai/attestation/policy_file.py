"""The verifier's policy as a file, YAML or JSON: what is agreed stands in one place that can be read and reviewed.

It is read strictly: a member with a spelling error would otherwise be a rule that nobody enforces.
docs/attestation.md describes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hokusai.attestation.keys import load_public_key, parse_public_key
from hokusai.attestation.node import Node
from hokusai.attestation.policy import Policy, Revocation
from hokusai.domain.attribution import AttributionMethod
from hokusai.domain.decision import AcceptanceRule, Guardrail
from hokusai.errors import ConfigurationError, HokusaiError, IntegrityError, NotFoundError
from hokusai.utils.yaml_text import read_yaml

FORMAT = "hokusai-policy-v1"
_NUMBER = re.compile(r"-?[0-9]+(/[0-9]+|(\.[0-9]+)?(e[+-]?[0-9]{1,2})?)", re.ASCII | re.IGNORECASE)
_LONGEST_NUMBER = 60
T = TypeVar("T")


def read_policy(path: Path) -> Policy:
    """The policy in a file.

    Paths of key files in it are relative to it.

    Raises:
        ConfigurationError: It cannot be read, has an unknown or misspelt member, or asks for what cannot be.
        NotFoundError: A key file is missing.
    """
    top = Node(
        read_yaml(path, "policy", hint="Check --policy."),
        document="policy (docs/attestation.md describes it)",
    )
    try:
        return _policy(top, path.parent)
    except NotFoundError:
        raise
    except HokusaiError as exc:
        where = str(path) if not exc.where or exc.where == str(path) else f"{path}, {exc.where}"
        raise ConfigurationError(exc.what, where=where, hint=exc.hint) from exc


def _policy(top: Node, folder: Path) -> Policy:
    top.only(
        "format", "trustedKeys", "threshold", "revokedKeys", "ownerKeys", "ownerThreshold", "weights", "primaryMetric",
        "rule", "requireAccepted", "confidence", "openings", "allowDryRun",
        "units", "attribution",
    )  # fmt: skip
    if top["format"].value != FORMAT:
        raise top["format"].wrong(f"expected {FORMAT!r}")
    openings = top.get("openings")
    if openings is not None:
        openings.only("minimum", "challenge")
    attribution = top.get("attribution")
    if attribution is not None:
        attribution.only("methods", "minSeeds")
    return Policy(
        trusted_keys=_keys(top["trustedKeys"], folder),
        threshold=_read(top, "threshold", _positive, 1),
        weights=_read(top, "weights", _weights, None),
        primary_metric=_read(top, "primaryMetric", Node.text, None),
        allow_dry_run=_read(top, "allowDryRun", Node.flag, False),
        confidence=float(_read(top, "confidence", _number, Fraction(95, 100))),
        revoked=tuple(_revocation(node) for node in _items(top, "revokedKeys")),
        owner_keys=() if top.get("ownerKeys") is None else _keys(top["ownerKeys"], folder),
        owner_threshold=_read(top, "ownerThreshold", _positive, 1),
        rule=_read(top, "rule", _rule, None),
        require_accepted=_read(top, "requireAccepted", Node.flag, False),
        min_openings=0 if openings is None else _positive(openings["minimum"]),
        challenge=None if openings is None else _read(openings, "challenge", Node.text, None),
        units=_read(top, "units", Node.text, None),
        attribution_methods=() if attribution is None else _methods(attribution["methods"]),
        min_seeds=1 if attribution is None else _read(attribution, "minSeeds", _positive, 1),
    )


def _read(node: Node, name: str, read: Callable[[Node], T], absent: T) -> T:
    member = node.get(name)
    return absent if member is None else read(member)


def _items(node: Node, name: str) -> list[Node]:
    return _read(node, name, Node.items, [])


def _keys(node: Node, folder: Path) -> tuple[Ed25519PublicKey, ...]:
    """Each is {file: path} or {pem: text}."""
    if not node.items():
        raise node.wrong("expected at least one key")
    return tuple(_key(item, folder) for item in node.items())


def _key(node: Node, folder: Path) -> Ed25519PublicKey:
    named = node.only("file", "pem").members()
    if len(named) != 1:
        raise node.wrong("expected either file or pem")
    if "file" in named:
        return load_public_key(folder / Path(named["file"].text()).expanduser())
    return parse_public_key(named["pem"].text().encode(), node.path)


def _revocation(node: Node) -> Revocation:
    node.only("keyid", "acceptedBefore")
    key_id = node["keyid"].text()
    before = frozenset(item.text() for item in _items(node, "acceptedBefore"))
    return _placed(node, lambda: Revocation(key_id, before))


def _weights(node: Node) -> dict[str, Fraction]:
    """Weights in any scale; what counts is their proportion."""
    weights = {name: _number(member) for name, member in node.members().items()}
    total = sum(weights.values())
    if not weights or total <= 0 or min(weights.values()) < 0:
        raise node.wrong("weights are numbers from 0, one of them above it")
    return {name: weight / total for name, weight in weights.items() if weight}


def _rule(node: Node) -> AcceptanceRule:
    node.only("minRows", "threshold", "alpha", "guardrails")
    default = AcceptanceRule()
    return _placed(
        node,
        lambda: AcceptanceRule(
            min_rows=_read(node, "minRows", _positive, default.min_rows),
            threshold=_read(node, "threshold", _number, default.threshold),
            alpha=float(_read(node, "alpha", _number, Fraction(str(default.alpha)))),
            guardrails=tuple(_guardrail(item) for item in _items(node, "guardrails")),
        ),
    )


def _guardrail(node: Node) -> Guardrail:
    node.only("metric", "margin", "higherIsBetter", "relative", "slice")
    part = [item.text() for item in _items(node, "slice")]
    if part and len(part) != 2:
        raise node["slice"].wrong("expected [column, value]")
    return _placed(
        node,
        lambda: Guardrail(
            metric=node["metric"].text(),
            margin=float(_number(node["margin"])),
            higher_is_better=_read(node, "higherIsBetter", Node.flag, None),
            relative=_read(node, "relative", Node.flag, False),
            slice=(part[0], part[1]) if part else None,
        ),
    )


def _methods(node: Node) -> tuple[AttributionMethod, ...]:
    """Names of methods, with a hyphen or an underscore."""
    known = {method.value: method for method in AttributionMethod}
    methods = []
    for item in node.items():
        name = item.text().replace("-", "_")
        if name not in known:
            raise item.wrong(f"no such method of attribution as {name[:40]!r}; known are {', '.join(known)}")
        methods.append(known[name])
    if not methods:
        raise node.wrong("expected at least one method")
    return tuple(methods)


def _placed(node: Node, make: Callable[[], T]) -> T:
    """What `make` makes; where a noun refuses its values, the error says in which place of the file they stand."""
    try:
        return make()
    except IntegrityError:
        raise
    except HokusaiError as exc:
        raise node.wrong(exc.what) from exc


def _positive(node: Node) -> int:
    if node.count() < 1:
        raise node.wrong("expected a whole number, one or more")
    return node.count()


def _number(node: Node) -> Fraction:
    """A number as YAML writes it, or a ratio as text ("1/3"); a decimal means exactly what it says."""
    value = node.value
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value)
        if (
            _NUMBER.fullmatch(text) and len(text) <= _LONGEST_NUMBER
        ):  # an exponent of many digits takes minutes to read
            try:
                return Fraction(text)
            except ZeroDivisionError:
                pass
    raise node.wrong(f"expected a number or a ratio, got {str(value)[:40]!r}")
