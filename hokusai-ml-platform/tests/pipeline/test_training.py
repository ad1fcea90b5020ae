"""Any scikit-learn estimator on any columns: a model, or one sentence that says why not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from hokusai.core.models.skops_file import load_model
from hokusai.domain.metrics import Task
from hokusai.errors import ConfigurationError, SchemaError
from hokusai.pipeline.task import ColumnKinds, column_kinds
from hokusai.pipeline.training import (
    DEFAULT_ESTIMATORS,
    depends_on_chance,
    estimator_class,
    feature_table,
    fit,
    input_of,
    make_estimator,
    model_bytes,
    number_matrix,
    reason,
    refit,
    seeded,
    target_values,
)

CLASSIFIERS = [
    ("sklearn.linear_model.LogisticRegression", {"max_iter": 500}),
    ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 10}),
    ("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 3, "learning_rate": 0.5}),
    ("sklearn.svm.SVC", {}),
    ("sklearn.svm.LinearSVC", {}),
    ("sklearn.neighbors.KNeighborsClassifier", {}),
    ("sklearn.naive_bayes.GaussianNB", {}),
    ("sklearn.tree.DecisionTreeClassifier", {"max_depth": 4}),
    (
        "sklearn.neural_network.MLPClassifier",
        {"hidden_layer_sizes": [8], "max_iter": 900, "learning_rate_init": 0.05},
    ),
    ("sklearn.linear_model.SGDClassifier", {}),
    ("sklearn.discriminant_analysis.LinearDiscriminantAnalysis", {}),
]
REGRESSORS = [
    ("sklearn.linear_model.Ridge", {}),
    ("sklearn.linear_model.Lasso", {"alpha": 0.001}),
    ("sklearn.ensemble.RandomForestRegressor", {"n_estimators": 10}),
    ("sklearn.ensemble.GradientBoostingRegressor", {"n_estimators": 20}),
    ("sklearn.svm.SVR", {}),
    ("sklearn.neighbors.KNeighborsRegressor", {}),
    ("sklearn.linear_model.BayesianRidge", {}),
    ("sklearn.tree.ExtraTreeRegressor", {}),
]
N = 120


def mixed(n: int = N, classes: int = 2) -> pl.DataFrame:
    """One column of every kind, with gaps; the target follows from number, category and text together."""
    draw = np.random.default_rng(3)
    x = draw.random(n)
    group = [["u", "v", "w"][i % 3] for i in range(n)]
    level = np.minimum((x * classes).astype(int), classes - 1)
    start = dt.datetime(2024, 1, 1)
    return pl.DataFrame(
        {
            "number": [None if i % 10 == 3 else float(v) for i, v in enumerate(x)],
            "whole": [int(v * 100) for v in x],
            "flag": [None if i % 12 == 5 else bool(v > 0.5) for i, v in enumerate(x)],
            "group": [None if i % 11 == 0 else g for i, g in enumerate(group)],
            "text": [f"case {i} {'great' if v > 0.5 else 'little'}" if i % 17 else None for i, v in enumerate(x)],
            "day": [None if i % 13 == 0 else (start + dt.timedelta(days=i)).date() for i in range(n)],
            "moment": [start + dt.timedelta(hours=i) for i in range(n)],
            "constant": [7] * n,
            "gone": [None] * n,
            "label": [["no", "yes", "maybe", "never"][k] for k in level],
            "value": (3 * x + np.array([0, 1, 2])[np.arange(n) % 3]).round(6),
        },
        schema_overrides={"gone": pl.String},
    )  # fmt: skip


FEATURES = ("number", "whole", "flag", "group", "text", "day", "moment", "constant", "gone")
KINDS = ColumnKinds(
    numeric=("number", "whole", "constant"),
    boolean=("flag",),
    categorical=("group",),
    text=("text",),
    datetime=("day", "moment"),
    empty=("gone",),
)


def learn(
    path: str, params: dict[str, Any], frame: pl.DataFrame, target: str, task: Task, seed: int = 1
) -> Any:
    return fit(make_estimator(path, params, seed, task), frame, target, KINDS, has_gaps=True)


class TestEveryColumn:
    def test_kinds_are_as_assumed_here(self) -> None:
        assert column_kinds(mixed(), FEATURES) == KINDS

    @pytest.mark.parametrize(
        ("path", "params", "classes"), [*((*each, 4) for each in CLASSIFIERS), (*CLASSIFIERS[0], 2)]
    )
    def test_classifiers(self, path: str, params: dict[str, Any], classes: int) -> None:
        frame = mixed(classes=classes)
        model = learn(path, params, frame, "label", Task.CLASSIFICATION)
        loaded = load_model(model_bytes(model), where="m.skops")  # what is stored can be a baseline again
        predicted = loaded.predict(input_of(loaded, frame, KINDS, "It"))
        most_frequent = frame["label"].value_counts()["count"].max() / frame.height
        assert (predicted == frame["label"].to_numpy()).mean() > most_frequent + 0.2

    @pytest.mark.parametrize(("path", "params"), REGRESSORS)
    def test_regressors(self, path: str, params: dict[str, Any]) -> None:
        frame = mixed()
        model = learn(path, params, frame, "value", Task.REGRESSION)
        loaded = load_model(model_bytes(model), where="m.skops")
        predicted = loaded.predict(input_of(loaded, frame, KINDS, "It"))
        truth = frame["value"].to_numpy()
        assert ((predicted - truth) ** 2).mean() < 0.5 * truth.var()

    @pytest.mark.parametrize("task", list(Task))
    def test_the_defaults_fit(self, task: Task) -> None:
        path, params = DEFAULT_ESTIMATORS[task]
        target = "label" if task is Task.CLASSIFICATION else "value"
        learn(path, dict(params), mixed(), target, task)

    @pytest.mark.parametrize(("path", "params"), [CLASSIFIERS[i] for i in (0, 1, 2, 8, 9)])
    def test_a_seed_gives_the_same_bytes_and_another_seed_may_not(
        self, path: str, params: dict[str, Any]
    ) -> None:
        contents = [
            model_bytes(learn(path, params, mixed(), "label", Task.CLASSIFICATION, seed))
            for seed in (5, 5, 6)
        ]
        assert contents[0] == contents[1] != contents[2]

    def test_what_was_never_seen_is_no_obstacle(self) -> None:
        """Other categories, words, and gaps where there was none in training."""
        frame = mixed().drop_nulls(["number", "flag", "group", "text", "day"])
        model = learn(*CLASSIFIERS[0], frame, "label", Task.CLASSIFICATION)
        strange = frame.head(2).with_columns(
            number=pl.lit(None, pl.Float64),
            flag=pl.lit(None, pl.Boolean),
            group=pl.Series(["new", None]),
            text=pl.Series(["日本語", None]),
            day=pl.lit(None, pl.Date),
        )
        assert set(model.predict(input_of(model, strange, KINDS, "It"))) <= {"no", "yes"}

    def test_no_imputer_where_nothing_is_missing(self) -> None:
        kinds = ColumnKinds(numeric=("whole",))
        model = fit(LogisticRegression(), mixed(), "label", kinds, has_gaps=False)
        assert [name for name, _ in model.steps] == ["standardscaler", "logisticregression"]

    def test_an_estimator_that_takes_no_sparse_matrix_gets_a_dense_one(self) -> None:
        many = mixed().with_columns(text=pl.Series([f"word{i} other{i * 7 % 50}" for i in range(N)]))
        kinds = ColumnKinds(text=("text",))
        fit(make_estimator("sklearn.naive_bayes.GaussianNB", {}, 1), many, "label", kinds, has_gaps=False)

    @pytest.mark.parametrize("kind", ["numeric", "categorical", "text"])
    def test_columns_of_any_name(self, kind: str) -> None:
        names = (
            "a b",
            "a__b",
            "",
            "é\n'\"<b>",
            "0",
            "index",
            "columns",
            "label ",
            "text__x",
            "class",
            "T",
            "steps",
        )
        source = pl.col({"numeric": "whole", "categorical": "group", "text": "text"}[kind])
        frame = mixed().select("label", pl.col("whole").alias("other"), *map(source.alias, names))
        kinds = ColumnKinds(
            **{"numeric": ("other",), kind: names if kind != "numeric" else ("other", *names)}
        )
        model = fit(LogisticRegression(), frame, "label", kinds, has_gaps=False)
        loaded = load_model(model_bytes(model), where="m.skops")
        assert len(loaded.predict(input_of(loaded, frame, kinds, "It"))) == N

    @pytest.mark.parametrize("target", ["target", "values", "index", "y", ""])
    def test_targets_of_any_name(self, target: str) -> None:
        frame = mixed().rename({"label": target})
        model = fit(LogisticRegression(), frame, target, ColumnKinds(numeric=("whole",)), has_gaps=False)
        assert model.classes_.tolist() == ["no", "yes"]

    def test_texts_of_one_letter(self) -> None:
        frame = pl.DataFrame({"t": ["a", "b", "c", "d"], "label": ["x", "y", "x", "y"]})
        fit(LogisticRegression(), frame, "label", ColumnKinds(text=("t",)), has_gaps=False)


class TestTargets:
    @pytest.mark.parametrize(
        ("values", "classes"),
        [
            (["1", "0", "1", "0"], ["0", "1"]),
            ([1, 0, 1, 0], [0, 1]),
            ([1.0, 2.0, 1.0, 2.0], [1.0, 2.0]),
            ([True, False, True, False], [False, True]),
            (["é", "", "é", ""], ["", "é"]),
        ],
    )
    def test_classes_are_the_values_themselves(self, values: list[Any], classes: list[Any]) -> None:
        frame = pl.DataFrame({"x": [1.0, 0.0, 1.0, 0.0], "label": values})
        model = fit(LogisticRegression(), frame, "label", ColumnKinds(numeric=("x",)), has_gaps=False)
        assert model.classes_.tolist() == classes
        assert model.predict(frame[["x"]].to_pandas()).tolist() == values

    @pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["b", "a"])])
    def test_categories_are_text(self, dtype: Any) -> None:
        assert target_values(pl.Series(["a", "b"], dtype=dtype)).tolist() == ["a", "b"]


class TestFeatureTable:
    def test_numbers_times_gaps_and_order(self) -> None:
        frame = mixed().head(14)
        table = feature_table(frame, KINDS)
        assert table.columns.tolist() == [
            "number",
            "whole",
            "constant",
            "flag",
            "day",
            "moment",
            "group",
            "text",
        ]
        assert table["moment"].tolist()[:2] == [
            1_704_067_200.0,
            1_704_070_800.0,
        ]  # 2024-01-01 UTC, and an hour on
        assert table["day"].isna().tolist() == [i % 13 == 0 for i in range(14)]
        assert table["day"][1] == 1_704_067_200.0 + 86_400
        assert table["flag"].isna().tolist() == [i % 12 == 5 for i in range(14)]
        assert set(table["flag"].dropna()) <= {0.0, 1.0}
        assert (table["group"][0], table["text"][0]) == (None, "")

    def test_no_columns_at_all(self) -> None:
        assert feature_table(mixed(), ColumnKinds()).shape == (N, 0)


class TestEstimators:
    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("", "no estimator at ''"),
            ("LogisticRegression", "no estimator at"),
            ("..LogisticRegression", "no estimator at"),
            ("sklearn.linear_model.Nothing", "no estimator at .*Nothing"),
            ("no_such_package.Model", "no estimator at .*no_such_package"),
            ("os.path.join", "not a scikit-learn estimator class"),
            ("collections.OrderedDict", "not a scikit-learn estimator class"),
            ("sklearn.linear_model", "not a scikit-learn estimator class|no estimator at"),
            ("sklearn.preprocessing.StandardScaler", "does not do classification.*give --task"),
            ("sklearn.linear_model.Ridge", "does not do classification"),
        ],
    )
    def test_paths_that_lead_to_none(self, path: str, message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            estimator_class(path, Task.CLASSIFICATION)

    @pytest.mark.parametrize(
        ("path", "params", "message"),
        [
            ("sklearn.svm.SVC", {"c": 1, "d": 2}, "no parameter 'c', 'd'.*It has: C, kernel"),
            ("sklearn.svm.SVC", {"C": "much"}, "cannot be made: The 'C' parameter of SVC must be a float"),
            ("sklearn.svm.SVC", {"C": -1.0}, "cannot be made: The 'C' parameter"),
            ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 0}, "'n_estimators' parameter"),
            ("sklearn.multiclass.OneVsRestClassifier", {}, "cannot be made: .*missing 1 required.*estimator"),
            ("sklearn.linear_model.LogisticRegression", {"random_state": "x"}, "'random_state' parameter"),
        ],
    )
    def test_parameters_that_cannot_be(self, path: str, params: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigurationError, match=message) as caught:
            make_estimator(path, params, 1)
        assert "--estimator-params" in str(caught.value)

    def test_parameters_that_do_not_go_together(self) -> None:
        estimator = make_estimator(
            "sklearn.linear_model.LogisticRegression", {"solver": "lbfgs", "l1_ratio": 1.0}, 1
        )
        with pytest.raises(SchemaError, match=r"cannot be trained on this data: .*lbfgs"):
            fit(estimator, mixed(), "label", KINDS, has_gaps=True)

    def test_a_seed_of_the_callers_own(self) -> None:
        assert make_estimator("sklearn.svm.SVC", {"random_state": 9}, 1).random_state == 9
        assert make_estimator("sklearn.svm.SVC", {}, 2**32 + 5).random_state == 5

    def test_parts_are_seeded_too(self) -> None:
        model = seeded(BaggingClassifier(make_pipeline(DecisionTreeClassifier(random_state=3))), 8)
        assert model.random_state == 8
        assert model.estimator.steps[0][1].random_state == 3
        assert seeded(BaggingClassifier(DecisionTreeClassifier()), 8).estimator.random_state == 8

    @pytest.mark.parametrize(
        ("estimator", "target", "message"),
        [
            (LinearRegression(), "label", "cannot be trained on this data: could not convert string"),
            (LogisticRegression(), "value", "cannot be trained on this data: Unknown label type"),
        ],
    )
    def test_data_that_an_estimator_refuses(self, estimator: Any, target: str, message: str) -> None:
        with pytest.raises(SchemaError, match=message):
            fit(estimator, mixed(), target, KINDS, has_gaps=True)

    def test_an_estimator_that_fails_without_a_word(self) -> None:
        class Silent(Ridge):
            def fit(self, X, y, sample_weight=None):
                raise IndexError

        with pytest.raises(SchemaError, match="on this data: IndexError"):
            fit(Silent(), mixed(), "value", ColumnKinds(numeric=("whole",)), has_gaps=False)

    def test_only_the_first_line_of_a_reason(self) -> None:
        assert reason(ValueError("\n one\ntwo")) == "one"
        assert reason(KeyError()) == "KeyError"


class TestRefit:
    """A given baseline is trained again as it was: same settings, same columns, nothing in front of it."""

    frame = mixed().with_columns(number=pl.col("whole") / 100)
    kinds = ColumnKinds(numeric=("number", "whole", "constant"), categorical=("group",), text=("text",))

    def test_a_bare_model_from_its_named_columns_in_their_order(self) -> None:
        pandas = self.frame.select("whole", "number").to_pandas()
        model = LogisticRegression(C=0.25).fit(pandas, target_values(self.frame["label"]))
        again = refit(model, self.frame, "label", self.kinds, 1)
        assert again.feature_names_in_.tolist() == ["whole", "number"]
        assert again.C == 0.25
        assert np.allclose(again.coef_, model.coef_)  # same rows, same columns, so the same model
        assert again is not model

    def test_a_pipeline_with_columns_of_its_own(self) -> None:
        columns = ColumnTransformer([("n", StandardScaler(), ["whole"]), ("t", TfidfVectorizer(), "text")])
        model = make_pipeline(columns, RandomForestClassifier(7))
        frame = self.frame.with_columns(pl.col("text").fill_null(""))
        model.fit(frame.select("text", "whole").to_pandas(), target_values(frame["label"]))
        again = refit(model, frame, "label", self.kinds, 4)
        assert again.feature_names_in_.tolist() == ["text", "whole"]
        assert (again[-1].n_estimators, again[-1].random_state) == (7, 4)
        assert model_bytes(again) == model_bytes(refit(model, frame, "label", self.kinds, 4))

    def test_a_model_of_nameless_columns(self) -> None:
        kinds = ColumnKinds(numeric=("whole", "constant"))
        values = self.frame.select("whole", "constant").to_numpy()
        model = DecisionTreeClassifier(max_depth=2).fit(values, target_values(self.frame["label"]))
        again = refit(model, self.frame, "label", kinds, 1)
        assert (again.max_depth, again.n_features_in_) == (2, 2)

    def test_a_model_of_plain_texts(self) -> None:
        kinds = ColumnKinds(text=("text",))
        model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(
            ["good day", "bad day"], ["yes", "no"]
        )
        again = refit(model, self.frame, "label", kinds, 1)
        assert again[0].vocabulary_.keys() >= {"great", "little"}
        assert set(again.predict(["great", "little"])) <= {"yes", "no"}

    def test_a_column_that_is_missing(self) -> None:
        model = clone(LogisticRegression()).fit(
            self.frame.select("whole", pl.col("constant").alias("absent")).to_pandas(),
            target_values(self.frame["label"]),
        )
        with pytest.raises(SchemaError, match=r"The baseline's kind of model needs columns .*: absent"):
            refit(model, self.frame, "label", self.kinds, 1)

    def test_data_that_it_cannot_take(self) -> None:
        model = LogisticRegression().fit([[0.0], [1.0]], ["a", "b"])
        with pytest.raises(SchemaError, match="cannot be trained on this data: could not convert string"):
            refit(model, self.frame, "label", self.kinds, 1)


@pytest.mark.parametrize(
    ("estimator", "by_chance"),
    [
        (LogisticRegression(), False),
        (LogisticRegression(solver="liblinear"), True),
        (LogisticRegression(solver="saga", random_state=1), False),
        (Ridge(), False),
        (LinearRegression(), False),
        (DecisionTreeClassifier(), True),
        (RandomForestClassifier(random_state=1), False),
        (make_pipeline(StandardScaler(), LogisticRegression()), False),
        (make_pipeline(StandardScaler(), LogisticRegression(solver="sag")), True),
        (BaggingClassifier(LogisticRegression(), random_state=1), False),
        (BaggingClassifier(DecisionTreeClassifier(), random_state=1), True),
    ],
    ids=str,
)
def test_chance_plays_a_part_where_a_state_that_is_looked_at_is_open(estimator: Any, by_chance: bool) -> None:
    assert depends_on_chance(estimator) is by_chance


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg", "newton-cholesky"])
def test_another_seed_makes_the_same_model_where_chance_plays_no_part(solver: str) -> None:
    draw = np.random.default_rng(0)
    x = draw.random((80, 3))
    y = x[:, 0] + draw.normal(0, 0.3, 80) > 0.5
    one, other = (seeded(LogisticRegression(solver=solver), seed).fit(x, y) for seed in (1, 2))
    assert one.random_state != other.random_state
    np.testing.assert_array_equal(one.coef_, other.coef_)


def test_times_of_day_and_durations_are_seconds() -> None:
    frame = pl.DataFrame(
        {
            "at": [dt.time(0, 0, 1, 500_000), None],
            "took": [dt.timedelta(minutes=2), dt.timedelta(seconds=-1)],
            "day": [dt.date(1970, 1, 2), dt.date(1970, 1, 1)],
            "moment": [dt.datetime(1970, 1, 1, 0, 1), None],
        }
    )
    kinds = column_kinds(frame, frame.columns)
    assert kinds.datetime == ("at", "took", "day", "moment")
    found = number_matrix(frame, kinds)
    np.testing.assert_allclose(found, [[1.5, 120, 86_400, 60], [np.nan, -1, 0, np.nan]], rtol=1e-15)
