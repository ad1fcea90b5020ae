"""Scorers of one's own: valid by construction, and known by the text of their function."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import replace

import numpy as np
import pytest

from hokusai.domain.scorer import Scorer
from hokusai.errors import InvalidInputError


def hits(truth, said):
    return truth == said


def sure(truth, said, score):
    return score


def with_default(truth, said, score=None):
    return truth == said


HITS = "def hits(truth, said):\n    return truth == said"


class TestDigest:
    def test_it_is_the_sha256_of_the_stripped_text_with_lf(self) -> None:
        assert Scorer("hits", hits, True, "1").source_sha256 == hashlib.sha256(HITS.encode()).hexdigest()

    def test_line_ends_and_blanks_around_do_not_matter_and_any_other_character_does(self) -> None:
        def digest(text: str) -> str:
            return Scorer("hits", len, True, "1", source=text).source_sha256

        assert digest("\r\n" + HITS.replace("\n", "\r\n") + "\r\n\r\n") == digest(HITS)
        assert digest(HITS.replace("==", "!=")) != digest(HITS)

    @pytest.mark.parametrize("function", [len, functools.partial(hits), eval("lambda a, b: a == b")])
    def test_a_function_without_a_text_is_refused(self, function: object) -> None:
        with pytest.raises(InvalidInputError, match="text of the scorer's function cannot be found"):
            Scorer("hits", function, True, "1")  # type: ignore[arg-type]

    def test_constants_that_it_was_made_with_are_in_it(self) -> None:
        def within(k):
            def close(truth, said, *, share=0.5, also=("a", 1)):
                return abs(truth - said) <= k * share

            return close

        one, other = (Scorer("close", within(k), True, "1") for k in (1, -1))
        assert one.source_sha256 != other.source_sha256
        assert one.source_sha256 == Scorer("close", within(1), True, "1").source_sha256
        assert one.source.endswith("\n# k = 1\n# also = ('a', 1,)\n# share = 0.5")
        assert replace(one, version="2").source == one.source

    def test_and_those_of_a_partial_function(self) -> None:
        digests = {
            Scorer("own", functools.partial(sure, score=k), True, "1", source="sure").source_sha256
            for k in (1, 1.0, "1", True, None)
        }
        assert len(digests) == 5

    @pytest.mark.parametrize(
        ("made_with", "kind"),
        [([1], "list"), ({"a": 1}, "dict"), (np.float64(1), "float64"), (len, "builtin"), ((1, [2]), "list")],
    )
    def test_what_is_no_constant_is_refused(self, made_with: object, kind: str) -> None:
        def closed(truth, said):
            return made_with

        def by_default(truth, said, value=made_with):
            return value

        for function in (closed, by_default):
            with pytest.raises(InvalidInputError, match=f"a value of the type {kind}"):
                Scorer("own", function, True, "1")

    def test_a_method_is_refused(self) -> None:
        class Counter:
            def score(self, truth, said):
                return truth == said

        with pytest.raises(InvalidInputError, match="what its object holds"):
            Scorer("own", Counter().score, True, "1")

    def test_reports_tell_everything_that_identifies_it(self) -> None:
        told = Scorer("hits", hits, False, "2.1").to_dict()
        assert told == {
            "name": "hits",
            "version": "2.1",
            "higher_is_better": False,
            "per_row": True,
            "source_sha256": hashlib.sha256(HITS.encode()).hexdigest(),
        }


@pytest.mark.parametrize(
    ("name", "version", "reason"),
    [
        ("accuracy", "1", "is taken"),
        ("model:f1_score", "1", "is taken"),
        ("latency_ms", "1", "is taken"),
        ("", "1", "without brackets"),
        ("a[b]", "1", "without brackets"),
        ("a=b", "1", "without brackets"),
        ("hits", "", "has a version"),
    ],
)
def test_a_name_that_means_something_else_or_no_version_is_refused(
    name: str, version: str, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        Scorer(name, hits, True, version)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="needs a function"):
        Scorer("hits", "len", True, "1")  # type: ignore[arg-type]


def test_only_a_third_parameter_that_must_be_given_asks_for_scores() -> None:
    takes = [Scorer("own", one, True, "1").takes_scores for one in (hits, sure, with_default)]
    assert takes == [False, True, False]
