"""Everything that can be bent: by who finds the file, and by who holds the key."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hokusai.attestation.envelope import PAYLOAD_TYPE, Envelope, Signature, keyid, pae, sign
from hokusai.attestation.policy import Policy
from hokusai.attestation.reader import read_statement
from hokusai.attestation.report import Verdict
from hokusai.attestation.statement import build_statement, decimal_text, percentage_points
from hokusai.attestation.verify import verify_attestation
from hokusai.domain.canonical import canonical_json
from hokusai.domain.claim import DeltaOneClaim
from hokusai.errors import IntegrityError
from hokusai.stats.wald import interval_around, two_sided_p

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"another key for tests, 32 bytes.")
Statement = dict[str, Any]


def _with_payload(file: dict[str, Any], change: Callable[[bytes], bytes]) -> dict[str, Any]:
    payload = change(base64.b64decode(file["payload"]))
    return {**file, "payload": base64.b64encode(payload).decode()}


def _with_signature(file: dict[str, Any], **fields: object) -> dict[str, Any]:
    return {**file, "signatures": [{**file["signatures"][0], **fields}]}


def _flip_first_bit(text: str) -> str:
    raw = base64.b64decode(text)
    return base64.b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode()


# By who has the file but no key: each is refused at the envelope or at the signature.
OUTSIDER: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a digit of the score": lambda f: _with_payload(f, lambda p: p.replace(b'"26443"', b'"96443"')),
    "dry run to real": lambda f: _with_payload(f, lambda p: p.replace(b'"dryRun":false', b'"dryRun":true')),
    "another wallet": lambda f: _with_payload(f, lambda p: p.replace(b"0x5aAe", b"0x5aAf")),
    "a space in the payload": lambda f: _with_payload(f, lambda p: p.replace(b":", b": ", 1)),
    "payload cut short": lambda f: _with_payload(f, lambda p: p[:-1]),
    "payload gone": lambda f: {**f, "payload": ""},
    "another payload type": lambda f: {**f, "payloadType": "application/json"},
    "payload type in capitals": lambda f: {**f, "payloadType": PAYLOAD_TYPE.upper()},
    "a bit of the signature": lambda f: _with_signature(f, sig=_flip_first_bit(f["signatures"][0]["sig"])),
    "a signature of zeros": lambda f: _with_signature(f, sig=base64.b64encode(bytes(64)).decode()),
    "a short signature": lambda f: _with_signature(f, sig=base64.b64encode(bytes(63)).decode()),
    "another key's id": lambda f: _with_signature(f, keyid=keyid(OTHER_KEY.public_key())),
    "no signature": lambda f: {**f, "signatures": []},
    "the signature twice": lambda f: {**f, "signatures": f["signatures"] * 2},
    "an unsigned field": lambda f: {**f, "verified": True},
    "an unsigned field beside the signature": lambda f: _with_signature(f, role="auditor"),
    "no payload type": lambda f: {k: v for k, v in f.items() if k != "payloadType"},
    "URL-safe base64": lambda f: _with_signature(
        f, sig=f["signatures"][0]["sig"].replace("+", "-")[:-2] + "__"
    ),
}


@pytest.mark.parametrize("name", OUTSIDER)
def test_without_the_key(envelope: Envelope, policy: Policy, name: str) -> None:
    before = json.loads(envelope.to_bytes())
    after = OUTSIDER[name](before)
    assert after != before
    report = verify_attestation(json.dumps(after).encode(), policy)
    assert report.verdict is Verdict.REFUSED
    assert report.failed[0].name in ("envelope", "signature")
    assert report.claim is None


def test_a_signature_by_somebody_else_under_a_trusted_id(
    envelope: Envelope, key: Ed25519PrivateKey, policy: Policy
) -> None:
    forged = OTHER_KEY.sign(pae(PAYLOAD_TYPE, envelope.payload))
    posing = Envelope(envelope.payload, PAYLOAD_TYPE, (Signature(keyid(key.public_key()), forged),))
    assert [c.name for c in verify_attestation(posing.to_bytes(), policy).failed] == ["signature"]


def test_a_signature_made_without_the_type(claim, key: Ed25519PrivateKey, policy: Policy) -> None:
    payload = canonical_json(build_statement(claim))
    bare = Envelope(payload, PAYLOAD_TYPE, (Signature(keyid(key.public_key()), key.sign(payload)),))
    assert [c.name for c in verify_attestation(bare.to_bytes(), policy).failed] == ["signature"]


def _predicate(statement: Statement) -> Any:
    return statement["predicate"]


def _set(*path: str | int, to: object) -> Callable[[Statement], None]:
    def change(statement: Statement) -> None:
        place: Any = statement
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def _error(standard_error: float, *path: str) -> Callable[[Statement], None]:
    """Another standard error, with the interval and p-value that go with it: only other facts give it away."""

    def change(statement: Statement) -> None:
        record = _predicate(statement)
        for step in path:
            record = record[step]
        stated = record.get("score") or record["delta"]
        estimate = int(stated["num"]) / int(stated["den"])
        interval = interval_around(estimate, standard_error, 0.95)
        record["standardError"] = decimal_text(standard_error)
        record["interval"].update(low=decimal_text(interval.low), high=decimal_text(interval.high))
        if path[-1] != "accuracy":
            record["pValue"] = decimal_text(two_sided_p(estimate / standard_error))

    return change


def _weigh_auroc(standard_error: float) -> Callable[[Statement], None]:
    """DeltaOne of accuracy and AUROC (errors 0.05295, 0.05576), 1/2 each: its error may be 0.0014 to 0.0544."""

    def change(statement: Statement) -> None:
        whole = _predicate(statement)[D]
        whole["weights"] = {"accuracy": HALF, "auroc": HALF}
        score = (Fraction(14, 100) + Fraction(49, 60) - Fraction(53, 80)) / 2
        whole["score"] = {"num": str(score.numerator), "den": str(score.denominator)}
        whole["display"] = percentage_points(score)
        _error(standard_error, D)(statement)

    return change


P, M, D = "predicate", "metrics", "deltaOne"
QUARTER, HALF = {"num": "1", "den": "4"}, {"num": "1", "den": "2"}

# By who holds the key, and signs what does not hold together: the change, and the check that finds it.
INSIDER: dict[str, tuple[Callable[[Statement], None], str]] = {
    "one count": (_set(P, "jointCounts", "cells", 0, 1, to=41), "joint counts"),
    "two counts, same total": (
        lambda s: (
            _set(P, "jointCounts", "cells", 0, 1, to=39)(s),
            _set(P, "jointCounts", "cells", 7, 1, to=21)(s),
        ),
        "metrics",
    ),
    "counts of another order": (lambda s: s[P]["jointCounts"]["cells"].reverse(), "joint counts"),
    "a cell twice": (
        lambda s: (
            s[P]["jointCounts"]["cells"].insert(0, [[0, 0, 0], 20]),
            _set(P, "jointCounts", "cells", 1, 1, to=20)(s),
        ),
        "joint counts",
    ),
    "a count of zero": (lambda s: s[P]["jointCounts"]["cells"].append([[1, 1, 2], 0]), "joint counts"),
    "a count below zero": (_set(P, "jointCounts", "cells", 0, 1, to=-40), "statement"),
    "a class that is not there": (_set(P, "jointCounts", "cells", 7, 0, to=[1, 1, 2]), "joint counts"),
    "the other class as positive": (_set(P, "jointCounts", "positive", to=0), "metrics"),
    "no positive class": (_set(P, "jointCounts", "positive", to=None), "joint counts"),
    "one class name twice": (_set(P, "jointCounts", "classes", to=["yes", "yes"]), "joint counts"),
    "no counts": (_set(P, "jointCounts", to=None), "joint counts"),
    "other columns": (_set(P, "jointCounts", "columns", to=["label", "new", "baseline"]), "nothing else"),
    "a larger benchmark": (_set(P, "benchmarkRows", to=1000), "joint counts"),
    "macro for binary": (_set(P, "task", "averaging", to="macro"), "joint counts"),
    "regression for classification": (_set(P, "task", "kind", to="regression"), "joint counts"),
    "a task that does not exist": (_set(P, "task", "kind", to="ranking"), "statement"),
    "a better new value": (_set(P, M, "f1", "new", to={"num": "33", "den": "41"}), "metrics"),
    "a worse baseline": (_set(P, M, "recall", "baseline", to=HALF), "metrics"),
    "an exact value as a rounded one": (_set(P, M, "accuracy", "new", to="0.82"), "metrics"),
    "an AUROC above 1": (_set(P, M, "auroc", "new", to={"num": "5", "den": "4"}), "metrics"),
    "a delta": (_set(P, M, "f1", "delta", to=QUARTER), "deltas"),
    "a gain": (_set(P, M, "f1", "gain", to=QUARTER), "gains"),
    "a gain turned round": (_set(P, M, "accuracy", "gain", to={"num": "-7", "den": "50"}), "gains"),
    "a metric of another task": (lambda s: s[P][M].update(rmse=s[P][M]["auroc"]), "joint counts"),
    "a metric under its other name": (lambda s: s[P][M].update(f1_score=s[P][M].pop("f1")), "deltas"),
    "a metric that does not exist": (lambda s: s[P][M].update(luck=s[P][M]["f1"]), "statement"),
    "no metric": (_set(P, M, to={}), "joint counts"),
    "a smaller standard error": (_set(P, M, "f1", "standardError", to="0.01"), "intervals"),
    "a smaller standard error of accuracy, interval and all": (
        _error(0.026476404589747458, M, "accuracy"),
        "significance",
    ),
    "a smaller standard error of F1, interval and all": (_error(0.0346, M, "f1"), "significance"),
    "a larger standard error of recall, interval and all": (_error(0.18, M, "recall"), "significance"),
    "a smaller standard error of precision, interval and all": (_error(0.01, M, "precision"), "significance"),
    "a tiny standard error of DeltaOne, interval and all": (_error(1e-5, D), "significance"),
    "an error of DeltaOne below all that its parts allow": (_weigh_auroc(1e-5), "significance"),
    "an error of DeltaOne above all that its parts allow": (_weigh_auroc(0.06), "significance"),
    "a method that nobody knows": (_set(P, M, "auroc", "method", to="proved by zk"), "significance"),
    "a method of another metric": (_set(P, M, "f1", "method", to="delong"), "significance"),
    "the target among the features": (
        _set(P, "task", "featureColumns", to=["query", "label"]),
        "joint counts",
    ),
    "a feature twice": (_set(P, "task", "featureColumns", to=["query", "query"]), "joint counts"),
    "a standard error below zero": (_set(P, M, "f1", "standardError", to="-0.01"), "intervals"),
    "an interval above zero": (_set(P, D, "interval", "low", to="0.1"), "intervals"),
    "an interval of less confidence": (_set(P, M, "f1", "interval", "confidence", to="0.5"), "intervals"),
    "a confidence of 1": (_set(P, D, "interval", "confidence", to="1"), "intervals"),
    "a p-value": (_set(P, M, "f1", "pValue", to="0.0001"), "significance"),
    "McNemar's p-value": (_set(P, M, "accuracy", "pValue", to="0.001"), "significance"),
    "the p-value of DeltaOne": (_set(P, D, "pValue", to="1e-9"), "significance"),
    "a p-value of zero": (_set(P, M, "f1", "pValue", to="0"), "intervals"),
    "a p-value above 1": (_set(P, M, "f1", "pValue", to="1.5"), "intervals"),
    "a cell of another shape": (_set(P, "jointCounts", "cells", 0, to=[[0, 0], 40]), "statement"),
    "a float as a JSON number": (_set(P, "estimators", "new", "params", "C", to=1.5), "statement"),
    "a number beyond every double": (_set(P, M, "f1", "pValue", to="1e+400"), "statement"),
    "a fraction beyond every double": (_set(P, D, "score", to={"num": "9" * 400, "den": "1"}), "statement"),
    "NaN": (_set(P, M, "f1", "pValue", to="NaN"), "statement"),
    "the score": (_set(P, D, "score", to=QUARTER), "DeltaOne"),
    "the score, rounded": (_set(P, D, "score", to="0.16537210756722953"), "DeltaOne"),
    "what is displayed": (_set(P, D, "display", to="+61.5372 percentage points"), "DeltaOne"),
    "the method": (_set(P, D, "computationMethod", to="unweighted"), "DeltaOne"),
    "other weights, same score": (
        _set(P, D, "weights", to={"accuracy": QUARTER, "f1": {"num": "3", "den": "4"}}),
        "DeltaOne",
    ),
    "weights above 1": (_set(P, D, "weights", "f1", to={"num": "3", "den": "2"}), "weights"),
    "a weight below zero": (
        _set(P, D, "weights", to={"accuracy": {"num": "-1", "den": "2"}, "f1": {"num": "3", "den": "2"}}),
        "weights",
    ),
    "no weights": (_set(P, D, "weights", to={}), "weights"),
    "a weight for nothing": (lambda s: s[P][D]["weights"].update(luck={"num": "0", "den": "1"}), "weights"),
    "basis points": (_set(P, "primary", "deltaBps", to="14000"), "primary record"),
    "basis points of a value": (_set(P, "primary", "newBps", to="9900"), "primary record"),
    "another primary metric": (_set(P, "primary", "metric", to="recall"), "primary record"),
    "a primary metric that was not compared": (_set(P, "primary", "metric", to="rmse"), "primary record"),
    "more credit": (_set(P, "contributions", 1, "credit", to=HALF), "contributors"),
    "credit by another rule": (_set(P, "creditMethod", to="equal"), "contributors"),
    "a malformed wallet as payable": (_set(P, "contributions", 1, "payable", to=True), "contributors"),
    "no wallet as payable": (_set(P, "contributions", 2, "payable", to=True), "contributors"),
    "another wallet that is malformed": (_set(P, "contributions", 0, "wallet", to="0x5aAe"), "contributors"),
    "a wallet with blanks around it": (
        lambda s: _set(P, "contributions", 0, "wallet", to=s[P]["contributions"][0]["wallet"] + " ")(s),
        "contributors",
    ),
    "more accepted rows than were read": (
        _set(P, "contributions", 0, "rows", "accepted", to=301),
        "statement",
    ),
    "another number of contributed rows": (_set(P, "training", "contributedRows", to=451), "contributors"),
    "no contribution": (_set(P, "contributions", to=[]), "statement"),
    "data that is no subject": (_set(P, "contributions", 0, "sha256", to="77" * 32), "subjects"),
    "a contribution less than subjects": (lambda s: s[P]["contributions"].pop(), "subjects"),
    "a subject more": (
        lambda s: s["subject"].append({"name": "licence", "digest": {"sha256": "11" * 32}}),
        "subjects",
    ),
    "a subject twice": (lambda s: s["subject"].insert(0, copy.deepcopy(s["subject"][1])), "subjects"),
    "no new model": (lambda s: s["subject"].pop(1), "statement"),
    "a digest in capitals": (_set("subject", 0, "digest", "sha256", to="B0" * 32), "statement"),
    "a digest by another hash": (_set("subject", 0, "digest", to={"sha1": "b0" * 20}), "statement"),
    "a second digest": (_set("subject", 0, "digest", "md5", to="b0" * 16), "subjects"),
    "a fraction that is not reduced": (
        _set(P, M, "recall", "new", to={"num": "32", "den": "40"}),
        "nothing else",
    ),
    "a denominator of zero": (_set(P, M, "recall", "new", to={"num": "1", "den": "0"}), "statement"),
    "a fraction as floats": (_set(P, M, "recall", "new", to={"num": 4, "den": 5}), "statement"),
    "a decimal in another spelling": (
        _set(P, M, "f1", "standardError", to="0.0693006918894240"),
        "statement",
    ),
    "a fact more": (_set(P, "auditedBy", to="somebody"), "nothing else"),
    "a fact more at the top": (_set("timestamp", to="2026-01-01T00:00:00Z"), "nothing else"),
    "a non-claim less": (lambda s: s[P]["nonClaims"].pop(0), "nothing else"),
    "a fact less": (lambda s: s[P].pop("libraries"), "statement"),
    "another statement type": (_set("_type", to="https://in-toto.io/Statement/v0.1"), "statement"),
    "another predicate type": (_set("predicateType", to="https://slsa.dev/provenance/v1"), "statement"),
    "a version to come": (
        _set("predicateType", to="https://hokusai.dev/attestations/delta-one/v2"),
        "statement",
    ),
    "a dry run": (_set(P, "dryRun", to=True), "real run"),
    "a dry run that does not say so twice": (_set(P, "dryRun", to=True), "nothing else"),
    "a dry run as text": (_set(P, "dryRun", to="false"), "statement"),
}


@pytest.mark.parametrize("name", INSIDER)
def test_with_the_key(claim: DeltaOneClaim, key: Ed25519PrivateKey, policy: Policy, name: str) -> None:
    change, found_by = INSIDER[name]
    statement = copy.deepcopy(build_statement(claim))
    change(statement)
    assert statement != build_statement(claim)
    report = verify_attestation(sign(canonical_json(statement), [key]).to_bytes(), policy)
    assert not report.ok
    assert found_by in [check.name for check in report.failed]
    assert report.checks[1].status == "passed"


def test_with_the_key_an_error_of_delta_one_that_its_parts_allow(claim, key, policy: Policy) -> None:
    for allowed in (0.002, 0.03, 0.054):
        statement = copy.deepcopy(build_statement(claim))
        _weigh_auroc(allowed)(statement)
        assert verify_attestation(sign(canonical_json(statement), [key]).to_bytes(), policy).failed == ()


def test_a_fraction_beyond_every_double_is_called_that(claim) -> None:
    statement = copy.deepcopy(build_statement(claim))
    _set(P, D, "weights", "f1", to={"num": "9" * 400, "den": "1"})(statement)
    with pytest.raises(IntegrityError, match="the number is too large") as caught:
        read_statement(statement)
    assert caught.value.where == "$.predicate.deltaOne.weights.f1"


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b",", b", ", 1),
        lambda data: data + b"\n",
        lambda data: json.dumps(json.loads(data), indent=1).encode(),
        lambda data: data.replace(b'{"_type"', b'{"_type":"x","_type"'),
        lambda data: data.replace(b'"benchmarkRows":100', b'"benchmarkRows":1e2'),
        lambda data: data.replace(b'"benchmarkRows":100', b'"benchmarkRows":100.0'),
        lambda data: b"[" + data + b"]",
        lambda data: b"\xff" + data,
    ],
)
def test_with_the_key_bytes_that_are_not_canonical(
    claim, key: Ed25519PrivateKey, policy: Policy, change
) -> None:
    data = change(canonical_json(build_statement(claim)))
    report = verify_attestation(sign(data, [key]).to_bytes(), policy)
    assert report.verdict is Verdict.REFUSED
    assert report.failed[0].name in ("canonical bytes", "statement")


@pytest.mark.parametrize(
    "number",
    [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"-0",
        b"-0.0",
        b"1e400",
        b"9007199254740993",
        b"1" + b"0" * 400,
        b"0x64",
    ],
)
def test_with_the_key_a_number_that_json_readers_do_not_agree_on(
    full_claim, key: Ed25519PrivateKey, policy: Policy, number: bytes
) -> None:
    data = canonical_json(build_statement(full_claim))
    for member in (b'"benchmarkRows":100', b'"seeds":3', b'"minRows":50', b'"baseRows":1000'):
        assert member in data
        changed = data.replace(member, member.split(b":")[0] + b":" + number)
        report = verify_attestation(sign(changed, [key]).to_bytes(), policy)
        assert report.verdict is Verdict.REFUSED
        assert report.failed[0].name in ("canonical bytes", "statement")


# What the signer alone knows: a statement that differs in one of these is another statement, not a wrong one.
FREE = (
    ("subject", 0), ("subject", 1), ("subject", 2), ("subject", 3),  # models, benchmark, base data
    (P, "task", "targetColumn"), (P, "task", "featureColumns"), (P, "estimators"), (P, "libraries"),
    (P, "training", "baseRows"), (P, "warnings"), (P, "jointCounts", "classes"),
    *((P, "contributions", i, name) for i in range(3) for name in ("contributor", "sizeBytes")),
    (P, "contributions", 2, "wallet"),  # one name that cannot be paid for another
)  # fmt: skip


# What is the signer's word in the members that a statement need not have: texts, and what was measured elsewhere.
FREE_TOO = (
    (P, "benchmarkRecord"), (P, "benchmarkStatement"), (P, "attribution", "note"),
    (P, "commitments", "labels"), (P, "commitments", "baselinePredictions"), (P, "commitments", "newPredictions"),
    (P, "decision", "reasons", 0, "detail"), *((P, "decision", "guardrails", i, "reason") for i in range(2)),
    *((P, "attribution", "credits", i, name) for i in range(3) for name in ("standardError", "interval")),
    (P, "attribution", "credits", 2, "unpaid"), (P, "attribution", "seeds"),
    (P, "decision", "guardrails", 1), (P, "decision", "rule"),
)  # fmt: skip


def _leaves(
    value: object, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], object]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, name))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _leaves(item, (*path, i))
    else:
        yield path, value


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return "1" + value if re.fullmatch(r"-?[0-9.e-]+", value) else value + "1"
    return "1"


def test_with_the_key_every_leaf_that_follows_from_others(
    claim: DeltaOneClaim, key: Ed25519PrivateKey, policy: Policy
) -> None:
    statement = build_statement(claim)
    bound = [
        (path, value)
        for path, value in _leaves(statement)
        if not any(path[: len(free)] == free for free in FREE) or path[-1] == "name"
    ]
    assert len(bound) > 150
    for path, value in bound:
        changed = copy.deepcopy(statement)
        _set(*path, to=_other(value))(changed)
        report = verify_attestation(sign(canonical_json(changed), [key]).to_bytes(), policy)
        assert not report.ok, path


def test_with_the_key_every_leaf_of_the_members_that_need_not_be(
    full_claim: DeltaOneClaim, key: Ed25519PrivateKey, policy: Policy
) -> None:
    statement = build_statement(full_claim)
    members = ("decision", "attribution", "commitments", "creditMethod", "contributions")
    bound = [
        (path, value)
        for path, value in _leaves(statement)
        if path[0] == P
        and path[1] in members
        and not any(path[: len(free)] == free for free in (*FREE, *FREE_TOO))
    ]
    assert len(bound) > 60
    for path, value in bound:
        changed = copy.deepcopy(statement)
        _set(*path, to=_other(value))(changed)
        report = verify_attestation(sign(canonical_json(changed), [key]).to_bytes(), policy)
        assert not report.ok, path


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**53 - 1) | st.text(max_size=3) | st.just("9" * 3999),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["num", "den"]), inner),
    max_leaves=4,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_with_the_key_nonsense_is_reported_and_never_raised(
    claim: DeltaOneClaim,
    full_claim: DeltaOneClaim,
    key: Ed25519PrivateKey,
    policy: Policy,
    data: st.DataObject,
) -> None:
    statement = copy.deepcopy(build_statement(data.draw(st.sampled_from([claim, full_claim]))))
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = statement
        while True:
            step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            inner = place[step]
            if not (isinstance(inner, dict | list) and inner) or data.draw(st.booleans()):
                break
            place = inner
        place[step] = data.draw(json_values)
        if not statement:
            break
    verify_attestation(sign(canonical_json(statement), [key]).to_bytes(), policy)


# Content that would take long, or break something, if nobody looked.
COSTLY = (
    _set(P, "estimators", "new", "params", "deep", to=json.loads("[" * 100 + "]" * 100)),
    _set(P, "estimators", "new", "params", "deep", to=json.loads("[" * 600 + "]" * 600)),
    _set(P, D, "weights", "f1", to={"num": "9" * 4000, "den": "7" + "0" * 3900}),
    _set(  # their sum has more digits than Python writes
        P,
        D,
        "weights",
        to={"f1": {"num": "1", "den": "7" * 3900}, "accuracy": {"num": "1", "den": str(3**8000)}},
    ),
    _set(P, "jointCounts", "cells", 0, 1, to=2**53 - 1),
    _set(P, "primary", "deltaBps", to="9" * 5000),
)


@pytest.mark.parametrize("change", COSTLY)
def test_with_the_key_content_that_would_cost_or_break_something(
    claim: DeltaOneClaim, key: Ed25519PrivateKey, policy: Policy, change
) -> None:
    statement = copy.deepcopy(build_statement(claim))
    change(statement)
    report = verify_attestation(sign(canonical_json(statement), [key]).to_bytes(), policy)
    harmless = change is COSTLY[0]
    assert report.verdict is (Verdict.VERIFIED if harmless else Verdict.REFUSED)
