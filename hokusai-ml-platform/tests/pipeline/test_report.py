"""The report for people: whole, harmless, and with everything that it promises."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from hokusai.domain.attribution import Attribution, AttributionMethod, Credit
from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.decision import AcceptanceRule, Decision, Guardrail
from hokusai.domain.delta import Comparison, Interval
from hokusai.domain.identifiers import WalletAddress
from hokusai.domain.model import ModelArtifact
from hokusai.pipeline.report import method_sentence, number, percentage_points, render_report, verdict
from hokusai.stats.decide import decide, outcome_of, unmeasured
from hokusai.stats.paired import compare_classifiers, compare_regressors

VOID = {"meta", "br", "line", "circle", "link", "img", "hr", "input"}
SCRIPT = "<script>alert('x')</script>\" onload=\"alert(1)"
WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
THIRTY_NINE = "0x742d35Cc6634C0532925a3b844Bc9e7595f6234"


class Page(HTMLParser):
    """Tags that must close in order, attributes, tables as rows of text, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        return next(row for row in self.rows if row and row[0].startswith(first))


def binary(n: int = 400) -> Comparison:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, n)
    old, new = (np.where(draw.random(n) < right, labels, 1 - labels) for right in (0.7, 0.9))
    scores = [labels + draw.normal(0, spread, n) for spread in (1.0, 0.5)]
    return compare_classifiers(
        labels, old, new, classes=("no", "yes"), baseline_scores=scores[0], new_scores=scores[1],
        weights={"accuracy": 3, "f1": 1},
    )  # fmt: skip


def classes(n: int = 300) -> Comparison:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 4, n)
    old, new = (np.where(draw.random(n) < right, labels, draw.integers(0, 4, n)) for right in (0.6, 0.6))
    return compare_classifiers(labels, old, new, classes=("a", "b", "c", "d"))


def regression() -> Comparison:
    target = np.arange(50) * 1000.0
    wave = np.where(np.arange(50) % 2, 1.0, -1.0)
    return compare_regressors(target, target + 20_000 * wave, target + 12_345.6 * wave)


def contribution(name: str, file: str, accepted: int, wallet: str | None) -> Contribution:
    return Contribution(
        Contributor(name, WalletAddress.parse(wallet) if wallet else None),
        file, "ab" * 32, 10, accepted + 1_234, accepted, 1_000, 200, 30, 4,
    )  # fmt: skip


def attribution(contributions: list[Contribution]) -> Attribution:
    """Four percentage points: all of it the first one's; the others did harm."""
    parts = tuple(
        Credit(
            one.contributor,
            0.05 if i == 0 else -0.01,
            0.01,
            Interval(0.03, 0.07, 0.95) if i == 0 else Interval(-0.03, 0.01, 0.95),
            10_000 if i == 0 else 0,
            one.rows_accepted,
            "" if i == 0 else "what the data is worth cannot be told from zero",
        )
        for i, one in enumerate(contributions)
    )
    return Attribution(
        AttributionMethod.SHAPLEY, 0.04, parts, seeds=3, evaluations=3, note="A note on credit"
    )


def decision(comparison: Comparison, **rule: Any) -> Decision:
    return decide(comparison, AcceptanceRule(**{"min_rows": 10, **rule}))


def rendered(**change: Any) -> str:
    comparison = change.get("comparison") or binary()
    contributions = change.get("contributions") or [
        contribution("ann", "ann.csv", 3_000, WALLET),
        contribution("bob", "bob.csv", 1_000, THIRTY_NINE),
    ]
    given: dict[str, Any] = {
        "run_id": "1700000000",
        "timestamp": "2024-01-31T10:00:00+00:00",
        "comparison": comparison,
        "baseline": ModelArtifact("churn/1.0.0", "sklearn.A", "a.skops", b"a", {}, 9_000),
        "new": ModelArtifact("churn/1.1.0", "sklearn.B", "b.skops", b"b", {}, 9_000, 400),
        "contributions": contributions,
        "attribution": attribution(contributions),
        "decision": decision(comparison),
        "benchmark": {"source": "bench.csv"},
        "quality": [("Score (mean of the components)", "0.987")],
        "statement_digest": "cd" * 32,
        "warnings": ["bob.csv: 30 rows also stand in the benchmark"],
        "dry_run": False,
    }
    return render_report(**{**given, **change})


@pytest.mark.parametrize("comparison", [binary(), classes(), regression(), binary(12)])
@pytest.mark.parametrize("dry_run", [False, True])
def test_is_well_formed_and_needs_nothing_from_outside(comparison: Comparison, dry_run: bool) -> None:
    html = rendered(comparison=comparison, dry_run=dry_run)
    page = Page(html)
    assert {"script", "link", "img", "iframe"}.isdisjoint(page.tags)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", html)
    assert not {name for name, _ in page.attributes} & {"src", "href", "onload", "onclick"}
    assert "None" not in page.text
    assert "nan" not in page.text


class TestContent:
    def test_every_metric_with_its_interval(self) -> None:
        comparison = binary()
        page = Page(rendered(comparison=comparison))
        for delta in comparison.deltas:
            row = page.row(delta.metric.name)
            assert row[1] == f"{delta.baseline_value:.4f}"
            assert row[2] == f"{delta.new_value:.4f}"
            assert row[3] == f"{delta.new_value - delta.baseline_value:+.4f}"
            assert row[6] == f"{delta.interval.low:+.4f} … {delta.interval.high:+.4f}"
        assert page.row("accuracy")[8] == "0.75"
        assert page.row("recall")[8] == "\u2013"

    def test_the_headline_is_delta_one_in_percentage_points(self) -> None:
        comparison = binary()
        page = Page(rendered(comparison=comparison))
        assert f"{100 * comparison.delta_one:+.2f} pp" in page.text
        low, high = (f"{100 * end:+.2f} pp" for end in (comparison.interval.low, comparison.interval.high))
        assert f"{low} to {high} at 95 % confidence" in " ".join(page.text.split())
        assert "The new model is better: the whole interval lies above zero." in page.text

    def test_regression_in_units_of_the_target(self) -> None:
        page = Page(rendered(comparison=regression()))
        row = page.row("rmse")
        assert row[0] == "rmse (lower is better)"
        assert row[1:4] == ["20,000", "12,346", "-7,654"]
        assert row[4] == "-38.27 %"  # 7654.4 / 20000
        assert "rmse, +3827 basis points of the baseline's error." in page.text

    def test_macro_averages_are_named(self) -> None:
        assert "macro averages" in rendered(comparison=classes())
        assert "macro averages" not in rendered()

    def test_the_datas_path(self) -> None:
        row = Page(rendered()).row("ann.csv")
        assert row[2:] == ["4,234", "3,000", "1,000", "200", "30", "4"]

    def test_who_is_credited(self) -> None:
        page = Page(rendered())
        credited = [row for row in page.rows if row and row[0] in ("ann", "bob")]
        assert credited == [
            ["ann", WALLET, "3,000", "+5.00 pp", "+3.00 pp … +7.00 pp", "100.00 %", "yes"],
            [
                "bob",
                THIRTY_NINE,
                "1,000",
                "-1.00 pp",
                "-3.00 pp … +1.00 pp",
                "0.00 %what the data is worth cannot be told from zero",
                "no",
            ],
        ]
        assert page.row("Contributor")[3:6] == ["Worth", "95 % interval", "Paid"]
        assert "A note on credit." in page.text

    def test_a_rejected_improvement_promises_nobody_anything(self) -> None:
        page = Page(rendered(decision=decision(binary(), min_rows=800)))
        assert "Rejected." in page.text
        assert "The benchmark has 400 rows, and at least 800 are needed." in page.text
        assert page.row("Contributor")[5] == "Would be paid"
        assert "nothing is paid on it" in page.text

    def test_an_accepted_one_says_why(self) -> None:
        page = Page(rendered())
        assert "Accepted." in page.text
        assert "accuracy gained +" in page.text
        assert "nothing is paid" not in page.text

    def test_every_guardrail_with_what_was_measured(self) -> None:
        recall, latency = Guardrail("recall", 0.01), Guardrail("latency_ms", 5.0)
        outcomes = [
            outcome_of(recall, baseline=0.8, change=0.004, bound=-0.002),
            unmeasured(latency, "the models were not timed"),
        ]
        rule = AcceptanceRule(min_rows=10, guardrails=(recall, latency))
        page = Page(rendered(decision=decide(binary(), rule, outcomes=outcomes)))
        guarded = page.rows[page.rows.index(page.row("Guardrail")) :][1:3]
        assert guarded == [
            ["recall", "+0.0040", "-0.0020", "-0.0100", "yes"],
            ["latency_ms", "\u2013", "\u2013", "\u2013", "no"],
        ]
        assert "latency_ms was not measured: the models were not timed." in page.text

    def test_models_quality_warnings_and_how_to_check(self) -> None:
        page = Page(rendered())
        assert page.row("New")[1:3] == ["churn/1.1.0", "sklearn.B"]
        assert page.row("New")[3] == "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
        assert page.row("Score")[1] == "0.987"
        assert "bob.csv: 30 rows also stand in the benchmark" in page.text
        assert "hokusai attest verify attestation_1700000000.json" in page.text
        assert "cd" * 32 in page.text
        assert "Base data: 9,000 rows. Benchmark: bench.csv, 400 rows." in page.text

    def test_a_dry_run_cannot_be_mistaken(self) -> None:
        page = Page(rendered(dry_run=True))
        assert "Dry run." in page.text
        assert "Nothing here is evidence" in page.text
        assert "--allow-dry-run" in page.text
        assert page.row("Contributor")[5] == "Would be paid"
        assert "Dry run." not in Page(rendered()).text

    def test_whoever_is_anonymous(self) -> None:
        page = Page(rendered(contributions=[contribution("anonymous", "a.csv", 1, None)]))
        assert page.row("anonymous")[1:3] == ["\u2013", "1"]
        assert page.row("anonymous")[5:] == ["100.00 %", "no"]


@pytest.mark.parametrize(
    "field", ["contributor", "file", "wallet", "warning", "benchmark", "quality", "model", "run_id"]
)
def test_hostile_names_are_only_text(field: str) -> None:
    hostile: dict[str, Any] = {
        "contributor": {"contributions": [contribution(SCRIPT, "a.csv", 1, None)]},
        "file": {"contributions": [contribution("ann", SCRIPT, 1, None)]},
        "wallet": {"contributions": [contribution("ann", "a.csv", 1, SCRIPT)]},
        "warning": {"warnings": [SCRIPT]},
        "benchmark": {"benchmark": {"source": SCRIPT}},
        "quality": {"quality": [(SCRIPT, SCRIPT)]},
        "model": {"baseline": ModelArtifact(SCRIPT, SCRIPT, "a", b"a", {}, 1)},
        "run_id": {"run_id": SCRIPT},
    }
    html = rendered(**hostile[field])
    page = Page(html)
    assert "<script" not in html
    assert "script" not in page.tags
    assert "onload" not in {name for name, _ in page.attributes}
    assert SCRIPT in page.text


class TestWords:
    @pytest.mark.parametrize(
        ("method", "said"),
        [
            (AttributionMethod.SHAPLEY, "on all 3 coalitions of contributors, each with 3 seeds."),
            (AttributionMethod.SHAPLEY_MONTE_CARLO, "sampling leaves an error of up to +0.20 pp."),
            (AttributionMethod.LEAVE_ONE_OUT, "Duplicates of one another earn nothing."),
            (AttributionMethod.PROPORTIONAL, "how much was given, not how much it was worth."),
        ],
    )
    def test_how_credit_was_worked_out(self, method: AttributionMethod, said: str) -> None:
        from dataclasses import replace

        told = attribution([contribution("ann", "ann.csv", 3_000, WALLET)])
        assert method_sentence(replace(told, method=method, sampling_error=0.002)).endswith(said)

    @pytest.mark.parametrize(
        ("low", "value", "high", "said"),
        [
            (0.01, 0.02, 0.03, "is better"),
            (-0.03, -0.02, -0.01, "is worse"),
            (-0.01, 0.02, 0.05, "may be better, but .* noise"),
            (-0.05, -0.02, 0.01, "may be worse, but .* noise"),
            (0.0, 0.02, 0.04, "may be better"),
            (-0.01, 0.0, 0.01, "no difference"),
        ],
    )
    def test_verdict(self, low: float, value: float, high: float, said: str) -> None:
        from dataclasses import replace

        compared = replace(binary(), delta_one=value, interval=Interval(low, high, 0.95))
        assert re.search(said, verdict(compared))

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0.0, "0.0000"), (0.5, "0.5000"), (-0.12345, "-0.1235"), (9.99, "9.9900"), (10.0, "10.00"),
            (123.456, "123.5"), (1234.5, "1,234"), (-98765.4, "-98,765"), (2e9, "2.000e+09"), (5e-5, "5.000e-05"),
        ],
    )  # fmt: skip
    def test_numbers(self, value: float, text: str) -> None:
        assert number(value) == text
        if value >= 0:
            assert number(value, "+") == f"+{text}"

    def test_percentage_points(self) -> None:
        assert [percentage_points(v) for v in (0.0332, -0.5, 0.0)] == ["+3.32 pp", "-50.00 pp", "+0.00 pp"]

    def test_small_p_values_are_not_zero(self) -> None:
        text = " ".join(Page(rendered()).text.split())
        assert "p < 0.001, measured on 400" in text
        assert "p = 0." in " ".join(Page(rendered(comparison=classes())).text.split())


class TestPlot:
    def test_better_is_right_of_zero_whatever_the_metric(self) -> None:
        html = rendered(comparison=regression())
        zero = float(re.search(r'<line x1="([\d.]+)" x2="\1" y1="8"', html)[1])
        assert zero == 365.0
        dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', html)]
        assert len(dots) == 4  # rmse, mae, r2, DeltaOne
        assert all(zero < dot <= 610 for dot in dots)

    @pytest.mark.parametrize("comparison", [binary(), classes(), regression()])
    def test_intervals_hold_their_dots_and_stay_inside(self, comparison: Comparison) -> None:
        html = rendered(comparison=comparison)
        drawn = (
            r'<line x1="([\d.]+)" x2="([\d.]+)" y1="[\d.]+" y2="[\d.]+" stroke="var\(--(?:good|bad|even)\)'
        )
        lines = [tuple(map(float, ends)) for ends in re.findall(drawn, html)]
        dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', html)]
        assert len(lines) == len(dots) == len(comparison.deltas) + 1
        for (low, high), dot in zip(lines, dots, strict=True):
            assert 120 <= low <= dot <= high <= 610
