"""Settings: what the environment and a .env file become, and what is said of values that will not do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from hokusai.errors import ConfigurationError
from hokusai.utils.config import Settings

SPECIFIED = {
    "MLFLOW_TRACKING_URI": ("tracking_uri", "http://mlflow-server:5000", "http://mlflow-server:5000"),
    "MLFLOW_EXPERIMENT_NAME": ("experiment_name", "test-experiment", "test-experiment"),
    "MLFLOW_ARTIFACT_ROOT": ("artifact_root", "s3://my-bucket/artifacts", "s3://my-bucket/artifacts"),
    "HOKUSAI_HOME": ("home", "/srv/hokusai", Path("/srv/hokusai")),
    "HOKUSAI_TEST_MODE": ("test_mode", "true", True),
    "PIPELINE_LOG_LEVEL": ("log_level", "debug", "DEBUG"),
    "RANDOM_SEED": ("random_seed", "7", 7),
    "API_HOST": ("api_host", "0.0.0.0", "0.0.0.0"),
    "API_PORT": ("api_port", "8002", 8002),
    "POSTGRES_URI": ("postgres_uri", "postgresql://u:p@h/d", "postgresql://u:p@h/d"),
    "HOKUSAI_DATABASE_URL": ("hokusai_database_url", "sqlite:////srv/l.db", "sqlite:////srv/l.db"),
    "REDIS_HOST": ("redis_host", "redis", "redis"),
    "REDIS_PORT": ("redis_port", "6380", 6380),
    "RATE_LIMIT_REQUESTS": ("rate_limit_requests", "10", 10),
    "RATE_LIMIT_PERIOD": ("rate_limit_period_seconds", "5", 5),
}
SECRETS = {
    "SECRET_KEY": "secret_key",
    "HOKUSAI_SIGNING_KEY": "signing_key",
    "HOKUSAI_PII_KEY": "pii_key",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine that runs the tests, and a folder without a .env file."""
    for name in list(os.environ):
        if name in SPECIFIED or name in SECRETS or name.upper().startswith("HOKUSAI_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


class TestDefaults:
    def test_need_no_server(self, tmp_path: Path) -> None:
        settings = Settings.load()
        assert settings.mlflow_uri == f"sqlite:///{tmp_path}/.hokusai/mlflow.db"
        assert settings.artifact_location == f"{tmp_path}/.hokusai/artifacts"
        assert settings.database_url == f"sqlite:///{tmp_path}/.hokusai/hokusai.db"
        assert settings.redis_host is None

    def test_are_those_of_the_specification(self) -> None:
        settings = Settings.load()
        assert settings.experiment_name == "hokusai-pipeline"
        assert (settings.random_seed, settings.api_host, settings.api_port) == (42, "127.0.0.1", 8001)
        assert (settings.redis_port, settings.rate_limit_requests) == (6379, 100)
        assert (settings.rate_limit_period_seconds, settings.test_mode) == (60, False)

    def test_hold_no_secret(self) -> None:
        settings = Settings.load()
        assert settings.secret_key is None
        assert settings.signing_key is None
        assert settings.pii_key is None

    def test_make_no_folder(self, tmp_path: Path) -> None:
        Settings.load()
        assert list(tmp_path.iterdir()) == []


class TestLoad:
    @pytest.mark.parametrize("variable", SPECIFIED)
    def test_reads_each_variable(self, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
        field, text, value = SPECIFIED[variable]
        monkeypatch.setenv(variable, text)
        assert getattr(Settings.load(), field) == value

    @pytest.mark.parametrize("variable", SPECIFIED)
    def test_reads_each_variable_from_a_file(self, variable: str, tmp_path: Path) -> None:
        field, text, value = SPECIFIED[variable]
        (tmp_path / ".env").write_text(f"# comment\n{variable}={text}\n")
        assert getattr(Settings.load(), field) == value

    @pytest.mark.parametrize("variable", SECRETS)
    def test_keeps_secrets_out_of_sight(self, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(variable, "hunter2")
        settings = Settings.load()
        assert getattr(settings, SECRETS[variable]).get_secret_value() == "hunter2"
        assert "hunter2" not in f"{settings} {settings!r}"

    def test_prefers_what_is_given_to_the_environment_and_that_to_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".env").write_text("RANDOM_SEED=1\nAPI_PORT=1\nREDIS_PORT=1\n")
        monkeypatch.setenv("RANDOM_SEED", "2")
        monkeypatch.setenv("API_PORT", "2")
        settings = Settings.load(random_seed=3)
        assert (settings.random_seed, settings.api_port, settings.redis_port) == (3, 2, 1)

    def test_takes_an_empty_variable_for_unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REDIS_HOST", "")
        monkeypatch.setenv("API_PORT", " ")
        settings = Settings.load()
        assert (settings.redis_host, settings.api_port) == (None, 8001)

    def test_is_not_misled_by_variables_that_are_called_like_a_field(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("HOME", "/root")
        monkeypatch.setenv("LOG_LEVEL", "nonsense")
        settings = Settings.load()
        assert settings.home == tmp_path / ".hokusai"
        assert settings.log_level == "INFO"

    def test_sees_a_change_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = Settings.load()
        monkeypatch.setenv("RANDOM_SEED", "43")
        assert (before.random_seed, Settings.load().random_seed) == (42, 43)

    def test_makes_a_relative_home_absolute(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOKUSAI_HOME", "state")
        assert Settings.load().home == tmp_path / "state"

    @pytest.mark.parametrize("word", ["true", "TRUE", "1", "yes", "on", "y", "t"])
    def test_knows_the_words_for_yes(self, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOKUSAI_TEST_MODE", word)
        assert Settings.load().test_mode is True

    @pytest.mark.parametrize("word", ["false", "False", "0", "no", "off", "n", "f"])
    def test_knows_the_words_for_no(self, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOKUSAI_TEST_MODE", word)
        assert Settings.load().test_mode is False

    def test_reads_the_specification_s_own_file(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text(
            "# API Configuration\nAPI_HOST=0.0.0.0\nAPI_PORT=8001\nSECRET_KEY=your-secret-key-here\n\n"
            "MLFLOW_TRACKING_URI=http://mlflow-server:5000\n"
            "POSTGRES_URI=postgresql://mlflow:mlflow_password@postgres/mlflow_db\n"
            "REDIS_HOST=redis\nREDIS_PORT=6379\nRATE_LIMIT_REQUESTS=100\nRATE_LIMIT_PERIOD=60\nOTHER=1\n"
        )
        settings = Settings.load()
        assert settings.mlflow_uri == "http://mlflow-server:5000"
        assert settings.database_url == "postgresql://mlflow:mlflow_password@postgres/mlflow_db"
        assert settings.redis_host == "redis"
        assert "mlflow_password" not in repr(settings)


class TestBadValues:
    @pytest.mark.parametrize(
        ("variable", "text", "expected"),
        [
            ("API_PORT", "eighty", "a port number"),
            ("API_PORT", "65536", "a port number"),
            ("REDIS_PORT", "0", "a port number from 1"),
            ("RANDOM_SEED", "-1", "a whole number from 0"),
            ("RANDOM_SEED", "4294967296", "a whole number from 0"),
            ("RANDOM_SEED", "1.5", "a whole number from 0"),
            ("HOKUSAI_TEST_MODE", "maybe", "true or false"),
            ("PIPELINE_LOG_LEVEL", "loud", "DEBUG, INFO"),
            ("RATE_LIMIT_REQUESTS", "0", "at least 1"),
            ("POSTGRES_URI", "postgres", "postgresql://"),
            ("MLFLOW_EXPERIMENT_NAME", "x" * 501, "1 to 500 characters"),
        ],
    )
    def test_are_told_with_name_value_and_expectation(
        self, variable: str, text: str, expected: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, text)
        with pytest.raises(ConfigurationError) as caught:
            Settings.load()
        assert f"{variable} is {text!r}, expected " in str(caught.value)
        assert expected in str(caught.value)
        assert f"Correct or unset {variable}" in caught.value.hint

    def test_are_told_all_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("API_PORT", "x")
        monkeypatch.setenv("RANDOM_SEED", "y")
        with pytest.raises(ConfigurationError, match=r"RANDOM_SEED is 'y'.*API_PORT is 'x'"):
            Settings.load()

    @pytest.mark.parametrize("uri", ["mlflow:hunter2@postgres/db", "://mlflow:hunter2@postgres/db"])
    def test_do_not_show_a_password(self, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POSTGRES_URI", uri)
        with pytest.raises(ConfigurationError, match="a value that is not shown") as caught:
            Settings.load()
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None

    def test_may_come_from_the_caller_too(self) -> None:
        with pytest.raises(ConfigurationError, match="API_PORT is -1"):
            Settings.load(api_port=-1)

    def test_a_field_that_is_not_there_is_met_with_a_suggestion(self) -> None:
        with pytest.raises(ConfigurationError, match=r"'api_prt'\. Did you mean api_port"):
            Settings.load(api_prt=1)

    def test_a_file_that_is_not_text_is_told(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_bytes(b"API_HOST=\xff\xfe\n")
        with pytest.raises(ConfigurationError, match=r"settings file cannot be read.*\.env"):
            Settings.load()


class TestUnknownVariables:
    def test_are_warned_of_with_a_suggestion(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOKUSAI_TESTMODE", "true")
        with pytest.warns(UserWarning, match="HOKUSAI_TESTMODE is set.*Did you mean HOKUSAI_TEST_MODE"):
            Settings.load()

    def test_are_warned_of_in_a_file_too(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("HOKUSAI_HOEM=x\n")
        with pytest.warns(UserWarning, match="Did you mean HOKUSAI_HOME"):
            Settings.load()

    @pytest.mark.parametrize("name", ["LOCAL_ENGINE", "ORCHESTRATOR_PID", "PROGRESS_FILE"])
    def test_of_the_flow_s_own_processes_are_known(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(f"HOKUSAI_{name}", "x")
        Settings.load()  # a warning would fail this test

    def test_of_other_programs_are_no_concern_of_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("APIPORT", "1")
        Settings.load()  # a warning would fail this test


class TestDerived:
    def test_a_server_decides_itself_where_artefacts_are(self) -> None:
        assert Settings(tracking_uri="http://mlflow:5000").artifact_location is None

    def test_a_database_does_not(self, tmp_path: Path) -> None:
        settings = Settings(tracking_uri="postgresql://u:p@h/d", home=tmp_path)
        assert settings.artifact_location == str(tmp_path / "artifacts")

    def test_a_configured_artifact_root_wins(self) -> None:
        settings = Settings(tracking_uri="http://mlflow:5000", artifact_root="s3://b/a")
        assert settings.artifact_location == "s3://b/a"

    def test_the_ledger_prefers_its_own_url(self) -> None:
        settings = Settings(postgres_uri="postgresql://a/b", hokusai_database_url="postgresql://c/d")
        assert settings.database_url == "postgresql://c/d"

    def test_the_short_postgres_spelling_becomes_the_one_that_sqlalchemy_takes(self) -> None:
        assert Settings(postgres_uri="postgres://u:p@h/d").database_url == "postgresql://u:p@h/d"

    def test_cannot_be_changed(self) -> None:
        settings = Settings()
        with pytest.raises(ValidationError):
            settings.api_port = 1  # type: ignore[misc]
        assert hash(settings) == hash(Settings())
