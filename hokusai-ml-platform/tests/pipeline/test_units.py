"""A benchmark whose rows belong together: every error of a run is between its units, from the survey to the credit."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hokusai.domain.decision import AcceptanceRule, Verdict
from hokusai.domain.metrics import Task
from hokusai.errors import ConfigurationError, SchemaError
from hokusai.pipeline import reference
from hokusai.pipeline.attestation import predictions_file
from hokusai.pipeline.benchmark_record import DISCORDANCE, benchmark_of_files
from hokusai.pipeline.plan import RunPlan, resolve_plan
from hokusai.stats.power import minimum_detectable_delta
from hokusai.utils.config import Settings

Run = Callable[..., Any]
N_USERS, EACH = 60, 5
USERS = [f"user{i}@mail.example" for i in range(N_USERS) for _ in range(EACH)]


def repeated(table: dict[str, Any]) -> dict[str, Any]:
    """Each row five times: five rows of one user, who are wrong together."""
    return {name: [value for value in column for _ in range(EACH)] for name, column in table.items()}


@pytest.fixture
def plan(csv, labelled, plan_of) -> Callable[..., RunPlan]:
    def make(users: list[Any] = USERS, **more: Any) -> RunPlan:
        given = {
            "contributed_data": csv("c.csv", labelled(60, 2)),
            "base_data": csv("base.csv", labelled(20, 1)),
            "benchmark_data": csv("bench.csv", {**repeated(labelled(N_USERS, 3)), "user": users}),
            "unit_column": "user",
        }
        return plan_of(**{k: v for k, v in {**given, **more}.items() if v is not None})

    return make


class TestRun:
    def test_all_errors_are_between_units(self, plan: Run, ran: Run) -> None:
        found = ran(plan())
        assert (found.comparison.n_rows, found.comparison.n_units) == (300, N_USERS)
        assert all(delta.freedom == N_USERS - 1 for delta in found.comparison.deltas)
        (credit,) = found.credited.credits
        assert credit.standard_error == pytest.approx(found.comparison.standard_error, rel=1e-5)
        assert "user" not in found.facts.features

    def test_five_equal_rows_of_a_user_say_as_much_as_one(
        self, plan: Run, plan_of: Run, ran: Run, csv, labelled, tmp_path: Path
    ) -> None:
        by_user = ran(plan()).comparison
        once = ran(
            plan_of(
                contributed_data=str(tmp_path / "c.csv"),
                base_data=str(tmp_path / "base.csv"),
                benchmark_data=csv("once.csv", labelled(N_USERS, 3)),
            )
        ).comparison
        by_row = ran(plan(unit_column=None, feature_columns="x,z")).comparison
        for name in ("accuracy", "auroc"):
            several, one, naive = (c.delta(name).standard_error for c in (by_user, once, by_row))
            assert several == pytest.approx(one, rel=0.02), name
            assert naive == pytest.approx(one / math.sqrt(EACH), rel=0.02), name

    def test_regression(self, csv, plan_of: Run, ran: Run) -> None:
        draw = np.random.default_rng(4)

        def table(n: int) -> dict[str, Any]:
            x = draw.normal(size=n)
            return {"x": x.tolist(), "label": (2 * x + draw.normal(size=n)).tolist()}

        found = ran(
            plan_of(
                contributed_data=csv("c.csv", table(40)),
                base_data=csv("base.csv", table(8)),
                benchmark_data=csv("bench.csv", {**repeated(table(N_USERS)), "user": USERS}),
                unit_column="user",
            )
        )
        assert found.facts.task is Task.REGRESSION
        assert found.comparison.n_units == N_USERS
        (credit,) = found.credited.credits
        assert credit.standard_error == pytest.approx(found.comparison.standard_error, rel=1e-5)

    def test_the_predictions_say_who_belongs_together_and_not_who_they_are(self, plan: Run, ran: Run) -> None:
        content = predictions_file(ran(plan()).evaluation)
        assert b"mail.example" not in content
        units = pl.read_parquet(io.BytesIO(content))["unit"].to_list()
        assert len(set(zip(units, USERS, strict=True))) == len(set(units)) == N_USERS

    def test_a_slice_of_one_unit_says_nothing_and_is_a_breach(self, plan: Run, ran: Run) -> None:
        guarded = f"accuracy[user={USERS[0]}]=0.5"
        found = ran(plan(guardrails=guarded, threshold="0", min_rows="10"))
        (outcome,) = found.decision.guardrails
        assert outcome.breached
        assert "All rows belong to one unit" in outcome.reason
        assert Verdict.GUARDRAIL in [reason.verdict for reason in found.decision.reasons]

    def test_a_unit_column_may_be_a_feature_if_it_is_named_as_one(self, plan: Run, ran: Run, csv) -> None:
        # by region, say: rows of one region are alike, and the model may know where they are
        draw = np.random.default_rng(6)

        def table(n: int) -> dict[str, Any]:
            region = draw.choice(["north", "south", "west"], n)
            return {
                "x": draw.random(n).tolist(),
                "region": region.tolist(),
                "label": np.where(region == "north", "yes", "no").tolist(),
            }

        made = plan(
            contributed_data=csv("c2.csv", table(30)),
            base_data=csv("base2.csv", table(30)),
            benchmark_data=csv("bench2.csv", table(60)),
            unit_column="region",
            feature_columns="region,x",
        )
        found = ran(made)
        assert found.facts.features == ("region", "x")
        assert found.comparison.n_units == 3


class TestRefusals:
    @pytest.mark.parametrize("missing", [None, "  "])
    def test_a_row_without_a_unit(self, plan: Run, missing: str | None) -> None:
        users = [missing if i in (7, 9) else user for i, user in enumerate(USERS)]
        with pytest.raises(SchemaError, match=r"2 rows have no 'user', row 8 first \(the benchmark\)"):
            reference.survey(plan(users))

    def test_units_that_tell_nothing(self, plan: Run) -> None:
        with pytest.raises(SchemaError, match="All rows are of one unit by 'user'"):
            reference.survey(plan(["ann"] * len(USERS)))
        with pytest.raises(SchemaError, match="Each row is a unit of its own by 'user'"):
            reference.survey(plan([f"u{i}" for i in range(len(USERS))]))

    def test_a_column_that_is_not_there(self, plan: Run) -> None:
        with pytest.raises(SchemaError, match=r"'usr' is missing.*Did you mean 'user'"):
            reference.survey(plan(unit_column="usr"))

    def test_the_target_and_a_hold_out(self, plan: Run) -> None:
        with pytest.raises(ConfigurationError, match="is the target"):
            plan(unit_column="label")
        with pytest.raises(ConfigurationError, match="a hold-out would cut units in two"):
            plan(benchmark_data=None)

    def test_units_that_are_trained_on_are_told(self, plan: Run, csv, labelled) -> None:
        shared = csv("shared.csv", labelled(20, 1, user=[*USERS[:10], *"abcdefghij"]))
        (told,) = (note for note in reference.survey(plan(base_data=shared)).warnings if "units" in note)
        assert told.startswith("2 of the benchmark's 60 units by 'user' also stand in the base data")
        assert not any("units" in note for note in reference.survey(plan()).warnings)

    def test_a_dry_run_says_that_it_has_none(self, plan: Run, ran: Run) -> None:
        found = ran(plan(dry_run=True, benchmark_data=None))
        assert found.comparison.n_units is None
        assert any("mock benchmark has no units" in note for note in found.facts.warnings)


class TestBenchmark:
    def test_the_record_names_the_column_and_takes_the_worst_case_for_its_size(
        self, plan: Run, tmp_path: Path
    ) -> None:
        plan()
        made = benchmark_of_files(
            [tmp_path / "bench.csv"], name="b", target_column="label", unit_column="user"
        )
        assert made.unit_column == "user"
        assert made.minimum_detectable_delta == minimum_detectable_delta(N_USERS, DISCORDANCE)
        with pytest.raises(SchemaError, match="'usr' is missing"):
            benchmark_of_files([tmp_path / "bench.csv"], name="b", target_column="label", unit_column="usr")

    def test_a_run_takes_the_column_from_it(
        self, plan: Run, ran: Run, settings: Settings, tmp_path: Path
    ) -> None:
        plan()
        rule = AcceptanceRule(min_rows=100)
        made = benchmark_of_files(
            [tmp_path / "bench.csv"], name="b", target_column="label", unit_column="user", rule=rule
        )
        given = {
            "contributed_data": str(tmp_path / "c.csv"),
            "base_data": str(tmp_path / "base.csv"),
            "benchmark_data": str(tmp_path / "bench.csv"),
            "benchmark": "b",
            "output_dir": str(tmp_path / "out"),
        }
        assert ran(resolve_plan(given, settings, lambda _: made)).comparison.n_units == N_USERS
        with pytest.raises(ConfigurationError, match="settles --unit-column already"):
            resolve_plan({**given, "unit_column": "user"}, settings, lambda _: made)
