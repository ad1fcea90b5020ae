"""The naming convention, held to the specification's text and to its own laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.errors import MetricError
from hokusai.utils.metric_names import (
    METRIC_NAME_PATTERN,
    STANDARD_METRICS,
    MetricCategory,
    MetricValidationError,
    format_metric_name,
    migrate_metric_name,
    original_metric_name,
    parse_metric_name,
    stored_metric_name,
    validate_metric_name,
)

categories = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
bases = st.from_regex(r"[a-z][a-z0-9_]{0,8}(\.[a-z0-9_]{1,4}){0,2}", fullmatch=True)
names = st.one_of(bases, st.builds("{}:{}".format, categories, bases))


class TestValidate:
    def test_goes_by_the_pattern_of_the_specification(self) -> None:
        assert METRIC_NAME_PATTERN == r"^([a-z]+:)?[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"

    @pytest.mark.parametrize(
        "name", ["accuracy", "model:accuracy", "usage:reply_rate", "m", "model:top5.at_1", "a.0", "own:x"]
    )
    def test_accepts(self, name: str) -> None:
        assert validate_metric_name(name)

    @pytest.mark.parametrize(
        "name",
        [
            *("", "Accuracy", "model:", ":accuracy", "model:Accuracy", "f1-score", "f1 score", "1st", "_x"),
            *("a..b", "a.", ".a", "a:b:c", "model/accuracy", "m0del:x", "accuracy\n", "précision", None, 3),
        ],
    )
    def test_refuses(self, name: object) -> None:
        assert not validate_metric_name(name)


class TestParseAndFormat:
    @given(names)
    def test_format_undoes_parse(self, name: str) -> None:
        assert format_metric_name(*parse_metric_name(name)) == name

    @given(categories, bases)
    def test_parse_undoes_format(self, category: str, base: str) -> None:
        assert parse_metric_name(format_metric_name(category, base)) == (category, base)

    @given(categories, bases)
    def test_a_prefix_is_not_added_twice(self, category: str, base: str) -> None:
        once = format_metric_name(category, base)
        assert format_metric_name(category, once) == once

    def test_a_category_may_be_given_as_a_member(self) -> None:
        assert format_metric_name(MetricCategory.PIPELINE, "duration_seconds") == "pipeline:duration_seconds"

    def test_a_name_of_another_category_is_refused(self) -> None:
        with pytest.raises(MetricValidationError, match="belongs to 'usage', not to 'model'"):
            format_metric_name("model", "usage:reply_rate")

    @pytest.mark.parametrize("category", ["", "Model", "model:", "m0del"])
    def test_a_category_that_is_none_is_refused(self, category: str) -> None:
        with pytest.raises(MetricValidationError, match="cannot be a metric category"):
            format_metric_name(category, "accuracy")

    @pytest.mark.parametrize(
        ("name", "suggestion"),
        [
            ("F1 Score", "model:f1_score"),
            ("model:F1-Score", "model:f1_score"),
            ("Own Thing", "own_thing"),
            ("Model: AUROC", "model:auroc"),
        ],
    )
    def test_an_error_suggests_a_name_that_would_do(self, name: str, suggestion: str) -> None:
        with pytest.raises(MetricValidationError, match=f"Did you mean '{suggestion}'") as caught:
            parse_metric_name(name)
        assert isinstance(caught.value, MetricError)
        assert isinstance(caught.value, ValueError)

    def test_an_error_suggests_nothing_where_nothing_is_near(self) -> None:
        with pytest.raises(MetricValidationError) as caught:
            parse_metric_name("???")
        assert caught.value.hint == ""


class TestStandardMetrics:
    def test_are_the_eighteen(self) -> None:
        assert set(STANDARD_METRICS) == {
            *(f"usage:{n}_rate" for n in ("reply", "conversion", "engagement", "click_through", "retention")),
            *(f"model:{n}" for n in ("accuracy", "precision", "recall", "f1_score", "auroc")),
            *("model:latency_ms", "model:throughput_qps"),
            *("pipeline:data_processed", "pipeline:success_rate", "pipeline:duration_seconds"),
            *("pipeline:memory_usage_mb", "pipeline:error_rate", "custom:metric"),
        }
        assert len(STANDARD_METRICS) == 18

    def test_keep_the_convention_and_say_what_they_are(self) -> None:
        for name, meaning in STANDARD_METRICS.items():
            category, _ = parse_metric_name(name)
            assert category in set(MetricCategory)
            assert meaning


class TestMigrate:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            *((name, f"model:{name}") for name in ("accuracy", "precision", "recall", "f1_score", "auroc")),
            ("f1", "model:f1_score"),
            ("auc", "model:auroc"),
            ("latency", "model:latency_ms"),
            ("reply_rate", "usage:reply_rate"),
            ("conversion_rate", "usage:conversion_rate"),
            ("processing_time", "pipeline:duration_seconds"),
            ("duration", "pipeline:duration_seconds"),
            ("something_else", "something_else"),
            ("model:accuracy", "model:accuracy"),
            ("Not A Name", "Not A Name"),
        ],
    )
    def test_gives_the_conventional_name(self, old: str, new: str) -> None:
        assert migrate_metric_name(old) == new

    @given(st.one_of(names, st.text(), st.sampled_from(["f1", "auc", "duration", "accuracy"])))
    def test_twice_is_as_once(self, name: str) -> None:
        assert migrate_metric_name(migrate_metric_name(name)) == migrate_metric_name(name)


class TestStoredNames:
    @given(names, st.booleans())
    def test_give_the_original_back(self, name: str, colon_allowed: bool) -> None:
        assert original_metric_name(stored_metric_name(name, colon_allowed)) == name

    @given(names)
    def test_hold_no_colon_where_none_is_allowed(self, name: str) -> None:
        assert ":" not in stored_metric_name(name, colon_allowed=False)

    @given(names, names)
    def test_of_different_metrics_differ(self, one: str, other: str) -> None:
        assert (stored_metric_name(one, False) == stored_metric_name(other, False)) == (one == other)

    def test_are_the_names_themselves_where_the_colon_is_allowed(self) -> None:
        assert stored_metric_name("model:accuracy") == "model:accuracy"
        assert stored_metric_name("model:accuracy", colon_allowed=False) == "model/accuracy"

    @pytest.mark.parametrize("foreign", ["val/top/1", "Train/Loss", "system/cpu %", "a/b:c", "/x"])
    def test_that_are_not_ours_stay(self, foreign: str) -> None:
        assert original_metric_name(foreign) == foreign
