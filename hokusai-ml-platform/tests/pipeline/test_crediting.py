"""Who is credited: models really trained on coalitions of small files, and what that says of each contributor."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from hokusai.domain.attribution import Attribution, AttributionMethod
from hokusai.pipeline import crediting
from hokusai.stats.payment import NO_ROWS

FOREST = {
    "estimator": "sklearn.ensemble.RandomForestClassifier",
    "estimator_params": '{"n_estimators": 3, "max_depth": 3}',
}


def values(credited: Attribution) -> dict[str, float]:
    return {one.contributor.contributor_id: one.value for one in credited.credits}


def weights(credited: Attribution) -> dict[str, int]:
    return {one.contributor.contributor_id: one.weight_bps for one in credited.credits}


def unpaid(credited: Attribution) -> dict[str, str]:
    return {one.contributor.contributor_id: one.unpaid for one in credited.credits}


def shuffled(rows: dict[str, Sequence[Any]], seed: int) -> dict[str, Sequence[Any]]:
    """The same rows with labels that were made up."""
    draw = random.Random(seed)
    return {**rows, "label": [draw.choice(["yes", "no"]) for _ in rows["label"]]}


@pytest.fixture
def shared_out(csv, labelled, plan_of, ran):
    """A run on twenty base rows, whose contributors gave these tables."""

    def run(given: dict[str, dict[str, Sequence[Any]]], **more: Any) -> Any:
        files = [csv(f"{i}.csv", table) for i, table in enumerate(given.values())]
        people = ",".join(name.partition("/")[0] for name in given)
        known = {
            "contributed_data": ",".join(files),
            "contributor": people,
            "base_data": csv("base.csv", labelled(20, 7)),
            "benchmark_data": csv("benchmark.csv", labelled(600, 1)),
            "metric_weights": '{"accuracy": 1}',
            "retraining_tasks": "1",
        }
        return ran(plan_of(**{k: v for k, v in {**known, **more}.items() if v}))

    return run


class TestShapley:
    @pytest.fixture
    def three(self, shared_out, labelled):
        made_up = shuffled(labelled(150, 14), 14)
        given = {"ann": labelled(150, 2), "mallory": made_up, "bob": labelled(150, 3)}
        return lambda **more: shared_out(given, **more)

    def test_random_labels_earn_nothing(self, three) -> None:
        run = three()
        assert run.comparison.delta_one > 0.01, run.credited
        paid = weights(run.credited)
        assert paid["mallory"] == 0
        assert unpaid(run.credited)["mallory"]
        assert paid["ann"] + paid["bob"] == 10_000

    def test_values_sum_to_the_gain_of_the_run(self, three) -> None:
        run = three()
        assert run.credited.method is AttributionMethod.SHAPLEY
        assert sum(values(run.credited).values()) == pytest.approx(run.comparison.delta_one, abs=1e-12)
        assert run.credited.gain == pytest.approx(run.comparison.delta_one, abs=1e-12)
        assert run.credited.evaluations == 7

    def test_one_training_stands_for_all_seeds_where_chance_plays_no_part(self, three) -> None:
        """Logistic regression by L-BFGS looks at no seed: 6 coalitions, and that of all is the run's own model."""
        once, thrice = three(attribution_seeds="1"), three(attribution_seeds="3", retraining_tasks="9")
        assert (once.trained, thrice.trained) == (6, 6)
        assert values(once.credited) == pytest.approx(values(thrice.credited), abs=1e-15)
        assert (once.credited.seeds, thrice.credited.seeds) == (1, 3)

    def test_every_seed_is_trained_where_chance_plays_a_part(self, three) -> None:
        run = three(**FOREST, attribution_seeds="2")
        assert run.trained == 7 * 2 - 1

    def test_how_the_work_was_cut_changes_nothing(self, three) -> None:
        found = [three(**FOREST, attribution_seeds="2", retraining_tasks=n).credited for n in ("1", "9")]
        assert found[0] == found[1]

    def test_the_order_of_the_contributors_changes_no_value(self, shared_out, labelled) -> None:
        ann, bob = labelled(120, 2), labelled(60, 3)
        forth, back = shared_out({"ann": ann, "bob": bob}), shared_out({"bob": bob, "ann": ann})
        assert values(forth.credited) == pytest.approx(values(back.credited), abs=0.02)


class TestWhoCounts:
    def test_a_single_contributor_has_all_and_trains_nothing(self, shared_out, labelled) -> None:
        run = shared_out({"ann": labelled(200, 2)})
        assert run.trained == 0
        assert weights(run.credited) == {"ann": 10_000}
        assert values(run.credited) == {"ann": pytest.approx(run.comparison.delta_one)}

    def test_one_with_seeds_that_were_asked_for_is_trained_for_the_others(self, shared_out, labelled) -> None:
        run = shared_out({"ann": labelled(200, 2)}, **FOREST, attribution_seeds="3")
        assert run.trained == 2
        assert run.credited.seeds == 3

    def test_duplicates_are_the_earliest_ones(self, shared_out, labelled) -> None:
        rows = labelled(200, 2)
        run = shared_out({"ann": rows, "bob": rows})
        assert weights(run.credited) == {"ann": 10_000, "bob": 0}
        assert unpaid(run.credited)["bob"] == NO_ROWS
        assert [one.rows for one in run.credited.credits] == [200, 0]

    def test_the_files_of_one_are_one_player(self, shared_out, labelled) -> None:
        ann, bob = labelled(120, 2), labelled(60, 3)
        halves = [{k: v[part] for k, v in ann.items()} for part in (slice(0, 60), slice(60, 120))]
        apart = shared_out({"ann/1": halves[0], "bob": bob, "ann/2": halves[1]})
        whole = shared_out({"ann": ann, "bob": bob})
        assert [one.rows for one in apart.credited.credits] == [120, 60]
        assert apart.credited.evaluations == 3
        # the rows stand in another order, which the estimator hardly notices
        assert values(apart.credited) == pytest.approx(values(whole.credited), abs=0.01)

    def test_nobody_whose_data_is_worth_nothing_is_paid(self, shared_out, labelled, csv) -> None:
        given = {name: shuffled(labelled(100, seed), seed) for name, seed in (("m", 4), ("n", 5))}
        run = shared_out(given, base_data=csv("good.csv", labelled(300, 8)))
        assert weights(run.credited) == {"m": 0, "n": 0}
        assert all(unpaid(run.credited).values())


@pytest.fixture
def given_model(tmp_path: Path, labelled) -> str:
    """A model that somebody trained before, on few rows."""
    frame = pd.DataFrame(labelled(8, 9))
    model = LogisticRegression().fit(frame[["x", "z"]], frame["label"])
    (tmp_path / "given.skops").write_bytes(skops.io.dumps(model))
    return str(tmp_path / "given.skops")


class TestAGivenBaseline:
    def test_what_the_base_data_gains_is_nobodys(self, shared_out, labelled, csv, given_model) -> None:
        plenty = csv("plenty.csv", labelled(400, 8))
        run = shared_out({"ann": labelled(50, 2)}, baseline_model=given_model, base_data=plenty)
        assert run.trained == 1  # the model of the base data alone
        again = run.comparison.delta_one - run.credited.gain
        assert abs(again) > abs(run.credited.gain)
        assert f"Training without any contribution gains {again:+.6f}, which is nobody's" in run.credited.note
        assert values(run.credited)["ann"] == pytest.approx(run.credited.gain, abs=1e-12)

    def test_data_that_makes_no_model_leaves_the_baseline(self, shared_out, labelled, given_model) -> None:
        """Bob gave rows of one class: nothing can be trained on them alone, so alone they gain nothing."""
        bob = labelled(40, 3)
        bob = {**bob, "label": ["yes"] * 40}
        given = {"ann": labelled(100, 2), "bob": bob}
        run = shared_out(given, baseline_model=given_model, base_data="")
        ann, both = values(run.credited)["ann"], run.comparison.delta_one
        alone = _gain_alone(run)
        assert alone[(1,)] == 0.0
        assert ann == pytest.approx((alone[(0,)] + both - alone[(1,)]) / 2, abs=1e-12)


def _gain_alone(run: Any) -> dict[tuple[int, ...], float]:
    (task,) = crediting.tasks(run.shares, 1)
    found = crediting.measure(run.plan, run.facts, run.contributed, run.old, run.evaluation, run.shares, task)
    return {coalition: gain.per_seed[0] for coalition, gain in found.items() if len(coalition) == 1}


class TestManyContributors:
    @pytest.fixture
    def twelve(self, shared_out, labelled):
        given = {f"c{i:02}": labelled(20, 10 + i) for i in range(12)}
        return lambda **more: shared_out(given, attribution_orders="4", attribution_seeds="1", **more)

    def test_orders_are_sampled_and_however_they_are_dealt_the_result_is_one(self, twelve) -> None:
        run, other = twelve(), twelve(retraining_tasks="3")
        assert run.credited.method is AttributionMethod.SHAPLEY_MONTE_CARLO
        assert run.credited.sampling_error is not None
        assert sum(values(run.credited).values()) == pytest.approx(run.comparison.delta_one, abs=1e-9)
        assert run.credited == other.credited


class TestOtherRules:
    @pytest.fixture
    def two(self, shared_out, labelled):
        given = {"ann": labelled(150, 2), "bob": labelled(50, 3)}
        return lambda **more: shared_out(given, **more)

    def test_leave_one_out_is_what_is_lost_without_each(self, two) -> None:
        run = two(attribution="leave-one-out", attribution_seeds="1")
        alone = _gain_alone(run)
        everybody = run.comparison.delta_one
        assert values(run.credited) == {
            "ann": pytest.approx(everybody - alone[(1,)], abs=1e-12),
            "bob": pytest.approx(everybody - alone[(0,)], abs=1e-12),
        }

    def test_proportional_trains_nothing(self, two) -> None:
        run = two(attribution="proportional")
        assert run.trained == 0
        assert weights(run.credited) == {"ann": 7_500, "bob": 2_500}

    def test_a_dry_run_says_that_nothing_was_learnt(self, two) -> None:
        run = two(dry_run=True)
        assert run.trained == 0
        assert run.credited.method is AttributionMethod.PROPORTIONAL
        assert run.credited.note.startswith("Mock models learn nothing from anybody's rows")

    def test_regression(self, csv, plan_of, ran) -> None:
        def houses(n: int, seed: int, noise: float) -> dict[str, list[float]]:
            draw = np.random.default_rng(seed)
            x, z = draw.random(n), draw.random(n)
            label = 3 * x - z + noise * draw.standard_normal(n)
            return {"x": x.tolist(), "z": z.tolist(), "label": label.tolist()}

        plan = plan_of(
            contributed_data=f"{csv('a.csv', houses(80, 2, 0.1))},{csv('b.csv', houses(80, 3, 5.0))}",
            contributor="ann,bob",
            base_data=csv("base.csv", houses(5, 9, 0.5)),
            benchmark_data=csv("bench.csv", houses(300, 1, 0.1)),
            task="regression",
            metric_weights='{"rmse": 1}',
        )
        run = ran(plan)
        assert run.trained == 2
        assert sum(values(run.credited).values()) == pytest.approx(run.comparison.delta_one, abs=1e-12)
        assert values(run.credited)["ann"] > values(run.credited)["bob"]


class TestTasks:
    def shares(self, **change: Any) -> crediting.Shares:
        known = crediting.Shares(
            contributors=(), files=(), rows=(5, 0, 7, 9), method=AttributionMethod.SHAPLEY, seeds=3,
            weights={}, tolerance=0.0, orders=4, seed=1, base_only=False,
        )  # fmt: skip
        return replace(known, **change)

    def test_every_coalition_of_those_with_rows_is_in_exactly_one(self) -> None:
        parts = crediting.tasks(self.shares(), 3)
        assert len(parts) == 3
        dealt = [coalition for part in parts for coalition in part.coalitions]
        assert sorted(dealt) == [(0,), (0, 2), (0, 2, 3), (0, 3), (2,), (2, 3), (3,)]

    def test_there_are_no_more_than_coalitions_and_one_at_least(self) -> None:
        assert len(crediting.tasks(self.shares(), 100)) == 7
        (alone,) = crediting.tasks(self.shares(rows=(5, 0, 0, 0), seeds=1), 8)
        assert alone == crediting.Retraining()

    def test_everybody_is_the_runs_own_model_with_the_first_seed(self) -> None:
        (part,) = crediting.tasks(self.shares(seeds=1), 1)
        assert (0, 2, 3) not in part.coalitions

    def test_nobody_is_trained_for_only_where_a_baseline_was_given(self) -> None:
        (part,) = crediting.tasks(self.shares(base_only=True), 1)
        assert part.coalitions[0] == ()
