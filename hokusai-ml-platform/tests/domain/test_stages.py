"""Replaying moves: one chain whatever raced, one board whoever reads; and which moves are refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hokusai.domain.stages import (
    EVENT_TAG,
    EXPECTED_TAG,
    Holder,
    Move,
    Stage,
    StageBoard,
    StageEvent,
)
from hokusai.errors import ConflictError, IntegrityError, InvalidInputError

DEV, STAGING, PRODUCTION = Stage
VERSIONS = ["1.0.0", "1.1.0", "1.2.0"]


def promote(version: str, stage: Stage = PRODUCTION) -> StageEvent:
    return StageEvent(Move.PROMOTE, version, stage)


def roll_back(version: str, stage: Stage = PRODUCTION) -> StageEvent:
    return StageEvent(Move.ROLLBACK, version, stage)


def board_of(*events: StageEvent) -> StageBoard:
    """The board after moves that are made one after another, each checked."""
    board = StageBoard("churn")
    for number, event in enumerate(events, start=1):
        board.check(event)
        board = board.after([(number, replace(event, number=number, expected=board.head))])
    return board


holders = st.builds(Holder, st.sampled_from(Stage), st.sampled_from(VERSIONS), st.integers(0, 9))
events = st.builds(
    StageEvent,
    st.sampled_from(Move),
    st.sampled_from(VERSIONS),
    st.sampled_from(Stage),
    actor=st.text(max_size=5),
    reason=st.text(max_size=5),
    at_ms=st.integers(0, 2**40),
    row=st.integers(0, 9),
    found=st.lists(
        st.builds(Holder, st.sampled_from(Stage), st.sampled_from(VERSIONS), st.integers(0, 9)), max_size=2
    ).map(tuple),
)


@st.composite
def logs(draw):
    """Rows as racing writers leave them: each names a move that was there, the last one or an older one."""
    rows: list[tuple[int, StageEvent | None]] = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        if draw(st.integers(0, 9)) == 0:
            rows.append((number, None))
        else:
            expected = draw(st.integers(0, number - 1))
            rows.append((number, replace(draw(events), number=number, expected=expected)))
    return rows


class TestReplay:
    @given(logs())
    def test_valid_moves_are_one_chain_and_the_first_to_name_a_move_wins(self, rows):
        board = StageBoard("churn").after(rows)
        chain = [(event.expected, event.number) for event in board.history]
        # worked out otherwise: follow the lowest row that names the last one
        head, expected = 0, []
        while following := [n for n, event in rows if event and n > head and event.expected == head]:
            expected.append((head, following[0]))
            head = following[0]
        assert chain == expected
        assert (board.head, board.seen) == (head, rows[-1][0])

    @given(logs(), st.lists(st.integers(0, 12), max_size=4))
    def test_the_board_does_not_depend_on_how_rows_are_read(self, rows, cuts):
        whole = StageBoard("churn").after(rows)
        board = StageBoard("churn")
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(rows)], strict=True):
            board = board.after(rows[start:end])
        assert board == whole
        assert board.after(rows) == whole  # rows that were seen change nothing

    @given(logs())
    def test_a_version_is_in_one_stage_at_most(self, rows):
        # aliases that somebody set by hand may say otherwise, so they are left out
        plain = [(number, event and replace(event, found=())) for number, event in rows]
        held = [holder.version for holder in StageBoard("churn").after(plain).holders()]
        assert len(held) == len(set(held))

    @given(events, st.integers(0, 99), st.integers(1, 99))
    def test_an_event_is_read_as_it_was_written(self, event, expected, number):
        written = replace(event, expected=expected, number=number)
        assert StageEvent.from_tags(number, written.tags()) == written

    @pytest.mark.parametrize(
        "tags",
        [
            {},
            {EVENT_TAG: "not JSON", EXPECTED_TAG: "0"},
            {EVENT_TAG: "[]", EXPECTED_TAG: "0"},
            {EVENT_TAG: "{}", EXPECTED_TAG: "0"},
            {EVENT_TAG: "[" * 90_000, EXPECTED_TAG: "0"},
            promote("1.0.0").tags() | {EXPECTED_TAG: "soon"},
            promote("1.0.0").tags() | {EXPECTED_TAG: "-1"},
        ],
    )
    def test_rows_of_somebody_else_are_passed_over(self, tags):
        assert StageEvent.from_tags(1, tags) is None

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("at_ms", float("inf")),
            ("at_ms", 10**30),
            ("at_ms", 253_402_300_800_000),  # the first second of the year 10000
            ("at_ms", -1),
            ("row", 2**31),
            ("version", "garbage"),
            ("version", str(2**31)),
            ("previous", "garbage"),
            ("reason", "\ud800"),
            ("found", [["production", "garbage", 1]]),
        ],
    )
    def test_moves_that_nobody_can_have_made_are_passed_over(self, field, value):
        tags = promote("1.0.0").tags()
        told = json.loads(tags[EVENT_TAG]) | {field: value}
        assert StageEvent.from_tags(1, tags | {EVENT_TAG: json.dumps(told)}) is None

    def test_a_move_of_a_newer_release_stops_the_reader(self):
        tags = promote("1.0.0").tags()
        told = json.loads(tags[EVENT_TAG]) | {"move": "quarantine"}
        with pytest.raises(IntegrityError, match="'quarantine', which this release does not know"):
            StageEvent.from_tags(4, tags | {EVENT_TAG: json.dumps(told)})


class TestPromote:
    def test_puts_a_version_in_place_of_the_one_before(self):
        board = board_of(promote("1.0.0"), promote("1.1.0"))
        assert (board.current(PRODUCTION), board.before(PRODUCTION)) == ("1.1.0", "1.0.0")

    def test_takes_the_version_out_of_the_stage_below(self):
        board = board_of(promote("1.0.0", DEV), promote("1.0.0", STAGING), promote("1.0.0"))
        assert [board.current(stage) for stage in Stage] == [None, None, "1.0.0"]
        assert board.last_move(DEV).stage is STAGING

    def test_does_not_go_down(self):
        board = board_of(promote("1.0.0"))
        for stage in Stage:
            with pytest.raises(ConflictError, match="does not go up"):
                board.check(promote("1.0.0", stage))

    def test_refuses_what_is_deprecated_or_deleted(self):
        board = board_of(
            StageEvent(Move.DEPRECATE, "1.0.0", reason="biased"), StageEvent(Move.DELETE, "1.1.0")
        )
        with pytest.raises(ConflictError, match=r"churn/1\.0\.0 is deprecated: biased"):
            board.check(promote("1.0.0"))
        with pytest.raises(ConflictError, match=r"churn/1\.1\.0 is deleted"):
            board.check(promote("1.1.0"))

    def test_needs_a_stage(self):
        with pytest.raises(InvalidInputError, match="needs a stage"):
            StageBoard("churn").check(StageEvent(Move.PROMOTE, "1.0.0"))


class TestRollback:
    def test_goes_down_the_versions_that_were_there(self):
        board = board_of(promote("1.0.0"), promote("1.1.0"), promote("1.2.0"), roll_back("1.1.0"))
        assert (board.current(PRODUCTION), board.before(PRODUCTION)) == ("1.1.0", "1.0.0")

    def test_what_it_left_is_not_what_was_before(self):
        board = board_of(promote("1.0.0"), promote("1.1.0"), roll_back("1.0.0"), promote("1.2.0"))
        assert board.before(PRODUCTION) == "1.0.0"

    def test_passes_over_versions_that_may_not_be_used(self):
        board = board_of(
            promote("1.0.0"), promote("1.1.0"), promote("1.2.0"), StageEvent(Move.DEPRECATE, "1.1.0")
        )
        assert board.before(PRODUCTION) == "1.0.0"

    def test_never_empties_a_higher_stage(self):
        board = board_of(promote("1.0.0", STAGING), promote("1.0.0"), promote("1.1.0", STAGING))
        assert board.before(STAGING) is None
        with pytest.raises(ConflictError, match="is in production, and cannot go back to staging"):
            board.check(roll_back("1.0.0", STAGING))

    def test_may_go_to_an_older_version_that_never_was_there(self):
        board_of(promote("1.1.0"), roll_back("1.0.0"))

    def test_does_not_go_to_a_newer_version_that_never_was_there(self):
        with pytest.raises(ConflictError, match="Promote it instead"):
            board_of(promote("1.0.0"), roll_back("1.1.0"))

    def test_may_go_to_a_newer_version_that_was_there(self):
        board = board_of(promote("1.1.0"), roll_back("1.0.0"), roll_back("1.1.0"))
        assert board.current(PRODUCTION) == "1.1.0"

    def test_needs_a_version_to_leave(self):
        board = board_of(promote("1.0.0"), StageEvent(Move.WITHDRAW, "1.0.0", PRODUCTION))
        with pytest.raises(ConflictError, match="nothing to roll back"):
            board.check(roll_back("1.0.0"))

    def test_after_a_withdrawal_and_a_promotion_the_one_withdrawn_is_before(self):
        withdrawn = StageEvent(Move.WITHDRAW, "1.0.0", PRODUCTION)
        assert board_of(promote("1.0.0"), withdrawn, promote("1.1.0")).before(PRODUCTION) == "1.0.0"
        assert board_of(promote("1.0.0"), withdrawn, promote("1.0.0")).before(PRODUCTION) is None


class TestOutOfUse:
    @pytest.mark.parametrize("move", [Move.DEPRECATE, Move.DELETE])
    def test_nothing_in_a_stage_goes_out_of_use(self, move):
        with pytest.raises(ConflictError, match=r"churn/1\.0\.0 is in production"):
            board_of(promote("1.0.0"), StageEvent(move, "1.0.0"))

    @pytest.mark.parametrize(("out", "back"), [(Move.DEPRECATE, Move.REINSTATE), (Move.DELETE, Move.RESTORE)])
    def test_it_is_once_and_can_be_taken_back(self, out, back):
        with pytest.raises(ConflictError, match="already"):
            board_of(StageEvent(out, "1.0.0"), StageEvent(out, "1.0.0"))
        with pytest.raises(ConflictError, match="is not de"):
            board_of(StageEvent(back, "1.0.0"))
        board = board_of(StageEvent(out, "1.0.0"), StageEvent(back, "1.0.0"), promote("1.0.0"))
        assert (board.current(PRODUCTION), board.deprecated, board.deleted) == ("1.0.0", {}, {})


class TestFound:
    def test_the_first_move_tells_every_reader_what_the_aliases_said(self):
        found = (Holder(PRODUCTION, "1.0.0", 1), Holder(STAGING, "1.1.0", 2))
        first = replace(promote("1.1.0"), found=found, number=1)
        fresh = StageBoard("churn").after([(1, first)])
        assert (fresh.current(PRODUCTION), fresh.before(PRODUCTION), fresh.current(STAGING)) == (
            "1.1.0",
            "1.0.0",
            None,
        )
        other = StageBoard("churn").as_found([Holder(PRODUCTION, "9.9.9", 9)])
        assert other.after([(1, first)]) == fresh

    def test_what_an_alias_says_may_be_written_down(self):
        board = StageBoard("churn").as_found([Holder(PRODUCTION, "1.0.0", 1)])
        board.check(promote("1.0.0"))
        first = replace(promote("1.0.0"), found=board.holders(), number=1)
        assert board.after([(1, first)]).stacks == {PRODUCTION: ("1.0.0",)}


@pytest.mark.parametrize(
    ("text", "stage"), [("production", PRODUCTION), (" PROD ", PRODUCTION), ("stage", STAGING), ("dev", DEV)]
)
def test_stages_have_short_names(text, stage):
    assert Stage.parse(text) is stage


@pytest.mark.parametrize("text", ["prodction", "", None, "live"])
def test_other_stages_are_refused(text):
    with pytest.raises(InvalidInputError, match="Stages are development, staging, production"):
        Stage.parse(text)
