"""The preview of a contribution's worth: formulas by hand, and data whose worth is known by construction."""

import math

import numpy as np
import polars as pl
import pytest

from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.expected_effect import (
    ExpectedEffect,
    NoEstimate,
    expected_effect,
    minimum_detectable_delta,
)


class TestMinimumDetectableDelta:
    @pytest.mark.parametrize(("n", "d"), [(500, 0.1), (1_000, 0.2), (10_000, 0.05)])
    def test_it_solves_the_equation_of_connor(self, n: int, d: float) -> None:
        delta = minimum_detectable_delta(n, discordant_share=d)
        assert delta is not None
        rows = ((1.959963985 * math.sqrt(d) + 0.841621234 * math.sqrt(d - delta**2)) / delta) ** 2
        assert rows == pytest.approx(n, rel=1e-6)

    def test_the_test_that_is_made_later_shows_it_in_four_of_five_cases(self) -> None:
        n, d = 2_000, 0.1
        delta = minimum_detectable_delta(n, discordant_share=d)
        assert delta is not None
        rng = np.random.default_rng(0)
        outcomes = rng.multinomial(n, [(d + delta) / 2, (d - delta) / 2, 1 - d], 4_000)
        better, worse = outcomes[:, 0], outcomes[:, 1]
        shown = np.abs(better - worse) / np.sqrt(better + worse) > 1.959964
        assert shown.mean() == pytest.approx(0.8, abs=0.025)

    def test_four_times_the_rows_show_half_the_change(self) -> None:
        few, many = minimum_detectable_delta(10_000), minimum_detectable_delta(40_000)
        assert few is not None
        assert many is not None
        assert few / many == pytest.approx(2, rel=0.01)

    def test_some_benchmarks_show_nothing(self) -> None:
        assert minimum_detectable_delta(5) is None

    @pytest.mark.parametrize(
        "options", [{"n_rows": 0}, {"n_rows": 9, "power": 1.0}, {"n_rows": 9, "confidence": 0}]
    )
    def test_arguments_outside_of_their_range(self, options: dict[str, float]) -> None:
        with pytest.raises(InvalidInputError):
            minimum_detectable_delta(**options)  # type: ignore[arg-type]


def labelled(n: int, seed: int, *, flipped: bool = False) -> pl.DataFrame:
    """Rows whose label is the sign of the sum of twenty numbers, or its contrary."""
    values = np.random.default_rng(seed).normal(size=(n, 20))
    labels = (values.sum(axis=1) > 0) ^ flipped
    columns = {f"x{i}": values[:, i] for i in range(20)}
    return pl.DataFrame({**columns, "label": ["yes" if label else "no" for label in labels]})


class TestExpectedEffect:
    def test_good_rows_help_and_flipped_ones_harm(self) -> None:
        base = labelled(240, 1)
        good, bad = (expected_effect(base, labelled(1_500, 2, flipped=f), "label") for f in (False, True))
        assert isinstance(good, ExpectedEffect)
        assert isinstance(bad, ExpectedEffect)
        assert (good.base_rows, good.new_rows, good.test_rows) == (180, 1_500, 60)
        assert good.change.absolute_delta > 0
        assert bad.change.interval.high < -0.5  # trained on 1,500 contrary rows
        assert "clearly worse" in str(bad)
        assert [rows for rows, _ in good.curve] == [45, 90, 180]
        assert good.curve[-1][1] == good.change.baseline_value
        assert not good.sampled

    def test_the_order_of_rows_does_not_matter(self) -> None:
        base, new = labelled(200, 3), labelled(100, 4)
        assert expected_effect(base, new, "label") == expected_effect(base.reverse(), new.reverse(), "label")

    def test_rows_that_are_measured_on_are_not_trained_on(self) -> None:
        base = labelled(200, 5)
        found = expected_effect(base, pl.concat([base, labelled(100, 6)]), "label")
        assert isinstance(found, ExpectedEffect)
        assert found.new_rows == 300 - found.test_rows

    def test_numbers_are_compared_by_rmse(self) -> None:
        base, new = (labelled(n, n).with_columns(label=pl.sum_horizontal("x0", "x1")) for n in (160, 400))
        found = expected_effect(base, new, "label")
        assert isinstance(found, ExpectedEffect)
        assert found.change.metric.name == "rmse"
        assert found.change.gain > 0
        assert found.to_dict()["change"] < 0

    @pytest.mark.filterwarnings("error")
    def test_rows_with_an_infinite_label_are_not_learnt_from(self) -> None:
        base, new = (labelled(n, n).with_columns(label=pl.sum_horizontal("x0", "x1")) for n in (160, 400))
        odd = [
            frame[:20].with_columns(label=pl.lit(math.inf), x0=pl.lit(float(i)))
            for i, frame in enumerate((base, new))
        ]
        with_odd = [pl.concat([frame, rows]) for frame, rows in zip((base, new), odd, strict=True)]
        assert expected_effect(*with_odd, "label") == expected_effect(base, new, "label")

    def test_why_there_is_no_estimate(self) -> None:
        base = labelled(200, 7)
        cases = {
            "needed": (base, labelled(5, 8)),
            "share no feature": (base, base.rename({f"x{i}": f"z{i}" for i in range(20)})),
            "labelled row": (base, base.with_columns(label=pl.lit(None, pl.String))),
            "different types": (base, base.with_columns(x0=pl.lit("text"))),
            "cannot be trained": (base.with_columns(label=pl.lit("yes")), base),
        }
        for words, (old, new) in cases.items():
            found = expected_effect(old, new, "label")
            assert isinstance(found, NoEstimate), words
            assert words in found.reason
