"""The dry run: the same inputs give the same bytes, and the contributed file is really read."""

import json

import pytest

from tests.integration.pipeline_process import QUERIES, dry_run


@pytest.fixture(scope="module")
def again(dry, tmp_path_factory):
    """The same run once more, in another folder, signed with the same key. The other engine: see the coalitions."""
    key = (dry.home / "keys" / "attestation-ed25519.pem").read_text()
    folder = tmp_path_factory.mktemp("again")
    return dry_run(folder, HOKUSAI_SIGNING_KEY=key)


class TestDeterminism:
    def test_the_same_inputs_give_the_same_bytes(self, dry, again):
        assert again.rc == 0, again.said
        assert again.run_id != dry.run_id
        assert again.content == dry.content
        assert again.statement == dry.statement

    def test_the_runs_know_who_they_are(self, dry):
        output = dry.delta_output
        assert output["pipeline_metadata"]["run_id"] == dry.run_id
        assert output["evaluation_metadata"]["pipeline_run_id"] == dry.run_id
        assert output["pipeline_metadata"]["dry_run"] is True
        assert dry.predicate["dryRun"] is True

    def test_a_signature_of_the_same_key_is_the_same(self, dry, again):
        assert again.rc == 0, again.said
        assert again.output("attestation").read_bytes() == dry.output("attestation").read_bytes()

    def test_another_seed_gives_another_result(self, dry, tmp_path):
        other = dry_run(tmp_path, "--seed=7")
        assert other.rc == 0, other.said
        assert other.content != dry.content
        assert other.statement != dry.statement
        metrics = other.delta_output["new_model"]["metrics"]
        assert metrics != dry.delta_output["new_model"]["metrics"]


class TestTheContributedFile:
    def test_is_read_to_its_last_value(self, dry, tmp_path):
        text = QUERIES.read_text()
        changed = tmp_path / QUERIES.name
        head, _, last = text.rstrip("\n").rpartition(",")
        changed.write_text(f"{head},{1 - int(last)}\n")
        other = dry_run(tmp_path, data=changed)
        assert other.rc == 0, other.said
        assert other.statement != dry.statement
        hashes = {run.delta_output["contributor_attribution"]["data_hash"] for run in (dry, other)}
        assert len(hashes) == 2

    def test_is_counted(self, dry):
        attribution = dry.delta_output["contributor_attribution"]
        assert attribution["contributed_samples"] == len(QUERIES.read_text().splitlines()) - 1 == 100
        assert (
            attribution["total_samples"]
            == 100 + dry.delta_output["new_model"]["training_metadata"]["base_samples"]
        )


def test_the_statement_says_what_the_json_says(dry):
    """What is signed and what is read are one result."""
    text = json.dumps(dry.predicate)
    assert dry.delta_output["contributor_attribution"]["data_hash"] in dry.statement.decode()
    assert dry.delta_output["new_model"]["training_metadata"]["model_sha256"] in dry.statement.decode()
    assert "run_id" not in text
