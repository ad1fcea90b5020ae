"""The policy: what goes before what, and words that are not known."""

from __future__ import annotations

import pickle

import pytest

from hokusai.errors import ConfigurationError
from hokusai.privacy.kinds import PiiKind
from hokusai.privacy.policy import PiiAction, PiiPolicy

YAML = """
default: mask
by_kind:
  email: hash
by_column:
  notes: {phone: drop}
  contact: report
allow: [wallet_address, support_email]
kinds: [email, phone]
regions: [NO, SE]
scan_free_text: false
"""


class TestActions:
    def test_everything_is_hashed_by_default_but_the_contributors_wallet(self) -> None:
        policy = PiiPolicy()
        assert {policy.action("q", kind) for kind in PiiKind} == {PiiAction.HASH}
        assert policy.allow == ("wallet_address",)

    @pytest.mark.parametrize(
        ("column", "kind", "action"),
        [
            ("notes", "phone", "drop"),
            ("notes", "email", "hash"),
            ("notes", "ip", "mask"),
            ("contact", "email", "report"),
            ("contact", "ip", "report"),
            ("other", "email", "hash"),
            ("other", "phone", "mask"),
            ("other", "personal", "mask"),
            ("contact.office.mail", "email", "report"),
            ("contacts.mail", "phone", "mask"),
        ],
    )
    def test_a_column_goes_before_a_kind_and_a_kind_before_the_default(
        self, column: str, kind: str, action: str
    ) -> None:
        assert PiiPolicy.from_yaml(YAML).action(column, kind) == action

    @pytest.mark.parametrize(
        ("policy", "hashes"),
        [
            ({}, True),
            ({"default": "mask"}, False),
            ({"default": "mask", "by_kind": {"ip": "hash"}}, True),
            ({"default": "mask", "by_column": {"a": "hash"}}, True),
            ({"default": "mask", "by_column": {"a": {"ip": "hash", "card": "drop"}}}, True),
            ({"default": "keep", "by_column": {"a": {"ip": "report"}}}, False),
        ],
    )
    def test_a_key_is_needed_if_anything_may_be_hashed(self, policy: dict[str, object], hashes: bool) -> None:
        assert PiiPolicy.parse(policy).hashes is hashes


class TestReading:
    def test_yaml_gives_what_it_says(self) -> None:
        assert PiiPolicy.from_yaml(YAML) == PiiPolicy(
            default=PiiAction.MASK,
            by_kind={PiiKind.EMAIL: PiiAction.HASH},
            by_column={"notes": {PiiKind.PHONE: PiiAction.DROP}, "contact": PiiAction.REPORT},
            allow=("wallet_address", "support_email"),
            kinds=(PiiKind.EMAIL, PiiKind.PHONE),
            regions=("NO", "SE"),  # YAML 1.1 reads the first as false
            scan_free_text=False,
        )

    @pytest.mark.parametrize("text", ["", "# nothing\n", "by_kind:\n"])
    def test_nothing_said_is_the_default(self, text: str) -> None:
        assert PiiPolicy.from_yaml(text) == PiiPolicy()

    def test_a_policy_survives_the_way_to_plain_data_and_to_another_process(self) -> None:
        policy = PiiPolicy.from_yaml(YAML)
        assert PiiPolicy.parse(policy.to_dict()) == policy
        assert pickle.loads(pickle.dumps(policy)) == policy

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("defualt: mask", r"no field 'defualt'.*policy\.yaml.*Did you mean 'default'\?"),
            ("default: hsah", r"'hsah' is no action \(policy\.yaml, default\)\. Did you mean 'hash'\?"),
            (
                "by_kind: {emial: mask}",
                r"'emial' is no kind of personal data.*by_kind.*Did you mean 'email'\?",
            ),
            ("by_kind: {email: Mask}", r"'Mask' is no action.*Did you mean 'mask'\?"),
            ("by_column: {notes: {email: no}}", r"'no' is no action.*by_column, notes.*hash, mask, drop"),
            ("kinds: [e-mail]", r"'e-mail' is no kind.*Did you mean 'email'\?"),
            ("kinds: email", r"A list was expected, not 'email'"),
            ("regions: [Germany]", r"'Germany' is no country.*ISO 3166"),
            ("allow: {a: b}", r"A list was expected"),
            ("by_kind: [email]", r"A mapping was expected, not list"),
            ("scan_free_text: maybe", r"'maybe' is neither true nor false"),
            ("personal: [wallet_address]", r"'wallet_address' is allowed and personal at once"),
            ("default: mask\ndefault: drop", r"'default' is given twice"),
            ("- mask", r"not a mapping.*policy\.yaml"),
            ("a: [", r"not YAML: [^\n]*, in line 1, column 5"),
            ("a: !!python/object/apply:os.getcwd []", r"no field 'a'"),
        ],
    )
    def test_what_is_not_known_is_an_error_that_says_what_may_be_meant(self, text: str, error: str) -> None:
        with pytest.raises(ConfigurationError, match=error):
            PiiPolicy.from_yaml(text, where="policy.yaml")
