"""Copies with a little noise are found, and data that nobody copied loses nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn import datasets

from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.metrics import Task
from hokusai.errors import SchemaError
from hokusai.pipeline import contribution, reference
from hokusai.pipeline.data.reading import Table
from hokusai.pipeline.integration import IntegratedData, Leak, integrate
from hokusai.pipeline.near_copies import KNOWN, OTHERS, NearCopies, near_copies


def continuous(n: int, seed: int, columns: str = "abcd") -> pl.DataFrame:
    """Normal columns, and a label that follows from the first."""
    draw = np.random.default_rng(seed)
    data = {name: draw.standard_normal(n) for name in columns}
    return pl.DataFrame({**data, "label": np.where(data["a"] > 0, "yes", "no")})


def moved(frame: pl.DataFrame, by: float, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The rows with something added to their numbers."""
    return frame.with_columns(
        pl.col(columns or [n for n in frame.columns if n != "label"]).cast(pl.Float64) + by
    )


def join(
    base: pl.DataFrame, benchmark: pl.DataFrame, files: Mapping[str, pl.DataFrame], **options: Any
) -> IntegratedData:
    """Files by contributor, who may have several: `ann`, `ann/2`."""
    return integrate(
        base,
        [
            (Contributor(name.split("/")[0]), Table(frame, f"{name}.csv", "00" * 32, 10, frame.height, "csv"))
            for name, frame in files.items()
        ],
        benchmark,
        **{"target": "label", "features": base.columns[:-1], "task": Task.CLASSIFICATION, **options},
    )


def look(
    base: pl.DataFrame, benchmark: pl.DataFrame, *files: pl.DataFrame, task: Task = Task.CLASSIFICATION
) -> NearCopies:
    return near_copies(
        base, benchmark, files,
        among=[pl.Series([True] * f.height, dtype=pl.Boolean) for f in files],
        parties=range(len(files)), target=base.columns[-1], task=task,
    )  # fmt: skip


def fates(account: Contribution) -> tuple[int, ...]:
    return (
        account.rows_accepted, account.rows_duplicate, account.rows_in_base,
        account.rows_in_benchmark, account.rows_without_label,
    )  # fmt: skip


BASE, BENCHMARK, NEW = continuous(300, 1), continuous(1500, 2), continuous(200, 3)


class TestAttacks:
    def test_benchmark_rows_with_a_millionth_added_are_leaks(self) -> None:
        leak = pl.concat([NEW[:5], moved(BENCHMARK[:300], 1e-6, ["b"]), BENCHMARK[300:302]])
        data = join(BASE, BENCHMARK, {"eve": leak})
        assert fates(data.contributions[0]) == (5, 0, 0, 302, 0)
        assert data.leaks == (
            Leak("eve.csv", 2, (306, 307)),
            Leak("eve.csv", 300, tuple(range(6, 16)), near=True),
        )
        assert data.train.rows() == [*BASE.rows(), *NEW[:5].rows()]
        assert data.to_dict()["near_copies"] == {"benchmark": 300, "base": 0, "earlier": 0}

    def test_a_copy_of_anothers_rows_earns_nothing_whoever_comes_first(self) -> None:
        data = join(BASE, BENCHMARK, {"ann": NEW, "eve": moved(NEW, 1e-6)})
        assert [fates(c) for c in data.contributions] == [(200, 0, 0, 0, 0), (0, 200, 0, 0, 0)]
        swapped = join(BASE, BENCHMARK, {"eve": moved(NEW, 1e-6), "ann": NEW})
        assert [fates(c) for c in swapped.contributions] == [(200, 0, 0, 0, 0), (0, 200, 0, 0, 0)]

    def test_base_rows_with_a_millionth_added_are_in_the_base_data(self) -> None:
        data = join(BASE, BENCHMARK, {"eve": pl.concat([moved(BASE, -1e-6), NEW])})
        assert fates(data.contributions[0]) == (200, 0, 300, 0, 0)

    @pytest.mark.parametrize("by", [1e-9, 1e-5, 1e-4, 9e-4])
    def test_none_is_missed_within_the_tolerance(self, by: float) -> None:
        wide = [continuous(400, seed, "abcdefghijklmnopqrst") for seed in range(3)]
        signs = np.random.default_rng(4).choice([-1.0, 1.0], (400, 20))
        copy = wide[1].with_columns(wide[1][:, i] + by * 0.9 * signs[:, i] for i in range(20))
        assert look(wide[0], wide[1], copy).of_benchmark[0].all()

    def test_further_away_is_another_row(self) -> None:
        assert not look(BASE, BENCHMARK, moved(BENCHMARK, 0.01, ["c"])).of_benchmark[0].any()

    def test_a_millionth_added_to_whole_numbers(self) -> None:
        x, y = datasets.load_digits(return_X_y=True)
        rows = pl.DataFrame(x.astype(int)).with_columns(label=pl.Series(y)).unique(maintain_order=True)
        data = join(
            rows[:600],
            rows[600:1200],
            {"eve": pl.concat([moved(rows[900:1000], -1e-6), moved(rows[1200:], 0)])},
        )
        assert fates(data.contributions[0]) == (rows.height - 1200, 0, 0, 100, 0)

    def test_a_column_that_never_changes_hides_nothing(self) -> None:
        constant = [f.with_columns(a=pl.lit(0.0)) for f in (BASE, BENCHMARK)]
        assert look(*constant, moved(constant[1], 1e-6)).of_benchmark[0].all()

    def test_an_outlier_does_not_make_all_rows_near(self) -> None:
        outlier = BASE.with_columns(a=pl.Series([1e12, *BASE["a"][1:]]))
        found = look(outlier, BENCHMARK, moved(BENCHMARK, 0.01, ["a"]), moved(BENCHMARK, 1e-6, ["a"]))
        assert (found.of_benchmark[0].sum(), found.of_benchmark[1].sum()) == (0, 1500)

    def test_gaps_times_and_text_are_compared_too(self) -> None:
        def rows(second: int, gap: float | None, text: str) -> pl.DataFrame:
            start = pl.datetime(2026, 1, 1, 0, 0, 0) + pl.duration(hours=7 * pl.col("n"), seconds=second)
            return BENCHMARK[:200].with_row_index("n").select(
                start.alias("when"), pl.lit(gap, dtype=pl.Float64).alias("gap"), pl.lit(text).alias("text"),
                "a", "b", "label",
            )  # fmt: skip

        base, benchmark = rows(0, None, "x")[:100], rows(0, None, "Caf\u00e9 au lait")[100:]
        later = [
            rows(1, None, "CAFE\u0301  au lait"),
            rows(1, 0.0, "Caf\u00e9 au lait"),
            rows(1, None, "tea"),
        ]
        found = look(base, benchmark, *(frame[100:] for frame in later))
        assert [int(mask.sum()) for mask in found.of_benchmark] == [100, 0, 0]

    def test_a_number_to_predict_is_compared_like_any(self) -> None:
        base, benchmark = (f.with_columns(label=pl.col("a") * 2) for f in (BASE, BENCHMARK))
        copy = moved(benchmark, 1e-6, ["label"])
        assert look(base, benchmark, copy, task=Task.REGRESSION).of_benchmark[0].all()
        assert (
            not look(base, benchmark, moved(benchmark, 0.1, ["label"]), task=Task.REGRESSION)
            .of_benchmark[0]
            .any()
        )

    def test_numbers_at_the_ends_of_the_range(self) -> None:
        ends = [1e308, -1e308, 5e-324, float("inf"), float("-inf"), 1e-310]
        base, benchmark = (f.with_columns(a=pl.Series(ends * (f.height // 6))) for f in (BASE, BENCHMARK))
        assert look(base, benchmark, moved(benchmark, 1e-6, ["b"])).of_benchmark[0].all()
        assert not look(base, benchmark, moved(benchmark, 0.1, ["b"])).of_benchmark[0].any()

    def test_another_label_is_another_row(self) -> None:
        swapped = pl.col("label").replace_strict({"no": "yes", "yes": "no"})
        other = moved(BENCHMARK, 1e-6).with_columns(swapped)
        assert not look(BASE, BENCHMARK, other).of_benchmark[0].any()

    def test_crowds_of_ones_own_rows_hide_no_copy(self) -> None:
        """30,000 rows in one cell would be more pairs than are compared, if they were compared with each other."""
        crowd = pl.concat([NEW[:1]] * 30_000).with_columns(d=NEW["d"][0] + pl.int_range(30_000) * 1e-9)
        data = look(BASE, BENCHMARK, crowd, moved(NEW, 1e-6), moved(BENCHMARK[:50], 1e-6))
        assert [int(mask.sum()) for mask in data.of_earlier] == [0, 1, 0]
        assert data.of_benchmark[2].all()


class TestHonestData:
    def test_ones_own_near_rows_are_kept(self) -> None:
        data = join(BASE, BENCHMARK, {"ann": NEW, "ann/2": moved(NEW, 1e-6)})
        assert [fates(c) for c in data.contributions] == [(200, 0, 0, 0, 0)] * 2

    @pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
    def test_real_tables_lose_no_row(self, name: str) -> None:
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        task = Task.REGRESSION if name == "diabetes" else Task.CLASSIFICATION
        rows = pl.DataFrame(x).with_columns(label=pl.Series(y)).unique(maintain_order=True)
        rows = rows.sample(fraction=1.0, shuffle=True, seed=1)
        n = rows.height // 4
        data = join(
            rows[:n], rows[n : 2 * n], {"ann": rows[2 * n : 3 * n], "bob": rows[3 * n :]}, task=task
        )  # fmt: skip
        assert [fates(c)[1:] for c in data.contributions] == [(0, 0, 0, 0)] * 2
        assert data.notes == ()

    @pytest.mark.parametrize("n", [40, 400, 4000])
    def test_one_column_of_numbers_tells_nothing(self, n: int) -> None:
        base, benchmark, ann, bob = (continuous(n, seed, "a") for seed in range(4))
        data = join(base, benchmark, {"ann": ann, "bob": bob})
        assert data.rows_accepted == 2 * n
        assert data.notes == (
            "Near copies of the base data and the benchmark are not looked for: in these columns different rows are as "
            "near each other by chance.",
            "Near copies of what others contributed are not looked for: in these columns different rows are as near "
            "each other by chance.",
        )

    def test_two_columns_tell_only_among_few_rows(self) -> None:
        few = [continuous(100, seed, "ab") for seed in range(3)]
        many = continuous(50_000, 4, "ab")
        assert look(*few, many).not_compared == ()  # each of the many is compared with 300
        assert look(*few[:2], many, few[2]).not_compared == (OTHERS,)

    def test_small_whole_numbers_lose_no_row(self) -> None:
        draw = np.random.default_rng(5)
        rows = pl.DataFrame({c: draw.integers(0, 12, 4000) for c in "abcd"}).with_columns(
            label=pl.col("a") % 2
        )
        rows = rows.unique(maintain_order=True)
        data = join(rows[:900], rows[900:1800], {"ann": rows[1800:2700], "bob": rows[2700:]})
        assert data.rows_accepted == rows.height - 1800
        assert data.near_copies == {"benchmark": 0, "base": 0, "earlier": 0}

    def test_crowded_values_switch_the_rule_off(self) -> None:
        """Amounts in cents, most of them below a thousandth of the spread from the next."""
        draw = np.random.default_rng(6)
        frames = [
            pl.DataFrame(
                {"amount": draw.lognormal(8, 2, 2000).round(2), "label": draw.choice(["a", "b"], 2000)}
            )
            for _ in range(3)
        ]
        assert look(*frames).not_compared == (KNOWN,)
        assert not look(*frames).of_benchmark[0].any()

    def test_text_alone_is_compared_exactly(self) -> None:
        texts = [
            pl.DataFrame({"text": [f"question {i} {j}" for i in range(50)], "label": ["a", "b"] * 25})
            for j in range(3)
        ]
        data = join(texts[0], texts[1], {"ann": texts[2]})
        assert (data.rows_accepted, data.notes) == (50, ())

    def test_a_few_copies_within_the_base_data_do_not_switch_it_off(self) -> None:
        base = pl.concat([BASE, moved(BASE[:2], 1e-6)])
        assert look(base, BENCHMARK, moved(BENCHMARK[:9], 1e-6)).of_benchmark[0].all()

    def test_a_contributor_cannot_switch_it_off(self) -> None:
        crowd = pl.concat([moved(NEW, i * 1e-5) for i in range(20)])
        padding = continuous(100_000, 10)
        found = look(
            BASE,
            BENCHMARK,
            NEW[:100],
            pl.concat([crowd, padding, moved(BENCHMARK, 1e-6), moved(NEW[:100], 1e-6)]),
        )
        assert found.of_benchmark[1][-1600:-100].all()
        assert found.of_earlier[1][-100:].all()


def test_the_answer_agrees_with_a_plain_comparison_of_all_pairs() -> None:
    draw = np.random.default_rng(7)
    base, benchmark = continuous(200, 8, "abc"), continuous(200, 9, "abc")
    noise = draw.normal(0, 1e-3, (400, 3))  # about a third of the rows lie within the tolerance
    near = pl.concat([base, benchmark])
    given = near.with_columns(near[:, i] + noise[:, i] for i in range(3))
    known = near.select("a", "b", "c").to_numpy()
    quartiles = np.subtract(*np.quantile(known, (0.75, 0.25), axis=0)) / 1.349
    tolerance = 1e-3 * np.minimum(known.std(axis=0), quartiles)
    close = (np.abs(given.select("a", "b", "c").to_numpy()[:, None] - known[None]) <= tolerance).all(axis=2)
    close &= given["label"].to_numpy()[:, None] == near["label"].to_numpy()[None]
    found = look(base, benchmark, given)
    assert found.of_base[0].tolist() == (close[:, :200].any(axis=1)).tolist()
    assert found.of_benchmark[0].tolist() == (close[:, 200:].any(axis=1)).tolist()
    assert 50 < close.any(axis=1).sum() < 350


def test_a_copy_of_a_copy_of_the_benchmark_is_no_duplicate() -> None:
    found = look(BASE, BENCHMARK, moved(BENCHMARK, 5e-4), moved(BENCHMARK, 1.2e-3))
    assert found.of_benchmark[0].all()
    assert not found.of_benchmark[1].any()
    assert not found.of_earlier[1].any()


def test_the_same_rows_give_the_same_answer() -> None:
    one, two = (look(BASE, BENCHMARK, moved(BENCHMARK, 1e-6), moved(NEW, 0)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one.of_benchmark, two.of_benchmark, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(one.of_earlier, two.of_earlier, strict=True))


@pytest.fixture
def attacked(csv: Any, plan_of: Any) -> Any:
    """Base data that holds half of the benchmark, in a run without or with a given baseline."""
    leaky = pl.concat([BASE, BENCHMARK[:700]])
    paths = {
        "contributed_data": csv(
            "c.csv", pl.concat([NEW, moved(BENCHMARK[700:800], 1e-6)]).to_dict(as_series=False)
        ),
        "base_data": csv("base.csv", leaky.to_dict(as_series=False)),
        "benchmark_data": csv("bench.csv", BENCHMARK.to_dict(as_series=False)),
    }
    return lambda **given: plan_of(**paths, **given)


def test_base_rows_in_the_benchmark_are_not_trained_on_beside_a_given_baseline(
    attacked: Any, tmp_path: Any
) -> None:
    (tmp_path / "m.skops").write_bytes(b"not looked at here")
    plan = attacked(baseline_model=str(tmp_path / "m.skops"))
    facts = reference.survey(plan)
    done = contribution.integrate(plan, facts)
    assert facts.base_rows == 300
    assert contribution.training_frame(plan, facts, done).rows() == [*BASE.rows(), *NEW.rows()]
    assert (
        "700 rows of the base data also stand in the benchmark and are not trained on, as the given baseline need not "
        "have seen them (first: 301, 302, 303, 304, 305, 306, 307, 308, 309, 310)."
    ) in done.warnings
    assert (
        "c.csv: 100 rows are near copies of rows of the benchmark and are not trained on "
        "(first: 201, 202, 203, 204, 205, 206, 207, 208, 209, 210)."
    ) in done.warnings


def test_near_copies_of_what_stood_before_are_told(csv: Any, plan_of: Any) -> None:
    files = {"ann": NEW, "eve": pl.concat([moved(NEW[:7], 1e-6), moved(BASE[:3], 1e-6), continuous(5, 11)])}
    plan = plan_of(
        contributed_data=",".join(
            csv(f"{name}.csv", rows.to_dict(as_series=False)) for name, rows in files.items()
        ),
        contributor="ann,eve",
        base_data=csv("base.csv", BASE.to_dict(as_series=False)),
        benchmark_data=csv("bench.csv", BENCHMARK.to_dict(as_series=False)),
    )
    done = contribution.integrate(plan, reference.survey(plan))
    assert [fates(c) for c in done.contributions] == [(200, 0, 0, 0, 0), (5, 7, 3, 0, 0)]
    assert "3 contributed rows are near copies of rows of the base data, and count as such." in done.warnings
    assert (
        "7 contributed rows are near copies of what somebody else contributed earlier, and count as such."
        in done.warnings
    )


def test_a_run_whose_rows_are_all_near_copies_is_refused() -> None:
    with pytest.raises(
        SchemaError, match=r"None of the 300 .*300 stand in the benchmark.*near copies are not"
    ):
        join(BASE, BENCHMARK, {"eve": moved(BENCHMARK[:300], 1e-6)})


def test_a_baseline_trained_in_the_run_sees_them_too(attacked: Any) -> None:
    plan = attacked()
    facts = reference.survey(plan)
    assert facts.base_rows == 1000
    warnings = contribution.integrate(plan, facts).warnings
    assert "700 rows of the base data also stand in the benchmark; both models saw them." in warnings
