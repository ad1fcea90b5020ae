"""Planted label flips are found; where nothing can be learnt, nothing is claimed."""

from datetime import time, timedelta

import numpy as np
import polars as pl
import pytest

from hokusai.pipeline.data.label_noise import LabelNoise, NotJudged, confident_class, find_label_noise


def planted(n: int, flips: float, separation: float) -> tuple[pl.DataFrame, np.ndarray]:
    """Two numbers and a text that tell three classes apart, a share of whose labels is moved to the next class."""
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 3, n)
    angle = 2 * np.pi * truth / 3
    flipped = rng.random(n) < flips
    given = np.where(flipped, (truth + 1) % 3, truth)
    frame = pl.DataFrame(
        {
            "x": separation * np.cos(angle) + rng.normal(0, 1, n),
            "y": separation * np.sin(angle) + rng.normal(0, 1, n),
            "colour": [("red", "green", "blue")[k] if rng.random() < 0.6 else "grey" for k in truth],
            "label": [("a", "b", "c")[k] for k in given],
        }
    )
    return frame, flipped


class TestPlantedFlips:
    def test_most_are_found_and_few_others_doubted(self) -> None:
        frame, flipped = planted(1_500, 0.1, 3.0)
        noise = find_label_noise(frame, "label")
        assert isinstance(noise, LabelNoise)
        precision = (noise.doubtful & flipped).sum() / noise.doubtful.sum()
        recall = (noise.doubtful & flipped).sum() / flipped.sum()
        assert precision >= 0.9
        assert recall >= 0.7  # a flip next to the border looks like a row that belongs there
        assert noise.classes == ("a", "b", "c")
        right = noise.suggested[noise.doubtful & flipped]
        names = np.array([noise.classes[k] for k in right])
        given = frame["label"].to_numpy()[noise.doubtful & flipped]
        assert (names != given).all()

    def test_clean_labels_are_hardly_doubted(self) -> None:
        noise = find_label_noise(planted(900, 0.0, 4.0)[0], "label")
        assert isinstance(noise, LabelNoise)
        assert noise.share < 0.01
        assert noise.skill > 0.95


class TestNotJudged:
    def test_features_that_say_nothing(self) -> None:
        rng = np.random.default_rng(0)
        frame = pl.DataFrame({"x": rng.normal(size=400), "label": rng.integers(0, 2, 400)})
        found = find_label_noise(frame, "label")
        assert isinstance(found, NotJudged)
        assert "too poorly" in found.reason

    @pytest.mark.parametrize("labels", [["a"] * 50, ["a"] * 45 + ["b"] * 5, [f"c{i}" for i in range(50)]])
    def test_fewer_than_two_classes_with_ten_rows(self, labels: list[str]) -> None:
        found = find_label_noise(pl.DataFrame({"x": range(50), "label": labels}), "label")
        assert isinstance(found, NotJudged)
        assert "classes" in found.reason

    def test_columns_that_no_model_takes_and_no_value_is_quoted(self) -> None:
        frame = pl.DataFrame({"x": [timedelta(hours=1), None] * 30, "label": ["a", "b"] * 30})
        assert find_label_noise(frame, "label") == NotJudged(
            "a quick model cannot be trained on these columns"
        )


def test_infinite_numbers_and_columns_that_no_model_takes_do_not_hinder() -> None:
    frame, _ = planted(600, 0.0, 4.0)
    odd = frame.with_columns(
        x=pl.when(pl.int_range(600) == 7).then(float("inf")).otherwise("x"),
        day=pl.lit(timedelta(days=1)),
        raw=pl.lit(b"bytes"),
        at=pl.lit(time(12)),
        nothing=pl.lit(None),
    )
    noise = find_label_noise(odd, "label")
    assert isinstance(noise, LabelNoise)
    assert noise.share < 0.01


def test_rows_of_rare_classes_are_never_doubted() -> None:
    frame, _ = planted(600, 0.0, 4.0)
    rare = frame[:3].with_columns(label=pl.lit("rare"))
    noise = find_label_noise(pl.concat([frame, rare]), "label")
    assert isinstance(noise, LabelNoise)
    assert not noise.doubtful[-3:].any()
    assert noise.suggested[-3:].tolist() == [-1, -1, -1]


def test_thresholds_by_hand() -> None:
    # t_0 = mean(.9, .6) = .75 over rows 0 and 1; t_1 = mean(.7, .2) = .45 over rows 2 and 3.
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.8, 0.2]])
    # Row 1 reaches neither threshold and keeps its label; row 3 reaches only t_0.
    assert confident_class(p, np.array([0, 0, 1, 1])).tolist() == [0, 0, 1, 0]
