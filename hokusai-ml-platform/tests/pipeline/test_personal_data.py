"""Personal data in a contribution is counted and told, never quoted, and taken out of what is trained on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from hokusai.errors import ConfigurationError, IntegrityError
from hokusai.pipeline import contribution, reference
from hokusai.pipeline.data.reading import read_table
from hokusai.pipeline.personal_data import find_personal_data, warnings_of
from hokusai.pipeline.plan import RunPlan
from hokusai.privacy.provided import provide_tokenizer
from hokusai.privacy.tokens import Tokenizer

TOKENIZER = Tokenizer(bytes(range(32)))
BASE = "note,x,label\nhello,1,a\ngood bye,2,b\nthanks,3,a\nnever,4,b\n"
BENCHMARK = "note,x,label\nwrite ada@example.org,11,a\nnothing,12,b\nwell,13,a\n"
CONTRIBUTED = (
    "note,x,label\n"
    "write bob@example.org,21,a\nfine,22,b\nwrite ada@example.org,11,a\nWrite bob@example.org,21,a\n"
)
"""Its third row stands in the benchmark, address and all; its fourth repeats the first but for a capital letter."""


def test_is_counted_by_column_and_kind_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(
        "query_id,note,email,label\n1,write ada@example.org,bob@example.org,a\n2,fine,eve@example.org,b\n"
    )
    found = find_personal_data([read_table(tmp_path / "in.csv"), read_table(tmp_path / "in.csv")])
    assert found.to_dict()["by_kind"] == {"email": 6}
    told = "take it out first: hokusai data clean, or --pii hash."
    assert list(warnings_of(found)) == [
        f"Column 'email' holds personal data (email in 4 cells); {told}",
        f"Column 'note' holds personal data (email in 2 cells); {told}",
    ]
    assert "example.org" not in str(found.to_dict())


def test_is_not_found_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("description,script,order_id,x\nfine,a.py,0001234567890123,0.5\n")
    assert find_personal_data([read_table(tmp_path / "in.csv")]).findings == ()


@pytest.fixture
def key() -> Iterator[None]:
    """The key of the run, and what was there before back afterwards."""
    before = provide_tokenizer(lambda: TOKENIZER)
    yield
    provide_tokenizer(before)


@pytest.fixture
def run_of(csv: Callable[..., str], plan_of: Callable[..., RunPlan]) -> Callable[..., RunPlan]:
    def plan(
        contributed: str = CONTRIBUTED, base: str = BASE, bench: str = BENCHMARK, **given: str
    ) -> RunPlan:
        return plan_of(
            contributed_data=csv("c.csv", contributed),
            base_data=csv("base.csv", base),
            benchmark_data=csv("bench.csv", bench),
            **given,
        )

    return plan


@pytest.mark.usefixtures("key")
class TestInARun:
    @pytest.mark.parametrize(
        ("action", "learnt"),
        [
            ("hash", f"write {TOKENIZER.token('email', 'bob@example.org')}"),
            ("mask", "write [email]"),
            ("drop", "write "),
            ("report", "write bob@example.org"),
        ],
    )
    def test_it_is_taken_out_of_what_is_trained_on_and_rows_are_compared_as_they_came(
        self, run_of: Callable[..., RunPlan], action: str, learnt: str
    ) -> None:
        plan = run_of(pii=action)
        facts = reference.survey(plan)
        contributed = contribution.integrate(plan, facts)
        (account,) = contributed.contributions
        assert (account.rows_accepted, account.rows_in_benchmark, account.rows_duplicate) == (2, 1, 1)
        frame = contribution.training_frame(plan, facts, contributed)
        assert frame.rows()[4:] == [(learnt, 21, "a"), ("fine", 22, "b")]
        told = contributed.manifest["pii"]
        assert [(f["column"], f["action"], f["cells"]) for f in told["findings"]] == [("note", action, 3)]
        assert told["key_id"] == (TOKENIZER.key_id if action == "hash" else "")
        assert "example.org" not in json.dumps(dict(contributed.manifest)) + str(contributed.warnings)

    def test_hashing_is_the_default_and_the_key_may_not_change_on_the_way(
        self, run_of: Callable[..., RunPlan]
    ) -> None:
        plan = run_of()
        facts = reference.survey(plan)
        contributed = contribution.integrate(plan, facts)
        assert "tokens stand in its place in training" in contributed.warnings[-1]
        assert plan.to_dict()["pii"] == "hash"
        provide_tokenizer(lambda: Tokenizer(b"\x07" * 32))
        with pytest.raises(IntegrityError, match="Give all machines of a run the same key"):
            contribution.training_frame(plan, facts, contributed)

    def test_numbers_that_are_personal_are_missing_and_their_range_is_not_told(
        self, run_of: Callable[..., RunPlan]
    ) -> None:
        cards = "card,x,label\n4111111111111111,1,a\n5500005555555559,2,b\n"
        plan = run_of(
            "card,x,label\n4012888888881881,3,a\n378282246310005,4,b\n",
            cards,
            "card,x,label\n5105105105105100,5,a\n30569309025904,6,b\n",
        )
        facts = reference.survey(plan)
        contributed = contribution.integrate(plan, facts)
        frame = contribution.training_frame(plan, facts, contributed)
        assert frame["card"].dtype == pl.Int64
        assert frame["card"].to_list() == [4111111111111111, 5500005555555559, None, None]
        assert frame["x"].to_list() == [1, 2, 3, 4]
        assert "card" not in contributed.manifest["ranges"]
        assert "4012888888881881" not in json.dumps(dict(contributed.manifest))

    def test_the_label_stays_and_is_told(self, run_of: Callable[..., RunPlan]) -> None:
        data = "x,label\n1,ada@example.org\n2,bob@example.org\n"
        plan = run_of(data.replace("1,", "5,"), data, data.replace("1,", "3,").replace("2,", "4,"))
        facts = reference.survey(plan)
        contributed = contribution.integrate(plan, facts)
        frame = contribution.training_frame(plan, facts, contributed)
        assert frame["label"].to_list()[-1] == "ada@example.org"
        assert [f["action"] for f in contributed.manifest["pii"]["findings"]] == ["report"]


@pytest.mark.usefixtures("key")
def test_without_anything_to_hash_no_key_is_needed(run_of: Callable[..., RunPlan]) -> None:
    provide_tokenizer(None)
    plan = run_of("note,x,label\nfine,21,a\n")
    facts = reference.survey(plan)
    assert contribution.training_frame(plan, facts, contribution.integrate(plan, facts)).height == 5
    personal = run_of()
    with pytest.raises(ConfigurationError, match="there is no key"):
        contribution.integrate(personal, reference.survey(personal))
