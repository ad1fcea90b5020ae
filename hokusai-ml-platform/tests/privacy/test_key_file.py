"""The key for personal data: configured or made once, readable by its owner alone, never shown."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from hokusai import wiring
from hokusai.errors import ConfigurationError, InvalidInputError
from hokusai.privacy.key_file import KEY_FILE, load_pii_key
from hokusai.privacy.tokens import Tokenizer
from hokusai.utils.config import Settings

KEY = bytes(range(32))
KEY_ID = "mlq7bkdb"  # by OpenSSL, see test_tokens.py


class TestMadeOnFirstUse:
    def test_is_made_once_and_kept(self, tmp_path: Path) -> None:
        first = load_pii_key(None, tmp_path / "home")
        second = load_pii_key("  ", tmp_path / "home")
        assert (first.generated, second.generated) == (True, False)
        assert first.path == second.path == tmp_path / "home" / "keys" / "pii.key"
        assert first.tokenizer.token("email", "a@b.co") == second.tokenizer.token("email", "a@b.co")

    def test_has_32_random_bytes_that_only_the_owner_reads(self, tmp_path: Path) -> None:
        for home in ("one", "two"):
            load_pii_key(None, tmp_path / home)
        files = [tmp_path / home / KEY_FILE for home in ("one", "two")]
        assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
        assert files[0].parent.stat().st_mode & 0o777 == 0o700
        keys = [bytes.fromhex(file.read_text()) for file in files]
        assert [len(key) for key in keys] == [32, 32]
        assert keys[0] != keys[1]

    def test_leaves_nothing_else(self, tmp_path: Path) -> None:
        load_pii_key(None, tmp_path)
        assert [path.name for path in (tmp_path / "keys").iterdir()] == ["pii.key"]

    def test_processes_at_once_end_with_one_key(self, tmp_path: Path) -> None:
        program = (
            "import sys, pathlib\n"
            "from hokusai.privacy.key_file import load_pii_key\n"
            "sys.stdin.read()\n"  # until all are ready
            "key = load_pii_key(None, pathlib.Path(sys.argv[1]))\n"
            "print(key.tokenizer.key_id, key.generated)\n"
        )
        running = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(tmp_path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for process in running:
            assert process.stdin is not None
            process.stdin.close()
            process.stdin = None
        said = [process.communicate(timeout=120)[0].split() for process in running]
        assert len({key_id for key_id, _ in said}) == 1
        assert sorted(generated for _, generated in said) == ["False"] * 3 + ["True"]
        assert [path.name for path in (tmp_path / "keys").iterdir()] == ["pii.key"]

    def test_a_home_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "home").write_text("a file")
        with pytest.raises(InvalidInputError, match=r"cannot be made.*HOKUSAI_HOME.*HOKUSAI_PII_KEY"):
            load_pii_key(None, tmp_path / "home")

    def test_a_damaged_one_is_not_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / KEY_FILE
        path.parent.mkdir()
        path.touch(mode=0o600)
        with pytest.raises(ConfigurationError, match=r"neither hexadecimal nor base 64.*pii\.key"):
            load_pii_key(None, tmp_path)
        assert path.read_bytes() == b""


class TestConfigured:
    @pytest.mark.parametrize("text", [KEY.hex(), KEY.hex().upper(), f" {base64.b64encode(KEY).decode()}\n"])
    def test_as_text(self, text: str, tmp_path: Path) -> None:
        key = load_pii_key(text, tmp_path)
        assert (key.tokenizer.key_id, key.path, key.generated) == (KEY_ID, None, False)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("text", [KEY.hex() + "\n", base64.b64encode(KEY).decode()])
    def test_as_a_file(self, text: str, tmp_path: Path) -> None:
        path = tmp_path / "secret"
        path.write_text(text)
        path.chmod(0o600)
        assert load_pii_key(str(path), tmp_path / "home").tokenizer.key_id == KEY_ID

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
    def test_refuses_a_file_that_others_can_use(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "secret"
        path.write_text(KEY.hex())
        path.chmod(mode)
        with pytest.raises(
            ConfigurationError, match=rf"others than its owner \(mode {mode:04o}\).*chmod 600"
        ):
            load_pii_key(str(path), tmp_path)

    def test_a_short_one_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="has 8 bytes; it needs at least 16"):
            load_pii_key("00" * 8, tmp_path)

    @pytest.mark.parametrize(
        "text",
        [KEY.hex()[:-1], "correct horse battery staple", "/run/secrets/absent/pii/key/file", "x" * 5000],
    )
    def test_what_is_no_key_is_not_shown_since_it_may_be_nearly_one(self, text: str, tmp_path: Path) -> None:
        with pytest.raises(
            ConfigurationError,
            match=r"given as the key .* is none: it is neither.*HOKUSAI_PII_KEY.*openssl rand",
        ) as refused:
            load_pii_key(text, tmp_path)
        assert text not in str(refused.value)


class TestWiring:
    def test_the_setting_gives_the_tokenizer_and_is_not_shown(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path, pii_key=KEY.hex())
        assert wiring.pii_tokenizer(settings).key_id == KEY_ID
        assert KEY.hex() not in repr(settings)

    def test_a_key_that_is_made_is_said_once(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        settings = Settings(home=tmp_path)
        made = wiring.pii_tokenizer(settings)
        assert wiring.pii_tokenizer(settings).key_id == made.key_id
        (told,) = [record.getMessage() for record in caplog.records]
        assert "A key for personal data was made" in told
        assert str(tmp_path / KEY_FILE) in told
        assert (tmp_path / KEY_FILE).read_text().strip() not in told

    def test_the_seed_has_no_part_in_the_key(self, tmp_path: Path) -> None:
        ids = {wiring.pii_tokenizer(Settings(home=tmp_path / name, random_seed=42)).key_id for name in "ab"}
        assert len(ids) == 2
        assert isinstance(wiring.pii_tokenizer(Settings(home=tmp_path / "a")), Tokenizer)
