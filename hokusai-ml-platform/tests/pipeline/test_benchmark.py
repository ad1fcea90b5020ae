"""The hold-out and the canonical bytes: drawn and written the same everywhere."""

import datetime as dt
import hashlib
import subprocess
import sys

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hokusai.domain.metrics import Task
from hokusai.errors import SchemaError
from hokusai.pipeline.benchmark import frame_bytes, frame_sha256, stratified_holdout
from hokusai.pipeline.data.row_matching import normalised_text, occurs_in

C, R = Task.CLASSIFICATION, Task.REGRESSION


def sample(n: int = 100) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": range(n), "x": [i * 0.5 for i in range(n)], "y": [i % 4 == 0 for i in range(n)]}
    )


class TestHoldout:
    def test_shares_hold_in_each_class_and_order_is_kept(self) -> None:
        rest, held = stratified_holdout(sample(), "y", C, 0.2, seed=1, id_column="id")
        assert held["y"].value_counts().sort("y").rows() == [(False, 15), (True, 5)]
        assert sorted(rest["id"].to_list() + held["id"].to_list()) == list(range(100))
        assert held["id"].is_sorted()
        assert rest["id"].is_sorted()

    def test_the_rows_are_those_that_the_rule_names(self) -> None:
        frame = pl.DataFrame({"x": [10, 11, 12, 13, 14, 15, 16, 17], "y": ["a"] * 8})
        keys = {i: hashlib.sha256(f"hokusai-holdout/v1:7:{i}".encode()).hexdigest() for i in range(8)}
        first_two = sorted(sorted(keys, key=keys.__getitem__)[:2])
        _, held = stratified_holdout(frame, "y", C, 0.25, seed=7)
        assert held["x"].to_list() == [10 + i for i in first_two]

    def test_another_seed_gives_another_draw(self) -> None:
        draws = {tuple(stratified_holdout(sample(), "y", C, seed=s)[1]["id"].to_list()) for s in range(5)}
        assert len(draws) == 5

    def test_a_class_of_two_is_in_both_parts_and_of_one_stays_in_the_rest(self) -> None:
        frame = pl.DataFrame({"x": range(13), "y": ["a"] * 10 + ["b"] * 2 + ["c"]})
        rest, held = stratified_holdout(frame, "y", C, 0.25, seed=3)
        assert sorted(rest["y"].unique()) == ["a", "b", "c"]
        assert sorted(held["y"].unique()) == ["a", "b"]

    def test_equal_rows_stay_together(self) -> None:
        frame = pl.DataFrame(
            {"id": range(60), "x": [i % 20 for i in range(60)], "y": [i % 2 for i in range(60)]}
        )
        rest, held = stratified_holdout(frame, "y", C, 0.3, seed=1, id_column="id")
        assert not set(rest.select("x", "y").rows()) & set(held.select("x", "y").rows())
        assert held.height == 18

    def test_rows_of_equal_content_stay_together_whatever_else_they_hold(self) -> None:
        frame = pl.DataFrame(
            {
                "q": [i // 2 for i in range(400)],
                "note": [f"n{i}" for i in range(400)],
                "label": [(i // 2) % 2 for i in range(400)],
            }
        )
        rest, held = stratified_holdout(frame, "label", C, 0.25, seed=1, content=["q", "label"])
        assert held.height == 100
        assert held.columns == frame.columns
        assert not occurs_in(held, rest, ["q", "label"]).any()

    def test_rows_written_otherwise_stay_together(self) -> None:
        written = ["what is {}", "What  is {} ", "what\u00a0is {}\u200b"]
        frame = pl.DataFrame(
            {
                "q": [written[i % 3].format(i // 3) for i in range(120)],
                "x": [i // 3 + 0.1 + i % 3 * 1e-12 for i in range(120)],
                "y": ["ab"[i // 3 % 2] for i in range(120)],
            }
        )
        rest, held = stratified_holdout(frame, "y", C, 0.25, seed=1)
        assert held.height == 30
        assert not {q.split()[-1].strip("\u200b") for q in held["q"]} & {
            q.split()[-1].strip("\u200b") for q in rest["q"]
        }

    @pytest.mark.parametrize("blank", ["", " ", "\u200b"])
    def test_a_blank_target_is_no_class(self, blank: str) -> None:
        frame = pl.DataFrame({"x": range(40), "y": [blank, "a", "b", "a"] * 10})
        _, held = stratified_holdout(frame, "y", C, 0.5, seed=1)
        assert set(held["y"]) == {"a", "b"}

    def test_rows_without_a_target_are_not_held_out(self) -> None:
        frame = pl.DataFrame({"x": range(40), "y": [None, 1, 2, 1] * 10})
        _, held = stratified_holdout(frame, "y", C, 0.5, seed=1)
        assert held["y"].null_count() == 0

    def test_regression_draws_from_the_whole_range(self) -> None:
        frame = pl.DataFrame({"y": [float(i * i) for i in range(100)] + [None, float("nan")]})
        _, held = stratified_holdout(frame, "y", R, 0.2, seed=1)
        tenths = [round(value**0.5) // 10 for value in held["y"]]
        assert tenths == [i for i in range(10) for _ in range(2)]

    def test_too_little_to_divide(self) -> None:
        with pytest.raises(SchemaError, match="No benchmark can be held out"):
            stratified_holdout(pl.DataFrame({"x": [1, 1], "y": [0, 0]}), "y", C, seed=1)
        with pytest.raises(ValueError, match="between 0 and 1"):
            stratified_holdout(sample(), "y", C, 1.0, seed=1)


@settings(max_examples=40)
@given(
    labels=st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=40), share=st.floats(0.05, 0.95)
)
def test_parts_are_whole_and_every_class_of_two_is_in_both(labels: list[str], share: float) -> None:
    frame = pl.DataFrame({"x": range(len(labels)), "y": labels})
    common = {label for label in labels if labels.count(label) > 1}
    if not common:
        return
    rest, held = stratified_holdout(frame, "y", C, share, seed=5)
    assert sorted(rest["x"].to_list() + held["x"].to_list()) == list(range(len(labels)))
    assert set(held["y"]) == common
    assert common <= set(rest["y"])


cells = st.sampled_from(["a", "A ", "b", "b\u200b", None, ""])


@settings(max_examples=50)
@given(
    rows=st.lists(st.tuples(cells, st.sampled_from([0.0, -0.0, 1.0, 1.0 + 1e-12]), cells), max_size=30),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 9),
)
def test_no_held_out_row_is_also_in_the_rest(
    rows: list[tuple[str | None, float, str | None]], share: float, seed: int
) -> None:
    schema = {"q": pl.String, "x": pl.Float64, "y": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("row")
    try:
        rest, held = stratified_holdout(frame, "y", C, share, seed=seed, content=["q", "x", "y"])
    except SchemaError:
        return
    assert sorted([*rest["row"], *held["row"]]) == list(range(len(rows)))
    assert not occurs_in(held, rest, ["q", "x", "y"]).any()
    assert not normalised_text(held["y"]).null_count()


class TestBytes:
    def test_the_format_to_the_byte(self) -> None:
        frame = pl.DataFrame(
            {
                'a "b"': ["x,y", 'say "hi"', "", None, "é\n"],
                "f": [1.0, -0.0, 1e16, float("nan"), 0.1],
                "i": [1, -2, None, 2**62, 0],
                "b": [True, False, None, True, True],
                "d": [dt.date(2024, 2, 29), None, None, None, None],
                "t": [dt.datetime(2024, 2, 29, 1, 2, 3, 4), None, None, None, None],
            }
        )
        assert frame_bytes(frame).decode() == (
            '"a ""b""","f","i","b","d","t"\n'
            '"x,y",1.0,1,true,2024-02-29,2024-02-29T01:02:03.000004\n'
            '"say ""hi""",0.0,-2,false,,\n'
            '"",1e+16,,,,\n'
            ",,4611686018427387904,true,,\n"
            '"é\n",0.1,0,true,,\n'
        )

    def test_known_digest(self) -> None:
        content = b'"q","x"\n"hi",1.5\n'
        assert frame_sha256(pl.DataFrame({"q": ["hi"], "x": [1.5]})) == hashlib.sha256(content).hexdigest()

    def test_chunks_and_blocks_do_not_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = sample()
        expected = frame_bytes(whole)
        monkeypatch.setattr("hokusai.pipeline.benchmark._BLOCK_ROWS", 7)
        assert frame_bytes(pl.concat([whole[:30], whole[30:]], rechunk=False)) == expected

    def test_no_rows(self) -> None:
        assert frame_bytes(sample().clear()) == b'"id","x","y"\n'


PROGRAM = """
import sys
from hokusai.domain.metrics import Task
from hokusai.pipeline.benchmark import frame_sha256, stratified_holdout
from hokusai.pipeline.dry_run import mock_base_frame, mock_benchmark
from hokusai.pipeline.data.reading import read_table
frame = read_table(sys.argv[1]).frame
base = mock_base_frame(frame, "label", 42)
_, held = stratified_holdout(base, "label", Task.CLASSIFICATION, seed=1)
print(frame_sha256(base), frame_sha256(mock_benchmark(frame, "label", 42)), frame_sha256(held))
"""


def test_two_processes_agree_whatever_their_threads_and_hash_seed(tmp_path) -> None:
    path = tmp_path / "a.csv"
    sample().with_columns(label=pl.col("y").cast(pl.Int8), t=pl.format("text {}", "id")).write_csv(path)
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(path)],
            env={"POLARS_MAX_THREADS": threads, "PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, check=True, text=True,
        ).stdout
        for threads, seed in (("1", "1"), ("3", "2"))
    }  # fmt: skip
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 3
