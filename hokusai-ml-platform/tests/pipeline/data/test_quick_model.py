"""The quick model's numbers are those of scikit-learn's own preparation, and their count has a bound."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler

from hokusai.domain.metrics import Task
from hokusai.pipeline.data.label_noise import LabelNoise, find_label_noise
from hokusai.pipeline.data.quick_model import MOST_WORDS, feature_matrix, quick_fit


class TestFeatureMatrix:
    def test_numbers_are_standardized_like_scikit_learn_does(self) -> None:
        frame = pl.DataFrame({"x": [1.0, 2.0, 6.0], "flag": [True, False, True], "same": [3, 3, 3]})
        expected = StandardScaler().fit_transform([[1, 3, 1], [2, 3, 0], [6, 3, 1]])
        found = feature_matrix(frame, ("x", "flag", "same"))
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-6)

    def test_gaps_are_the_mean_and_nothing_lies_far_out(self) -> None:
        frame = pl.DataFrame({"x": [None, *[0.0] * 998, 1e6]})
        found = feature_matrix(frame, ("x",)).toarray()[:, 0]
        assert found[0] == 0
        assert found[-1] == 10  # (1e6 - mean) / deviation is sqrt(999) - 1 / sqrt(999), about 31.5

    def test_numbers_whose_squares_are_no_doubles_are_no_fault(self) -> None:
        frame = pl.DataFrame({"x": [1e300, -1e300, 0.0], "day": [date(2024, 1, 1), None, date(2024, 1, 3)]})
        assert np.isfinite(feature_matrix(frame, ("x", "day")).toarray()).all()

    def test_text_is_weighed_like_scikit_learn_does(self) -> None:
        texts = ["The cat sat", "a cat, a cat!", "the DOG sat down", "", "naïve cat", "naïve"]
        frame = pl.DataFrame({"text": texts})
        expected = TfidfVectorizer(token_pattern=r"\w+", min_df=2).fit_transform(texts).toarray()
        found = feature_matrix(frame, ("text",)).toarray()
        assert found.shape == (6, 4)  # the, cat, sat, naïve
        np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)

    def test_categories_are_one_hot_and_a_gap_is_none(self) -> None:
        frame = pl.DataFrame({"colour": ["red", "blue", None, "red", "blue"]})
        found = feature_matrix(frame, ("colour",)).toarray().tolist()
        assert found == [[0, 1], [1, 0], [0, 0], [0, 1], [1, 0]]

    def test_columns_that_are_different_in_every_row_are_no_features(self) -> None:
        keys = [f"k{i}" for i in range(3_000)]
        frame = pl.DataFrame({"key": keys, "x": range(3_000)})
        assert feature_matrix(frame, ("key", "x")).shape == (3_000, 1)
        with pytest.raises(ValueError, match="no column"):
            feature_matrix(frame, ("key",))

    def test_no_more_words_than_that_are_taken(self) -> None:
        texts = [f"w{i % 700} w{7 * i % 700} u{i}" for i in range(1_400)]
        assert feature_matrix(pl.DataFrame({"text": texts}), ("text",)).shape == (1_400, MOST_WORDS)


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_what_was_planted_is_learnt(task: Task) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 2))
    truth = x[:, 0] - x[:, 1]
    labels = truth > 0 if task is Task.CLASSIFICATION else truth
    matrix = feature_matrix(pl.DataFrame({"a": x[:, 0], "b": x[:, 1]}), ("a", "b"))
    found = quick_fit(matrix[:300], labels[:300], task).predict(matrix[300:])
    if task is Task.CLASSIFICATION:
        assert (found == labels[300:]).mean() > 0.95
    else:
        assert np.abs(found - labels[300:]).max() < 0.05


def test_addresses_and_numbers_of_things_cost_little_and_hide_nothing() -> None:
    rng = np.random.default_rng(5)
    n = 4_000
    truth = rng.integers(0, 5, n)
    flipped = rng.random(n) < 0.08
    given = np.where(flipped, (truth + 1) % 5, truth)
    signal = np.array(["invoice", "password", "parcel", "profile", "weather"])[truth]
    noise = rng.integers(0, 10**7, n)
    frame = pl.DataFrame(
        {
            "text": [f"{word} about my {word} number {i}" for word, i in zip(signal, noise, strict=True)],
            "email": [f"ada.{i}@example.com" for i in noise],
            "phone": [f"(202) {i % 800 + 200}-{i % 9999:04}" for i in noise],
            **{f"x{i}": rng.normal(size=n) for i in range(10)},
            "label": given,
        }
    )
    features = feature_matrix(frame, tuple(frame.columns[:-1]))
    assert (
        features.shape[1] <= 10 + 3 * MOST_WORDS
    )  # of the thousands of numbers of things that the texts hold
    assert quick_fit(features, given, Task.CLASSIFICATION).n_iter_.max() <= 30
    found = find_label_noise(frame, "label")
    assert isinstance(found, LabelNoise)
    assert (found.doubtful == flipped).mean() > 0.995
