"""Lineage: what is linked to what, what the steps add up to, and what becomes of records that make no sense."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.lineage import Lineage
from hokusai.domain.records import (
    BASELINE,
    BUILD,
    CONTRIBUTOR,
    DELETED,
    DELTA,
    DEPRECATED,
    METRICS,
    PARENT,
    SEMVER,
    ModelRecord,
)
from hokusai.domain.stages import Stage
from hokusai.errors import NotFoundError

ALICE = "0x742D35cc6634C0532925A3B844BC9E7595f62341"


def version(
    number: int,
    semver: str | None,
    parent: str | None = None,
    metrics: Mapping[str, float] | None = None,
    *,
    name: str = "churn",
    at: int | None = None,
    contributor: str | None = None,
    delta: Mapping[str, float] | None = None,
    **more: str,
) -> ModelRecord:
    told = {
        SEMVER: semver,
        PARENT: parent,
        METRICS: json.dumps(metrics) if metrics else None,
        CONTRIBUTOR: contributor,
        DELTA: json.dumps(delta) if delta else None,
    }
    tags = {tag: text for tag, text in told.items() if text is not None} | more
    return ModelRecord(name, number, tags=tags, created_ms=number * 1000 if at is None else at)


def ids(lineage: Lineage) -> list[str]:
    return [node.model_id for node in lineage.nodes]


FAMILY = [
    version(1, "1.0.0", metrics={"accuracy": 0.5, "rmse": 4.0}),
    version(2, "1.1.0", "churn/1.0.0", {"accuracy": 0.75, "rmse": 3.0}, contributor=ALICE),
    version(3, "1.1.1", "churn/1.1.0", {"accuracy": 0.625}, contributor="bob"),
    version(4, "1.2.0", "churn/1.1.0", {"accuracy": 0.875, "rmse": 3.5}, contributor=ALICE.lower()),
]
"""One root; 1.1.0 has two children. In binary fractions, so that sums by hand are exact."""


class TestLinks:
    def test_generations_and_branches_become_steps_from_parent_to_child(self) -> None:
        lineage = Lineage.of(FAMILY, "churn")
        assert [(edge.parent, edge.child) for edge in lineage.edges] == [
            ("churn/1.0.0", "churn/1.1.0"),
            ("churn/1.1.0", "churn/1.1.1"),
            ("churn/1.1.0", "churn/1.2.0"),
        ]
        assert [node.model_id for node in lineage.roots] == ["churn/1.0.0"]
        assert [node.model_id for node in lineage.children("churn/1.1.0")] == ["churn/1.1.1", "churn/1.2.0"]
        assert [node.model_id for node in lineage.path_to("churn/1.2.0")] == [
            "churn/1.0.0",
            "churn/1.1.0",
            "churn/1.2.0",
        ]

    def test_there_may_be_several_roots(self) -> None:
        lineage = Lineage.of([*FAMILY, version(9, "9.0.0")])
        assert [node.model_id for node in lineage.roots] == ["churn/1.0.0", "churn/9.0.0"]

    def test_a_step_may_lead_from_one_model_to_another(self) -> None:
        lineage = Lineage.of([*FAMILY, version(1, "1.0.0", "churn/1.2.0", name="churn-eu", at=9000)], "churn")
        edge = lineage.edge_to("churn-eu/1.0.0")
        assert edge is not None
        assert edge.parent == "churn/1.2.0"
        assert lineage.latest is not None
        assert lineage.latest.model_id == "churn-eu/1.0.0"

    @pytest.mark.parametrize("spelling", ["churn/1.0.0+linux", "churn/1.0.0", "churn/1.0.0+other", "churn/1"])
    def test_a_parent_is_found_by_each_name_it_goes_by(self, spelling: str) -> None:
        parent = version(1, "1.0.0", **{BUILD: "linux"})
        lineage = Lineage.of([parent, version(2, "1.1.0", spelling)])
        assert [edge.parent for edge in lineage.edges] == ["churn/1.0.0+linux"]
        assert not any(node.missing for node in lineage.nodes)

    def test_a_missing_parent_is_shown_once_before_its_children(self) -> None:
        orphans = [version(5, "2.0.0", "gone/1.0.0"), version(6, "3.0.0", "gone/1.0.0"), *FAMILY]
        lineage = Lineage.of(orphans)
        gone = lineage.node("gone/1.0.0")
        assert gone.missing
        assert gone.marks == ("missing",)
        assert ids(lineage)[-3:] == ["gone/1.0.0", "churn/2.0.0", "churn/3.0.0"]
        assert lineage.total_versions == 6
        assert "gone/1.0.0" not in [entry["model_id"] for entry in lineage.entries]

    def test_a_deleted_parent_is_shown_as_deleted_and_not_as_missing(self) -> None:
        lineage = Lineage.of(
            [version(1, "1.0.0", **{DELETED: "a mistake"}), version(2, "1.1.0", "churn/1.0.0")]
        )
        assert lineage.node("churn/1.0.0").marks == ("deleted",)

    def test_a_cycle_is_cut_above_its_oldest_version_and_named(self) -> None:
        ring = [
            version(2, "2.0.0", "churn/1.0.0"),
            version(1, "1.0.0", "churn/3.0.0"),
            version(3, "3.0.0", "churn/2.0.0"),
            version(4, "4.0.0", "churn/3.0.0"),
        ]
        lineage = Lineage.of(ring)
        assert lineage.cycles == (("churn/1.0.0", "churn/2.0.0", "churn/3.0.0"),)
        assert [node.model_id for node in lineage.roots] == ["churn/1.0.0"]
        assert len(lineage.edges) == 3
        assert "churn/1.0.0 → churn/2.0.0 → churn/3.0.0 → churn/1.0.0" in lineage.to_text()

    def test_a_long_cycle_is_named_in_short(self) -> None:
        ring = [version(n, f"{n}.0.0", f"churn/{n - 1 or 5000}.0.0") for n in range(1, 5001)]
        lineage = Lineage.of(ring)
        assert len(lineage.cycles[0]) == 5000
        assert "7.0.0 → … → churn/5000.0.0 → churn/1.0.0. churn/1.0.0 is drawn" in lineage.to_text()

    def test_a_version_that_names_itself_is_a_root(self) -> None:
        lineage = Lineage.of([version(1, "1.0.0", "churn/1.0.0")])
        assert lineage.cycles == (("churn/1.0.0",),)
        assert lineage.edges == ()

    def test_a_child_comes_after_its_parent_even_if_a_clock_went_wrong(self) -> None:
        lineage = Lineage.of([version(2, "2.0.0", "churn/1.0.0", at=1), version(1, "1.0.0", at=5000)])
        assert ids(lineage) == ["churn/1.0.0", "churn/2.0.0"]

    def test_two_rows_with_one_version_are_both_there_and_the_lower_one_owns_it(self) -> None:
        rows = [version(2, "1.0.0"), version(1, "1.0.0"), version(3, "1.1.0", "churn/1.0.0")]
        lineage = Lineage.of(rows)
        assert sorted(ids(lineage)) == ["churn/1.0.0", "churn/1.1.0", "churn/2"]
        owner = lineage.node("churn/1.0.0").record
        assert owner is not None
        assert owner.number == 1
        assert lineage.edges[0].parent == "churn/1.0.0"

    def test_stages_are_shown_where_they_are_known(self) -> None:
        lineage = Lineage.of(FAMILY, stages={"churn/1.1.0": Stage.PRODUCTION, "churn/4": Stage.STAGING})
        assert lineage.node("churn/1.1.0").marks == ("production",)
        assert lineage.node("churn/1.2.0").stage is Stage.STAGING
        assert lineage.node("churn/1.0.0").stage is None

    def test_nothing_gives_an_empty_lineage(self) -> None:
        lineage = Lineage.of([], "churn")
        assert (lineage.nodes, lineage.latest, lineage.improvement_to()) == ((), None, {})
        assert lineage.to_text() == ""
        assert lineage.to_dict()["total_versions"] == 0

    def test_a_focus_that_is_not_there_is_refused_and_the_nearest_name_suggested(self) -> None:
        with pytest.raises(NotFoundError, match=r"Did you mean 'churn/1\.2\.0'"):
            Lineage.of(FAMILY, "churn/1.2.00")
        with pytest.raises(NotFoundError):
            Lineage.of(FAMILY).node("churn/7.0.0")


class TestDeltas:
    def test_a_step_without_recorded_deltas_has_the_difference_of_what_both_have(self) -> None:
        edge = Lineage.of(FAMILY).edge_to("churn/1.1.0")
        assert edge is not None
        assert edge.delta == {"accuracy": 0.25, "rmse": -1.0}
        assert edge.improvement == {"accuracy": 0.25, "rmse": 1.0}
        assert edge.recorded == frozenset()

    def test_what_was_recorded_counts_and_what_was_not_is_worked_out(self) -> None:
        child = version(2, "1.1.0", "churn/1.0.0", {"accuracy": 0.75, "rmse": 3.0}, delta={"accuracy": 0.125})
        edge = Lineage.of([FAMILY[0], child]).edge_to("churn/1.1.0")
        assert edge is not None
        assert edge.delta == {"accuracy": 0.125, "rmse": -1.0}
        assert edge.recorded == {"accuracy"}

    def test_two_spellings_of_a_metric_are_one(self) -> None:
        old = version(1, "1.0.0", metrics={"f1_score": 0.5, "auc": 0.5, "model:accuracy": 0.25})
        new = version(2, "1.1.0", "churn/1.0.0", {"f1": 0.75, "auroc": 0.625, "accuracy": 0.5})
        edge = Lineage.of([old, new]).edge_to("churn/1.1.0")
        assert edge is not None
        assert edge.delta == {"accuracy": 0.25, "auroc": 0.125, "f1": 0.25}

    def test_a_step_from_a_missing_parent_has_only_what_was_recorded(self) -> None:
        lineage = Lineage.of([version(1, "1.0.0", "gone/1.0.0", {"accuracy": 0.5}, delta={"f1_score": 0.25})])
        assert lineage.edges[0].delta == {"f1": 0.25}


class TestImprovement:
    def test_deltas_add_up_from_the_root_to_the_latest(self) -> None:
        total = Lineage.of(FAMILY, "churn").improvement_to()
        assert (total["accuracy"].delta, total["accuracy"].steps) == (0.375, 2)
        assert (total["rmse"].delta, total["rmse"].improvement) == (-0.5, 0.5)
        assert not total["rmse"].higher_is_better

    def test_deltas_add_up_to_any_version(self) -> None:
        lineage = Lineage.of(FAMILY)
        assert lineage.improvement_to("churn/1.1.1")["accuracy"].delta == 0.125
        assert lineage.improvement_to("churn/1.0.0") == {}

    def test_an_unknown_metric_is_taken_as_higher_is_better_and_says_so(self) -> None:
        old = version(1, "1.0.0", metrics={"charm": 0.25, "rmse": 1.0})
        new = version(2, "1.1.0", "churn/1.0.0", {"charm": 0.5, "rmse": 1.0})
        total = Lineage.of([old, new]).improvement_to()
        assert (total["charm"].improvement, total["charm"].direction_known) == (0.25, False)
        assert total["rmse"].direction_known
        assert "not known: charm." in Lineage.of([old, new]).to_text()

    def test_the_latest_is_the_highest_release_and_not_the_last_backport(self) -> None:
        rows = [version(1, "2.0.0"), version(2, "1.9.1"), version(3, "3.0.0-rc.1")]
        assert Lineage.of(rows, "churn").latest_version == "2.0.0"

    def test_a_version_without_a_semantic_one_comes_after_all_that_have_one(self) -> None:
        assert Lineage.of([version(1, "1.0.0"), version(2, None)], "churn").latest_version == "1.0.0"
        assert Lineage.of([version(1, None), version(2, None)], "churn").latest_version == "2"

    @pytest.mark.parametrize("tag", [DELETED, DEPRECATED])
    def test_the_latest_may_be_used(self, tag: str) -> None:
        rows = [version(1, "1.0.0"), version(2, "2.0.0", "churn/1.0.0", **{tag: "broken"})]
        assert Lineage.of(rows, "churn").latest_version == "1.0.0"
        assert Lineage.of(rows[1:], "churn").latest_version == "2.0.0"

    def test_asked_for_a_version_the_latest_is_among_those_made_from_it(self) -> None:
        assert Lineage.of(FAMILY, "churn/1.1.1").latest_version == "1.1.1"
        assert Lineage.of(FAMILY, "churn/1.0.0").latest_version == "1.2.0"
        assert Lineage.of(FAMILY, "churn/1").model_id == "churn/1.0.0"


class TestContributors:
    def test_one_account_in_two_spellings_is_one_contributor(self) -> None:
        alice, bob = Lineage.of(FAMILY).contributors
        assert (alice.contributor.text, alice.versions) == (ALICE, ("churn/1.1.0", "churn/1.2.0"))
        assert alice.improvements == 2
        assert alice.gains["accuracy"].delta == 0.375
        assert alice.gains["rmse"].improvement == 0.5
        assert (bob.contributor.text, bob.improvements) == ("bob", 0)
        assert bob.gains["accuracy"].improvement == -0.125

    def test_an_opaque_id_is_not_an_address_and_its_case_counts(self) -> None:
        rows = [
            FAMILY[0],
            version(2, "1.1.0", "churn/1.0.0", contributor="bob"),
            version(3, "1.2.0", "churn/1.0.0", contributor="Bob"),
        ]
        assert [impact.contributor.text for impact in Lineage.of(rows).contributors] == ["Bob", "bob"]

    def test_a_deleted_version_credits_nobody(self) -> None:
        gone = version(2, "1.1.0", "churn/1.0.0", contributor=ALICE, **{DELETED: "a mistake"})
        assert Lineage.of([FAMILY[0], gone]).contributors == ()


class TestSpoiltTags:
    @pytest.mark.parametrize(
        ("tags", "said"),
        [
            ({METRICS: "{not json"}, "hokusai.metrics"),
            ({METRICS: '{"accuracy": "high", "f1": NaN, "rmse": true, "mae": 1e999}'}, "hokusai.metrics"),
            ({METRICS: '{"accuracy": 1' + "0" * 400 + "}"}, "hokusai.metrics"),
            ({DELTA: "[1]"}, "hokusai.delta"),
            ({CONTRIBUTOR: "  "}, "hokusai.contributor"),
        ],
    )
    def test_cost_their_own_fact_and_not_the_lineage(self, tags: dict[str, str], said: str) -> None:
        lineage = Lineage.of([FAMILY[0], version(2, "1.1.0", "churn/1.0.0", **tags)])
        spoilt = lineage.node("churn/1.1.0")
        assert said in spoilt.trouble
        assert spoilt.marks == ("unreadable",)
        assert spoilt.metrics == {}
        assert spoilt.parent_id == "churn/1.0.0"
        assert said in lineage.to_text()


class TestForms:
    def test_as_a_dict(self) -> None:
        told = json.loads(json.dumps(Lineage.of(FAMILY, "churn").to_dict()))
        assert list(told) == [
            "model_id",
            "lineage",
            "nodes",
            "edges",
            "roots",
            "cycles",
            "cumulative_improvement",
            "contributors",
            "total_versions",
            "latest_version",
        ]
        assert (told["model_id"], told["total_versions"], told["latest_version"]) == ("churn", 4, "1.2.0")
        assert told["lineage"][1] == {
            "model_id": "churn/1.1.0",
            "baseline_id": "churn/1.0.0",
            "version": "1.1.0",
            "metrics": {"accuracy": 0.75, "rmse": 3.0},
            "timestamp": "1970-01-01T00:00:02+00:00",
            "delta_metrics": {"accuracy": 0.25, "rmse": -1.0},
            "contributor_address": ALICE,
        }
        assert told["cumulative_improvement"]["rmse"]["improvement"] == 0.5
        assert told["contributors"][0]["payable"] is True

    def test_total_improvement_is_a_number_a_metric(self) -> None:
        assert Lineage.of(FAMILY, "churn").total_improvement == {"accuracy": 0.375, "rmse": 0.5}

    def test_as_text_side_branches_stand_beside_the_main_line(self) -> None:
        rows = [
            version(1, "1.0.0", **{BASELINE: "true"}),
            version(2, "1.0.1", "churn/1.0.0", contributor=ALICE),
            version(3, "1.0.2", "churn/1.0.1"),
            version(4, "1.0.3", "churn/1.0.1"),
            version(5, "2.0.0", "churn/1.0.0", {"accuracy": 0.5}, delta={"accuracy": 0.25}),
            version(6, "3.0.0", "gone/1.0.0"),
        ]
        assert Lineage.of(rows, "churn/2.0.0").to_text().splitlines() == [
            "● churn/1.0.0  [baseline]",
            "├─○ churn/1.0.1  by 0x742D…2341",
            "│ ├─○ churn/1.0.3",
            "│ ○ churn/1.0.2",
            "○ churn/2.0.0  accuracy 0.5 (+0.25)",
            "",
            "✗ gone/1.0.0  [missing]",
            "○ churn/3.0.0",
            "",
            "gone/1.0.0 is named as a parent, and is not there.",
        ]

    def test_text_cannot_command_the_terminal(self) -> None:
        row = version(1, "1.0.0", "x\x1b[2J/1\n○ forged", {"a\x1b]0;owned\x07\nb": 1.0})
        text = Lineage.of([row]).to_text()
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\n○ forged" not in text

    def test_as_mermaid(self) -> None:
        assert Lineage.of(FAMILY[:2], stages={"churn/1.1.0": Stage.PRODUCTION}).to_mermaid().splitlines()[
            :4
        ] == [
            "flowchart TD",
            '    v0["churn/1.0.0<br/>accuracy 0.5<br/>rmse 4"]',
            '    v1["churn/1.1.0<br/>accuracy 0.75<br/>rmse 3<br/>#40;production#41;"]:::production',
            '    v0 -->|"accuracy +0.25<br/>rmse -1<br/>0x742D#8230;2341"| v1',
        ]

    @given(st.text(min_size=1))
    def test_no_name_breaks_out_of_its_label_in_mermaid(self, name: str) -> None:
        drawn = Lineage.of([version(1, "1.0.0", name=name)]).to_mermaid().splitlines()[1]
        label = drawn.removeprefix('    v0["').removesuffix('"]')
        assert drawn == f'    v0["{label}"]'
        assert not set(label) & set('"<>[]{}()|`%&\\')

    def test_as_a_line_for_people(self) -> None:
        assert repr(Lineage.of(FAMILY, "churn")) == (
            "<Lineage of churn: 4 versions, latest churn/1.2.0, accuracy +0.375, rmse -0.5>"
        )


@st.composite
def families(draw: st.DrawFn) -> list[ModelRecord]:
    """Versions with any parents: earlier ones, later ones, themselves, none, missing."""
    count = draw(st.integers(1, 12))
    names = [f"churn/{number}.0.0" for number in range(1, count + 1)] + ["gone/1.0.0", "gone/2.0.0"]
    number = st.floats(-10, 10)
    numbers = st.dictionaries(st.sampled_from(["accuracy", "f1", "f1_score", "rmse", "x"]), number)
    return [
        version(
            place,
            f"{place}.0.0",
            draw(st.none() | st.sampled_from(names)),
            draw(numbers),
            at=draw(st.integers(0, 5)),
            contributor=draw(st.sampled_from([None, "a", "b"])),
            delta=draw(numbers),
        )
        for place in range(1, count + 1)
    ]


class TestLaws:
    @given(families())
    def test_every_record_is_there_exactly_once(self, records: list[ModelRecord]) -> None:
        lineage = Lineage.of(records)
        held = [node.record.number for node in lineage.nodes if node.record]
        assert sorted(held) == [record.number for record in records]
        assert len(set(ids(lineage))) == len(lineage.nodes)
        assert sum(line.lstrip("│├─ ")[:1] in tuple("●○✗") for line in lineage.to_text().splitlines()) == len(
            lineage.nodes
        )

    @given(families())
    def test_all_is_a_set_of_trees(self, records: list[ModelRecord]) -> None:
        lineage = Lineage.of(records)
        assert len(lineage.roots) + len(lineage.edges) == len(lineage.nodes)
        place = {own: position for position, own in enumerate(ids(lineage))}
        assert all(place[edge.parent] < place[edge.child] for edge in lineage.edges)

    @given(families(), st.randoms(use_true_random=False))
    def test_the_order_of_the_records_does_not_matter(self, records: list[ModelRecord], random: Any) -> None:
        shuffled = random.sample(records, len(records))
        assert Lineage.of(shuffled).to_dict() == Lineage.of(records).to_dict()

    @given(families())
    def test_what_is_cumulated_is_the_sum_of_the_steps(self, records: list[ModelRecord]) -> None:
        lineage = Lineage.of(records)
        step = {edge.child: edge for edge in lineage.edges}
        for node in lineage.nodes:
            deltas: dict[str, list[float]] = {}
            here: str | None = node.model_id
            while here in step:
                for metric, delta in step[here].delta.items():
                    deltas.setdefault(metric, []).append(delta)
                here = step[here].parent
            got = {metric: gain.delta for metric, gain in lineage.improvement_to(node.model_id).items()}
            assert got == {metric: math.fsum(values) for metric, values in deltas.items()}

    @given(families())
    def test_contributors_share_the_steps_that_have_one(self, records: list[ModelRecord]) -> None:
        lineage = Lineage.of(records)
        credited = [own for impact in lineage.contributors for own in impact.versions]
        assert sorted(credited) == sorted(edge.child for edge in lineage.edges if edge.contributor)


def test_three_thousand_generations_need_no_recursion() -> None:
    count = 3_000  # three times as deep as Python recurses
    chain = [
        version(
            place,
            f"{place}.0.0",
            f"churn/{place - 1}.0.0" if place > 1 else None,
            {"accuracy": place / 16384},
        )
        for place in range(1, count + 1)
    ]
    lineage = Lineage.of(chain, "churn")
    assert lineage.improvement_to()["accuracy"].delta == 2_999 / 16384
    assert len(lineage.to_text()) < 1_000_000
    assert lineage.to_mermaid().count("-->") == count - 1
    assert len(lineage.to_dict()["lineage"]) == count


def test_side_branches_of_side_branches_stay_narrow() -> None:
    """A comb of 1,000 teeth that branches at every version is drawn in a few columns."""
    comb = [version(1, "1.0.0")]
    for place in range(1, 1000):
        comb.append(version(2 * place, f"{place + 1}.0.0-side", f"churn/{place}.0.0"))
        comb.append(version(2 * place + 1, f"{place + 1}.0.0", f"churn/{place}.0.0"))
    assert max(map(len, Lineage.of(comb, "churn/1.0.0").to_text().splitlines())) < 30
