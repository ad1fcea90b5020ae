"""`hokusai attest`, as somebody types it."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hokusai.attestation.envelope import Envelope, keyid, sign
from hokusai.attestation.keys import load_public_key, private_pem, public_pem
from hokusai.attestation.reader import read_statement
from hokusai.attestation.statement import statement_bytes
from hokusai.cli import main
from hokusai.cli.attest import attest
from hokusai.domain.canonical import parse_json

DATA = Path(__file__).parents[1] / "attestation" / "data"
FILE, KEY = str(DATA / "delta-one-v1.json"), str(DATA / "delta-one-v1.pub.pem")
TEST_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, and no .env file of somebody else's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOKUSAI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOKUSAI_SIGNING_KEY", raising=False)
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(attest, arguments)


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and what the whole command says on the error stream."""
    with pytest.raises(SystemExit) as ended:
        main(["attest", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


def _own_key(home: Path) -> Path:
    """The test key as the own key of `home`."""
    path = home / "keys" / "attestation-ed25519.pem"
    path.parent.mkdir(parents=True)
    path.write_bytes(private_pem(TEST_KEY))
    path.chmod(0o600)
    return path


def _dry_run(tmp_path: Path) -> str:
    payload = Envelope.parse(Path(FILE).read_bytes()).payload
    claim = read_statement(parse_json(payload))
    object.__setattr__(claim, "dry_run", True)
    path = tmp_path / "dry.json"
    path.write_bytes(sign(statement_bytes(claim), [TEST_KEY]).to_bytes())
    return str(path)


class TestVerify:
    def test_says_what_was_checked_and_what_was_not(self) -> None:
        result = run("verify", FILE, "--key", KEY)
        assert result.exit_code == 0
        assert "✓" in result.output
        for text in ("McNemar", "0.165372", "Not checked here", "auroc", "VERIFIED"):
            assert text in result.output

    def test_a_changed_file_is_refused(self, tmp_path: Path) -> None:
        changed = json.loads(Path(FILE).read_text())
        payload = base64.b64decode(changed["payload"]).replace(b'"26443"', b'"96443"')
        changed["payload"] = base64.b64encode(payload).decode()
        (tmp_path / "changed.json").write_text(json.dumps(changed))
        result = run("verify", str(tmp_path / "changed.json"), "--key", KEY)
        assert result.exit_code == 1
        assert "REFUSED" in result.output
        assert "changed after signing" in " ".join(result.output.split())

    def test_a_dry_run_is_no_evidence(self, tmp_path: Path) -> None:
        path = _dry_run(tmp_path)
        result = run("verify", path, "--key", KEY)
        assert result.exit_code == 3
        assert "NOT EVIDENCE" in result.output
        allowed = run("verify", path, "--key", KEY, "--allow-dry-run")
        assert allowed.exit_code == 0
        assert "NOT EVIDENCE" in allowed.output
        assert "VERIFIED" not in allowed.output

    def test_the_exit_code_reaches_the_shell(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert error_of(capsys, "verify", _dry_run(tmp_path), "--key", KEY)[0] == 3
        assert error_of(capsys, "verify", FILE, "--key", KEY)[0] == 0

    def test_as_json(self) -> None:
        report = json.loads(run("verify", FILE, "--key", KEY, "--json").output)
        assert report["verdict"] == "verified"
        assert report["signedBy"] == [keyid(load_public_key(Path(KEY)))]
        assert len(report["checks"]) == 23

    def test_trusts_our_own_key_if_none_is_named_and_says_which(self, home: Path) -> None:
        private = _own_key(home)
        result = run("verify", FILE)
        assert result.exit_code == 0
        assert f"Trusted key: {private} (your own key)" in result.output
        said = json.loads(run("verify", FILE, "--json").output)["trusts"]
        assert said == [{"keyid": keyid(TEST_KEY.public_key()), "from": f"{private} (your own key)"}]
        assert f"Trusted key: {KEY}\n" in run("verify", FILE, "--key", KEY).output

    def test_a_key_that_came_with_the_folder_is_not_trusted(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (home / "keys").mkdir(parents=True)
        (home / "keys" / "attestation-ed25519.pub.pem").write_bytes(Path(KEY).read_bytes())
        code, text = error_of(capsys, "verify", FILE)
        assert code == 1
        assert "no key to trust" in text
        assert "A public half alone" in text

    def test_an_env_file_that_came_with_the_folder_is_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("HOKUSAI_HOME")
        private = _own_key(tmp_path / "theirs")
        for setting in (f"HOKUSAI_HOME={tmp_path / 'theirs'}", f"HOKUSAI_SIGNING_KEY={private}"):
            (tmp_path / ".env").write_text(f"{setting}\n")
            code, text = error_of(capsys, "verify", FILE)
            assert code == 1
            assert "no key to trust" in text
            assert "theirs" not in run("key").output
            shutil.rmtree(tmp_path / ".hokusai")

    def test_trusts_the_configured_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOKUSAI_SIGNING_KEY", private_pem(TEST_KEY).decode())
        assert run("verify", FILE).exit_code == 0

    def test_another_key_does_not_count(self, tmp_path: Path) -> None:
        (tmp_path / "other.pem").write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
        result = run("verify", FILE, "--key", str(tmp_path / "other.pem"))
        assert result.exit_code == 1
        assert "is not trusted" in " ".join(result.output.split())

    def test_weights_and_primary_metric_as_agreed(self) -> None:
        assert (
            run("verify", FILE, "--key", KEY, "--weights", '{"f1_score": 2, "accuracy": 2.0}').exit_code == 0
        )
        assert run("verify", FILE, "--key", KEY, "--weights", '{"f1": 1}').exit_code == 1
        assert run("verify", FILE, "--key", KEY, "--primary", "accuracy").exit_code == 0
        assert run("verify", FILE, "--key", KEY, "--primary", "recall").exit_code == 1

    def test_a_file_that_is_no_subject_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "model.bin").write_bytes(b"another model")
        result = run("verify", FILE, "--key", KEY, "--files", str(tmp_path / "model.bin"))
        assert result.exit_code == 1
        assert "none of the files" in " ".join(result.output.split())

    def test_two_signers(self, tmp_path: Path) -> None:
        second = Ed25519PrivateKey.generate()
        (tmp_path / "second.pem").write_bytes(public_pem(second.public_key()))
        both = Envelope.parse(Path(FILE).read_bytes()).signed_by(second)
        (tmp_path / "both.json").write_bytes(both.to_bytes())
        keys = ("--key", KEY, "--key", str(tmp_path / "second.pem"), "--threshold", "2")
        assert run("verify", str(tmp_path / "both.json"), *keys).exit_code == 0
        assert run("verify", FILE, *keys).exit_code == 1


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["verify", FILE], r"no key to trust"),
            (["verify", "gone.json", "--key", KEY], "no such file (gone.json)"),
            (["verify", ".", "--key", KEY], "cannot be read: Is a directory (.)"),
            (["verify", FILE, "--key", FILE], "Not an Ed25519 public key"),
            (
                ["verify", FILE, "--key", KEY, "--threshold", "2"],
                "Cannot ask for 2 signatures of 1 trusted keys",
            ),
            (["verify", FILE, "--key", KEY, "--files", "gone.bin"], "no such file (gone.bin)"),
            (["verify", FILE, "--key", KEY, "--weights", "f1=1"], "not JSON"),
            (["verify", FILE, "--key", KEY, "--weights", "[1]"], "not an object"),
            (["verify", FILE, "--key", KEY, "--weights", "{}"], "not an object"),
            (["verify", FILE, "--key", KEY, "--weights", '{"f1": "1"}'], "not a number"),
            (["verify", FILE, "--key", KEY, "--weights", '{"f1": true}'], "not a number"),
            (["verify", FILE, "--key", KEY, "--weights", '{"f1": -1}'], "negative"),
            (["verify", FILE, "--key", KEY, "--primary", "acuracy"], "Did you mean 'accuracy'?"),
            (["show", KEY], "Not an attestation"),
        ],
    )
    def test_one_clear_line(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
    ) -> None:
        code, text = error_of(capsys, *arguments)
        assert code == 1
        assert said in text
        assert text.count("\n") == 1
        assert "Traceback" not in text

    @pytest.mark.parametrize(
        "arguments",
        [["verify", "pipe", "--key", KEY], ["verify", FILE, "--key", "pipe"], ["show", "pipe"]]
        + [["verify", FILE, "--key", KEY, "--files", name] for name in ("pipe", "/dev/zero")],
    )
    def test_a_pipe_or_a_device_is_not_waited_for(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]
    ) -> None:
        os.mkfifo(tmp_path / "pipe")
        code, text = error_of(capsys, *arguments)
        assert code == 1
        assert "it is a pipe, a socket or a device" in text

    def test_no_key_to_trust_says_how_to_name_one(
        self, capsys: pytest.CaptureFixture[str], home: Path
    ) -> None:
        _, text = error_of(capsys, "verify", FILE)
        assert "--key PUB.pem" in text
        assert not home.exists()


class TestHostileText:
    def test_a_signed_name_cannot_rewrite_the_screen(self, tmp_path: Path) -> None:
        payload = Envelope.parse(Path(FILE).read_bytes()).payload
        statement = parse_json(payload)
        statement["predicate"]["contributions"][1]["contributor"] = "\x1b[2J[bold]bob[/bold]"
        from hokusai.domain.canonical import canonical_json

        path = tmp_path / "odd.json"
        path.write_bytes(sign(canonical_json(statement), [TEST_KEY]).to_bytes())
        output = run("verify", str(path), "--key", KEY).output
        assert "\x1b[2J" not in output
        assert "[bold]bob[/bold]" in output


class TestShow:
    def test_prints_the_statement(self) -> None:
        statement = json.loads(run("show", FILE, "--json").output)
        assert statement["predicate"]["deltaOne"]["score"] == {"num": "26443", "den": "159900"}

    def test_a_payload_that_is_no_json(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "x.json").write_bytes(sign(b"not json", [TEST_KEY]).to_bytes())
        code, text = error_of(capsys, "show", "x.json")
        assert code == 1
        assert "not a statement" in text


class TestKey:
    def test_makes_a_key_and_says_so_once(self, home: Path) -> None:
        first, second = run("key"), run("key")
        assert "A new signing key was made" in first.output
        assert "A new signing key was made" not in second.output
        path = home / "keys" / "attestation-ed25519.pem"
        assert f"Private key: {path}" in second.output
        public = load_public_key(path.with_suffix(".pub.pem"))
        assert keyid(public) in second.output
        assert public_pem(public).decode() in second.output
        assert "PRIVATE KEY" not in second.output

    def test_that_is_configured(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        monkeypatch.setenv("HOKUSAI_SIGNING_KEY", private_pem(TEST_KEY).decode())
        output = run("key").output
        assert "in HOKUSAI_SIGNING_KEY" in output
        assert Path(KEY).read_text() in output
        assert not home.exists()
