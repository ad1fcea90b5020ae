"""The Ladder: its rule by hand, its state, and the attack that it is made against."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.errors import IntegrityError, InvalidInputError
from hokusai.stats.ladder import Ladder


def wrong(n, count):
    """Losses of a model that is wrong in the first `count` rows."""
    return [1] * count + [0] * (n - count)


class TestSubmit:
    def test_tells_of_a_gain_beyond_one_standard_error(self):
        # 100 rows, 40 wrong before and 35 of the same now: mean .05, sd sqrt(.05 .95 100/99) = .219, so .05 > .0219.
        ladder, told = Ladder.start(wrong(100, 40)).submit(wrong(100, 35))
        assert (told.improved, told.loss) == (True, Fraction(35, 100))
        assert ladder.loss == Fraction(35, 100)

    def test_repeats_the_old_score_for_less_than_that(self):
        # 21 rows better, 19 worse: mean .02, sd sqrt(.40 - .0004) about .635, so .02 < .0635.
        before = np.array(wrong(100, 50), dtype=float)
        after = before.copy()
        after[:21], after[50:69] = 0, 1
        ladder = Ladder.start(before)
        same, told = ladder.submit(after)
        assert same is ladder
        assert (told.improved, told.loss) == (False, Fraction(1, 2))

    def test_one_row_is_never_beyond_noise(self):
        # mean 1/n, sd / sqrt(n) = sqrt((1/n)(1 - 1/n) n/(n-1) / n) = 1/n: equal, and it has to be more.
        _, told = Ladder.start(wrong(64, 9)).submit(wrong(64, 8))
        assert not told.improved

    def test_a_worse_score_is_not_told(self):
        _, told = Ladder.start(wrong(100, 10)).submit(wrong(100, 90))
        assert told.loss == Fraction(10, 100)

    def test_scores_are_rounded_to_one_row(self):
        ladder = Ladder.start([0.9, 0.9, 0.9, 0.9])
        _, told = ladder.submit([0.3, 0.3, 0.3, 0.29])
        assert ladder.loss == Fraction(4, 4)  # 3.6 rows
        assert told.loss == Fraction(1, 4)  # 1.19 rows

    @settings(max_examples=30)
    @given(st.lists(st.lists(st.sampled_from([0, 1]), min_size=8, max_size=8), min_size=1, max_size=12))
    def test_what_is_told_never_gets_worse(self, submissions):
        ladder = Ladder.start([1] * 8)
        told = [ladder.loss]
        for losses in submissions:
            ladder, answer = ladder.submit(losses)
            told.append(answer.loss)
        assert told == sorted(told, reverse=True)

    @pytest.mark.parametrize("losses", [[0.5, 1.5], [0.5, -0.1], [0.5, float("nan")], [0.5], [[0, 1]], []])
    def test_refuses_what_are_no_losses(self, losses):
        with pytest.raises(InvalidInputError):
            Ladder.start(losses)

    def test_refuses_another_number_of_rows(self):
        with pytest.raises(InvalidInputError, match="benchmark has 4 rows, and the submission 3"):
            Ladder.start([0, 1, 1, 0]).submit([0, 1, 1])


class TestState:
    def test_is_read_back_as_it_was(self):
        ladder, _ = Ladder.start(np.linspace(0.2, 1, 50)).submit(np.linspace(0, 0.3, 50))
        again = Ladder.from_bytes(ladder.to_bytes())
        assert again.loss == ladder.loss
        assert (again.losses == ladder.losses).all()

    def test_shows_no_losses(self):
        assert repr(Ladder.start([1, 0, 0, 0])) == "Ladder(rows=4, loss=1/4)"

    def test_cannot_be_changed_in_place(self):
        with pytest.raises(ValueError, match="read-only"):
            Ladder.start([0, 1]).losses[0] = 1

    @pytest.mark.parametrize("harm", ["cut", "more", "other", "told", "long", "empty"])
    def test_of_other_bytes_is_refused(self, harm):
        stored = Ladder.start(wrong(30, 5)).to_bytes()
        broken = {
            "cut": stored[:-3],
            "more": stored + b"0",
            "other": b"x" + stored[1:],
            "told": stored[:26] + b"\x04" + stored[27:],  # 18 bytes of name, 8 of rows, then the loss told
            "long": stored[:18] + b"\x07" + stored[19:],
            "empty": b"",
        }[harm]
        with pytest.raises(IntegrityError, match="Not the state of a ladder"):
            Ladder.from_bytes(broken)


def test_guessing_labels_learns_little_from_it():
    """Majority of those random guesses that were told to be better: by full scores far above one half, here hardly."""
    rng = np.random.default_rng(5)
    n, tries = 1000, 300
    labels = rng.integers(0, 2, n)
    guesses = rng.integers(0, 2, (tries, n))
    losses = (guesses != labels).astype(float)

    def majority(kept):
        return np.mean((guesses[kept].mean(axis=0) > 0.5) == labels)

    ladder, kept = Ladder.start(rng.integers(0, 2, n)), []
    for i in range(tries):
        ladder, told = ladder.submit(losses[i])
        if told.improved:
            kept.append(i)
    full = majority(losses.mean(axis=1) < 0.5)
    # A guess that beat 1/2 is right E|Z| / (2 sqrt n) = .0126 more often than that on the benchmark, and a vote of 150
    # such guesses in Phi(2 * .0126 * sqrt(150)) = .62 of its rows.
    assert full > 0.58
    assert len(kept) < 8
    assert abs(majority(kept) - 0.5) < 0.06
