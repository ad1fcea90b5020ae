"""Semantic versions by the standard's own examples and by laws; ids and names at the door."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.versions import (
    LOG_PREFIX,
    ModelId,
    SemanticVersion,
    check_model_name,
    latest,
    parse_version,
)
from hokusai.errors import InvalidInputError

V = SemanticVersion.parse

# The orders that Semantic Versioning 2.0.0 gives in clause 11, points 2 to 4.
ORDERED = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
]

numbers = st.integers(0, 10**18 - 1)
letters = st.text("0123456789ABCabcxyz-", min_size=1, max_size=6)
identifiers = letters.filter(lambda text: not text.isdigit() or text == str(int(text)))
prereleases = st.lists(identifiers, max_size=4).map(".".join)
builds = st.lists(letters, max_size=3).map(".".join)
versions = st.builds(SemanticVersion, numbers, numbers, numbers, prereleases, builds)


class TestSemanticVersion:
    @pytest.mark.parametrize(("lower", "higher"), list(itertools.combinations(ORDERED, 2)))
    def test_the_examples_of_the_standard_are_in_their_order(self, lower: str, higher: str):
        assert V(lower) < V(higher)
        assert V(higher) > V(lower)
        assert V(lower) != V(higher)
        assert V(lower).sortable.encode() < V(higher).sortable.encode()

    @given(versions)
    def test_what_is_printed_is_parsed_again(self, version: SemanticVersion):
        again = V(str(version))
        assert (again, again.build, str(again)) == (version, version.build, str(version))

    @given(versions, versions)
    def test_order_is_the_precedence_of_the_standard(self, one: SemanticVersion, two: SemanticVersion):
        expected = precedence(one) < precedence(two)
        assert (one < two) == expected
        assert (one.sortable.encode() < two.sortable.encode()) == expected

    @given(versions, builds)
    def test_build_metadata_makes_no_other_version(self, version: SemanticVersion, build: str):
        other = SemanticVersion(version.major, version.minor, version.patch, version.prerelease, build)
        assert other == version
        assert hash(other) == hash(version)
        assert not other < version
        assert not other > version

    @given(
        versions.filter(lambda version: version.major < 10**17), st.sampled_from(["major", "minor", "patch"])
    )
    def test_the_next_version_is_a_higher_release(self, version: SemanticVersion, part):
        if max(version.minor, version.patch) < 10**17:
            bumped = version.bump(part)
            assert bumped > version
            assert not bumped.is_prerelease

    @pytest.mark.parametrize(
        ("version", "part", "expected"),
        [
            ("1.4.2", "patch", "1.4.3"),
            ("1.4.2", "minor", "1.5.0"),
            ("1.4.2", "major", "2.0.0"),
            ("1.4.2-rc.1", "patch", "1.4.2"),
            ("1.4.0-rc.1", "minor", "1.4.0"),
            ("1.4.2-rc.1", "minor", "1.5.0"),
            ("2.0.0-rc.1", "major", "2.0.0"),
            ("2.1.0-rc.1", "major", "3.0.0"),
        ],
    )
    def test_a_pre_release_is_followed_by_its_release(self, version: str, part, expected: str):
        assert str(V(version).bump(part)) == expected

    # From the standard's list of texts that are not valid.
    @pytest.mark.parametrize(
        "text",
        [
            "1",
            "1.2",
            "1.2.3-0123",
            "1.2.3-0123.0123",
            "1.1.2+.123",
            "+invalid",
            "-invalid",
            "-invalid+invalid",
            "alpha",
            "1.2.3.DEV",
            "1.2-SNAPSHOT",
            "1.0.0-alpha_beta",
            "01.1.1",
            "1.01.1",
            "1.1.01",
            "1.2.3-",
            "1.2.3+",
            "1.0.0-a..b",
            "1.2.3.4",
            "v1.2.3",
            " 1.2.3",
            "1.2.3\n",
            "",
            "\u0661.\u0662.\u0663",
        ],
    )
    def test_refuses_what_is_no_version(self, text: str):
        with pytest.raises(InvalidInputError, match="Not a semantic version"):
            V(text)

    @pytest.mark.parametrize("text", ["v1.2.0", "1.2", " 1.2.0 "])
    def test_says_what_may_be_meant(self, text: str):
        with pytest.raises(InvalidInputError, match=r"Did you mean '1\.2\.0'\?"):
            V(text)

    def test_refuses_a_number_and_a_text_without_end(self):
        for wrong in (1.0, None, "1.0.0-" + "a" * 300):
            with pytest.raises(InvalidInputError, match="Not a semantic version"):
                V(wrong)  # type: ignore[arg-type]


def precedence(version: SemanticVersion) -> tuple[object, ...]:
    """Clause 11, word for word, and without `sortable`."""
    parts = [
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in version.prerelease.split(".")
        if version.prerelease
    ]
    return version.major, version.minor, version.patch, not version.prerelease, parts


def test_the_latest_is_the_newest_release_or_else_the_newest_pre_release():
    assert latest(map(V, ["1.0.0", "2.0.0-rc.1", "1.10.0", "1.9.0"])) == V("1.10.0")
    assert latest(map(V, ["2.0.0-rc.1", "2.0.0-rc.2"])) == V("2.0.0-rc.2")
    assert latest([]) is None


class TestModelId:
    @given(versions)
    def test_what_is_printed_is_parsed_again(self, version: SemanticVersion):
        assert ModelId.parse(f"lead-scorer/{version}") == ModelId("lead-scorer", version)
        assert str(ModelId("lead-scorer", version)) == f"lead-scorer/{version}"

    @pytest.mark.parametrize("text", ["lead-scorer", "", "/1.0.0", "a/b/1.0.0", "a/1.0", None])
    def test_refuses_what_is_no_id(self, text: str):
        with pytest.raises(InvalidInputError):
            ModelId.parse(text)


def test_a_version_may_be_the_number_that_mlflow_gave_it():
    assert [parse_version("12"), parse_version(3)] == [12, 3]
    for wrong in ("0", 0, -1, True, "1.0", 2**31, str(2**31)):
        with pytest.raises(InvalidInputError):
            parse_version(wrong)


@pytest.mark.parametrize("name", ["lead-scorer", "Modèle 2", "a.b_c", "x" * 200])
def test_names_that_every_part_can_carry(name: str):
    assert check_model_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("a/b", "contains '/'"),
        ("a@production", "contains '@'"),
        (" a", "has blanks around it"),
        ("a\x1b[2J", "cannot be shown"),
        ("..", "is the name of a folder"),
        ("x" * 201, "longer than 200"),
        ("'\"", "both kinds of quotes"),
        (LOG_PREFIX + "a", "reserved for the history of stages"),
        (7, "is int, not text"),
        ("Mode\u0300le", "write 'Mod\u00e8le'"),
    ],
)
def test_names_that_are_refused(name: str, why: str):
    with pytest.raises(InvalidInputError, match=why):
        check_model_name(name)
