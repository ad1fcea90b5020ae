"""Which contributed rows are trained on: every row is accounted for, and leaks never come through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hokusai.errors import IntegrityError
from hokusai.pipeline import contribution, reference

BASE = "x,label\n1,a\n2,b\n3,a\n4,b\n"
BENCHMARK = "x,label\n11,a\n12,b\n13,a\n"
# one row of each fate: new, new, in the base data, in the benchmark, a repeat, without label, in the benchmark
FIRST = "x,label\n21,a\n22,b\n1,a\n11,a\n21,a\n99,\n12,b\n"
SECOND = "x,label\n22,b\n31,b\n"  # what the first file has already, and something new


@pytest.fixture
def plan(csv, plan_of):
    return plan_of(
        contributed_data=f"{csv('c1.csv', FIRST)},{csv('c2.csv', SECOND)}",
        base_data=csv("base.csv", BASE),
        benchmark_data=csv("bench.csv", BENCHMARK),
        contributor="ann,bob",
    )


@pytest.fixture
def facts(plan):
    return reference.survey(plan)


class TestAccount:
    def test_every_row_ends_in_one_place(self, plan, facts) -> None:
        first, second = contribution.integrate(plan, facts).contributions
        assert (first.contributor.contributor_id, first.file_name) == ("ann", "c1.csv")
        assert (
            first.rows_read,
            first.rows_accepted,
            first.rows_in_base,
            first.rows_in_benchmark,
            first.rows_duplicate,
            first.rows_without_label,
        ) == (7, 2, 1, 2, 1, 1)
        assert (second.rows_read, second.rows_accepted, second.rows_duplicate) == (2, 1, 1)
        assert first.sha256 == facts.digests[plan.contributed_files[0]]

    def test_leaks_are_told_with_their_rows(self, plan, facts) -> None:
        (leak,) = [
            w for w in contribution.integrate(plan, facts).warnings if "also stand in the benchmark" in w
        ]
        assert leak == "c1.csv: 2 rows also stand in the benchmark and are not trained on (first: 4, 7)."

    def test_one_bit_a_row(self, plan, facts) -> None:
        contributed = contribution.integrate(plan, facts)
        bits = [np.unpackbits(b, count=n).tolist() for b, n in zip(contributed.accepted, (7, 2), strict=True)]
        assert bits == [[1, 1, 0, 0, 0, 0, 0], [0, 1]]

    def test_base_rows_in_the_benchmark_are_told(self, plan_of, csv) -> None:
        made = plan_of(
            contributed_data=csv("c.csv", "x,label\n21,a\n22,b\n"),
            base_data=csv("base.csv", BASE),
            benchmark_data=csv("bench.csv", "x,label\n1,a\n2,b\n12,b\n"),
        )
        warnings = contribution.integrate(made, reference.survey(made)).warnings
        assert "2 rows of the base data also stand in the benchmark; both models saw them." in warnings

    def test_a_row_with_the_id_of_a_benchmark_row_is_a_leak(self, plan_of, csv) -> None:
        made = plan_of(
            contributed_data=csv("c.csv", "id,x,label\nA1,21,a\nA2,22,b\nB1,23,b\n"),
            base_data=csv("base.csv", "id,x,label\nC1,1,a\nC2,2,b\n"),
            benchmark_data=csv("bench.csv", "id,x,label\nB1,11,a\nB2,12,b\n"),
        )
        (account,) = contribution.integrate(made, reference.survey(made)).contributions
        assert (account.rows_accepted, account.rows_in_benchmark) == (2, 1)

    def test_quality_for_people(self, plan, facts) -> None:
        lines = dict(contribution.integrate(plan, facts).quality_lines())
        assert next(iter(lines)) == "Score (mean of the components)"
        assert lines["Labelled"] == f"{8 / 9:.3f}"
        assert lines["Uniqueness"] == f"{7 / 9:.3f}"
        assert lines["Share of class 'a'"] == "50.0%"


class TestTrainingFrame:
    def test_is_base_rows_then_accepted_rows_in_order(self, plan, facts) -> None:
        frame = contribution.training_frame(plan, facts, contribution.integrate(plan, facts))
        assert frame.rows() == [(1, "a"), (2, "b"), (3, "a"), (4, "b"), (21, "a"), (22, "b"), (31, "b")]

    def test_has_no_row_of_a_held_out_benchmark(self, csv, labelled, plan_of) -> None:
        base = labelled(40, 1)
        leaking = {key: [*labelled(20, 2)[key], *values[:30]] for key, values in base.items()}
        made = plan_of(contributed_data=csv("c.csv", leaking), base_data=csv("b.csv", base))
        facts = reference.survey(made)
        contributed = contribution.integrate(made, facts)
        frame = contribution.training_frame(made, facts, contributed)
        benchmark = reference.load(made, facts).benchmark
        assert frame.join(benchmark, on=frame.columns, how="semi").height == 0
        (account,) = contributed.contributions
        assert account.rows_accepted == 20
        assert account.rows_in_base + account.rows_in_benchmark == 30
        assert account.rows_in_benchmark > 0
        assert frame.height == facts.base_rows + 20

    @pytest.mark.parametrize("step", ["integrate", "training_frame"])
    def test_a_contributed_file_that_changed(self, plan, facts, tmp_path: Path, step: str) -> None:
        contributed = contribution.integrate(plan, facts)
        (tmp_path / "c2.csv").write_text(SECOND.replace("31", "32"))
        with pytest.raises(IntegrityError, match=r"c2\.csv"):
            if step == "integrate":
                contribution.integrate(plan, facts)
            else:
                contribution.training_frame(plan, facts, contributed)


def test_the_same_inputs_give_the_same_account(plan, facts) -> None:
    first, second = contribution.integrate(plan, facts), contribution.integrate(plan, reference.survey(plan))
    assert (first.contributions, first.manifest, first.warnings) == (
        second.contributions,
        second.manifest,
        second.warnings,
    )
    assert isinstance(first.accepted[0], np.ndarray)
    assert pl.DataFrame({"b": first.accepted[0]}).equals(pl.DataFrame({"b": second.accepted[0]}))


def test_flipped_labels_of_benchmark_rows_are_reported(csv, plan_of) -> None:
    """Two contributed rows copy a benchmark row's features and say the other label; one copies it as it is."""
    rows = {"x": [float(i) for i in range(40)], "label": ["no", "yes"] * 20}
    given = {"x": [0.5, 1.5, 0.0, 1.0, 2.0], "label": ["no", "yes", "yes", "no", "no"]}
    made = plan_of(
        contributed_data=csv("c.csv", given),
        base_data=csv("b.csv", {"x": [100.0 + i for i in range(20)], "label": ["no", "yes"] * 10}),
        benchmark_data=csv("m.csv", rows),
    )
    done = contribution.integrate(made, reference.survey(made))
    (account,) = done.contributions
    assert (account.rows_accepted, account.rows_in_benchmark) == (4, 1)
    assert "c.csv: 2 rows have the features of a benchmark row and another label." in done.warnings
