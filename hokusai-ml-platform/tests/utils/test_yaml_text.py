"""YAML that means what it looks like, and cannot blow up."""

from __future__ import annotations

import pytest

from hokusai.errors import ConfigurationError
from hokusai.utils.yaml_text import parse_yaml


def test_scalars_are_those_of_json_and_all_else_is_text() -> None:
    text = b"a: 0x52\nb: 007\nc: yes\nd: 1e-3\ne: 2024-02-29\nf: 12\ng: true\nh: ~\ni: 1_000\n"
    assert parse_yaml(text, "file") == {
        "a": "0x52", "b": "007", "c": "yes", "d": 0.001, "e": "2024-02-29", "f": 12, "g": True, "h": None,
        "i": "1_000",
    }  # fmt: skip


def test_references_are_refused_before_they_unfold() -> None:
    levels = "\n".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 10))
    bomb = f"l0: &l0 [lol]\n{levels}\n"
    with pytest.raises(
        ConfigurationError, match=r"The schema is not YAML: a reference .* to a list or a mapping is not read"
    ):
        parse_yaml(bomb.encode(), "schema")


def test_a_reference_to_a_scalar_is_that_scalar() -> None:
    assert parse_yaml(b"a: &who ann\nb: *who", "file") == {"a": "ann", "b": "ann"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: 1\na: 2", "'a' is given twice"),
        (b"- a", "not a mapping"),
        (b"a: !!python/object/apply:os.system [ls]", "not YAML"),
        (b"\xff", "not YAML"),
    ],
)
def test_what_has_no_one_meaning_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parse_yaml(text, "file")


def test_an_empty_text_is_an_empty_mapping() -> None:
    assert parse_yaml(b"# nothing\n", "file") == {}
