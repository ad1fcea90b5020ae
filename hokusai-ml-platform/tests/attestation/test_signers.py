"""Keys that a command holds, and keys that were followed by others."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib import dsse, signer

from hokusai.attestation.envelope import Envelope, keyid, sign
from hokusai.attestation.key_history import HISTORY_FILE, earlier_keys, rotate
from hokusai.attestation.keys import (
    KEY_FILE,
    load_default_trust,
    load_signing_key,
    private_pem,
    public_path,
    public_pem,
)
from hokusai.attestation.policy import Policy
from hokusai.attestation.signer_command import CommandSigner, parse_command
from hokusai.attestation.statement import statement_bytes
from hokusai.attestation.verify import verify_attestation
from hokusai.domain.claim import DeltaOneClaim
from hokusai.errors import (
    BackendUnavailableError,
    ConfigurationError,
    HokusaiError,
    IntegrityError,
    NotFoundError,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(b"another key for tests, 32 bytes.")

SIGNER = """
import base64, sys
from cryptography.hazmat.primitives.serialization import load_pem_private_key
key = load_pem_private_key(open(sys.argv[1], "rb").read(), None)
signature = key.sign(sys.stdin.buffer.read())
sys.stdout.buffer.write(signature if sys.argv[2] == "raw" else base64.b64encode(signature) + b"\\n")
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A program that signs what it reads, with its key in a folder whose name a shell would break apart."""
    folder = tmp_path / "a folder; with $(names)"
    folder.mkdir()
    (folder / "sign.py").write_text(SIGNER)
    (folder / "key.pem").write_bytes(private_pem(KEY))
    return [sys.executable, str(folder / "sign.py"), str(folder / "key.pem")]


def script(tmp_path: Path, text: str) -> tuple[str, ...]:
    (tmp_path / "other.py").write_text(text)
    return (sys.executable, str(tmp_path / "other.py"))


class TestCommand:
    @pytest.mark.parametrize("form", ["raw", "base64"])
    def test_signs_what_a_key_of_our_own_would(
        self, claim: DeltaOneClaim, policy: Policy, command: list[str], form: str
    ) -> None:
        held = CommandSigner((*command, form), KEY.public_key())
        envelope = sign(statement_bytes(claim), [held])
        assert envelope == sign(statement_bytes(claim), [KEY])  # Ed25519 is deterministic
        assert verify_attestation(envelope.to_bytes(), policy).ok

    def test_beside_a_key(self, claim: DeltaOneClaim, command: list[str]) -> None:
        held = CommandSigner((*command, "raw"), KEY.public_key())
        both = Policy((KEY.public_key(), OTHER.public_key()), threshold=2)
        envelope = sign(statement_bytes(claim), [OTHER, held])
        assert verify_attestation(envelope.to_bytes(), both).ok

    def test_a_signature_by_another_key_is_not_passed_on(self, command: list[str]) -> None:
        held = CommandSigner((*command, "raw"), OTHER.public_key())
        with pytest.raises(IntegrityError, match="no signature by the key that was named"):
            held.sign(b"message")

    def test_an_answer_that_is_no_signature(self, tmp_path: Path) -> None:
        held = CommandSigner(script(tmp_path, "print('hello')"), KEY.public_key())
        with pytest.raises(IntegrityError, match="answered 6 bytes"):
            held.sign(b"message")

    def test_a_command_that_fails_says_why(self, tmp_path: Path) -> None:
        failing = script(tmp_path, "import sys; sys.exit('the card is locked')")
        with pytest.raises(BackendUnavailableError, match="exit code 1: the card is locked"):
            CommandSigner(failing, KEY.public_key()).sign(b"message")

    def test_a_command_that_takes_too_long_is_ended(self, tmp_path: Path) -> None:
        sleeping = script(tmp_path, "import time; time.sleep(60); open(__file__ + '.woke', 'x')")
        with pytest.raises(BackendUnavailableError, match=r"within 0\.5 seconds"):
            CommandSigner(sleeping, KEY.public_key(), timeout_seconds=0.5).sign(b"message")
        assert not list(tmp_path.glob("*.woke"))

    def test_a_command_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="No such file"):
            CommandSigner((str(tmp_path / "gone"),), KEY.public_key()).sign(b"message")

    def test_nothing_is_given_to_a_shell(self, tmp_path: Path) -> None:
        words = parse_command(f"/bin/echo x > {tmp_path / 'made'}")
        with pytest.raises(IntegrityError):
            CommandSigner(words, KEY.public_key()).sign(b"message")
        assert not (tmp_path / "made").exists()

    @pytest.mark.parametrize("text", ["", "[]", "[1]", '["a"', "'a"])
    def test_a_setting_that_is_no_command(self, text: str) -> None:
        with pytest.raises(ConfigurationError):
            CommandSigner(parse_command(text), KEY.public_key())

    def test_from_the_settings(self, tmp_path: Path, command: list[str]) -> None:
        (tmp_path / "pub.pem").write_bytes(public_pem(KEY.public_key()))
        line = json.dumps([*command, "raw"])
        pem = public_pem(KEY.public_key()).decode()
        for public in (str(tmp_path / "pub.pem"), pem, pem.replace("\n", "\\n")):
            loaded = load_signing_key(None, tmp_path / "home", command=line, command_key=public)
            assert loaded.keyid == keyid(KEY.public_key())
            assert loaded.path is None
            assert "held by the command" in loaded.origin
        assert load_default_trust(None, tmp_path, command=line, command_key=pem) is not None
        assert not (tmp_path / "home").exists()

    def test_needs_its_public_key_and_no_other_key(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="public key is not known"):
            load_signing_key(None, tmp_path, command="/bin/true")
        with pytest.raises(ConfigurationError, match="two keys to sign with"):
            load_signing_key("some.pem", tmp_path, command="/bin/true", command_key="pub.pem")


class TestRotation:
    def test_a_new_key_signs_and_the_old_one_still_verifies(self, tmp_path: Path, claim) -> None:
        old = load_signing_key(None, tmp_path)
        signed_before = sign(statement_bytes(claim), [old.signer]).to_bytes()
        new, earlier = rotate(tmp_path)
        assert new.keyid != old.keyid
        assert load_signing_key(None, tmp_path).keyid == new.keyid
        assert [keyid(key) for key in earlier] == [old.keyid]
        trusted = (new.public, *earlier_keys(tmp_path, new))
        assert verify_attestation(signed_before, Policy(trusted)).ok
        assert not verify_attestation(signed_before, Policy((new.public,))).ok

    def test_again_and_again(self, tmp_path: Path) -> None:
        first = load_signing_key(None, tmp_path)
        second, _ = rotate(tmp_path)
        third, earlier = rotate(tmp_path)
        assert [keyid(key) for key in earlier] == [first.keyid, second.keyid]
        assert [keyid(key) for key in earlier_keys(tmp_path, third)] == [first.keyid, second.keyid]

    def test_the_old_private_half_is_gone_and_the_new_one_is_private(self, tmp_path: Path) -> None:
        before = (load_signing_key(None, tmp_path).path or Path()).read_bytes()
        new, _ = rotate(tmp_path)
        files = [path for path in (tmp_path / "keys").iterdir() if path.is_file()]
        assert not any(before in path.read_bytes() for path in files)
        assert new.path is not None
        assert stat.S_IMODE(new.path.stat().st_mode) == 0o600
        assert public_path(new.path).read_bytes() == public_pem(new.public)
        assert not any(b"PRIVATE" in path.read_bytes() for path in files if path != new.path)

    def test_interrupted_before_the_new_key_was_written(self, tmp_path: Path) -> None:
        old = load_signing_key(None, tmp_path)
        pem = (tmp_path / KEY_FILE).read_bytes()
        rotate(tmp_path)
        (tmp_path / KEY_FILE).write_bytes(pem)  # as if the last writes had not happened
        assert earlier_keys(tmp_path, old) == ()
        after, earlier = rotate(tmp_path)
        assert [keyid(key) for key in earlier] == [old.keyid]
        assert [keyid(key) for key in earlier_keys(tmp_path, after)] == [old.keyid]

    def test_without_a_key(self, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError, match="no key that could be followed"):
            rotate(tmp_path)

    def test_a_history_that_somebody_else_put_there_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "theirs").mkdir()
        load_signing_key(None, tmp_path / "theirs")
        rotate(tmp_path / "theirs")
        mine = load_signing_key(None, tmp_path / "mine")
        assert earlier_keys(tmp_path / "mine", mine) == ()
        foreign = (tmp_path / "theirs" / HISTORY_FILE).read_bytes()
        (tmp_path / "mine" / HISTORY_FILE).write_bytes(foreign)
        with pytest.raises(IntegrityError, match="our own key has not signed it"):
            earlier_keys(tmp_path / "mine", mine)
        with pytest.raises(IntegrityError):
            rotate(tmp_path / "mine")

    def test_a_history_that_was_changed_is_refused(self, tmp_path: Path) -> None:
        load_signing_key(None, tmp_path)
        new, _ = rotate(tmp_path)
        path = tmp_path / HISTORY_FILE
        envelope = Envelope.parse(path.read_bytes())
        theirs = public_pem(OTHER.public_key()).decode().replace("\n", "\\n").encode()
        ours = public_pem(earlier_keys(tmp_path, new)[0]).decode().replace("\n", "\\n").encode()
        changed = envelope.payload.replace(ours, theirs)
        assert changed != envelope.payload
        path.write_bytes(Envelope(changed, envelope.payload_type, envelope.signatures).to_bytes())
        with pytest.raises(IntegrityError, match="signature does not hold"):
            earlier_keys(tmp_path, new)
        for text in (b"", b"[]", b"\xff\xfe"):
            path.write_bytes(text)
            with pytest.raises(HokusaiError):
                earlier_keys(tmp_path, new)

    def test_an_attestation_is_no_history(self, tmp_path: Path) -> None:
        # the same key signs both: what it signed as a statement must not pass for a list of keys
        mine = load_signing_key(None, tmp_path)
        payload = b'{"format":"hokusai-key-history-v1","keys":[]}'
        (tmp_path / HISTORY_FILE).write_bytes(sign(payload, [mine.signer]).to_bytes())
        with pytest.raises(IntegrityError):
            earlier_keys(tmp_path, mine)


def test_securesystemslib_holds_what_a_command_signed(claim: DeltaOneClaim, command: list[str]) -> None:
    envelope = sign(statement_bytes(claim), [CommandSigner((*command, "base64"), KEY.public_key()), OTHER])
    keys = []
    for private in (KEY, OTHER):
        public = private.public_key()
        keys.append(
            signer.SSlibKey(keyid(public), "ed25519", "ed25519", {"public": public.public_bytes_raw().hex()})
        )
    theirs = dsse.Envelope(
        envelope.payload,
        envelope.payload_type,
        {s.keyid: signer.Signature(s.keyid, s.sig.hex()) for s in envelope.signatures},
    )
    assert len(theirs.verify(keys, 2)) == 2


def test_a_command_that_never_stops_talking_is_ended(key: Ed25519PrivateKey) -> None:
    for channel in ("stdout", "stderr"):
        endless = f"import sys\nwhile True: sys.{channel}.write('a' * 65536)"
        signer = CommandSigner((sys.executable, "-c", endless), key.public_key(), timeout_seconds=3)
        with pytest.raises((IntegrityError, BackendUnavailableError), match=r"far more|did not answer"):
            signer.sign(b"anything")
