"""Redaction: secrets go, what is public stays."""

from __future__ import annotations

import pytest

from hokusai.utils.redaction import is_secret_name, mask_url_passwords, redact


@pytest.mark.parametrize(
    "name",
    [
        *("api_key", "signing_key", "SECRET_KEY", "aws.secret_access_key", "password", "db_password"),
        *("token", "MLFLOW_TRACKING_TOKEN", "client_secret", "Authorization", "pii_salt", "x-api-key"),
    ],
)
def test_knows_a_secret_by_its_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["wallet", "wallet_address", "token_id", "public_key", "key", "monkey", "tokens_used", "keyword"]
)
def test_leaves_public_names_alone(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://mlflow:pw@host/db", "postgresql://mlflow:***@host/db"),
        ("redis://:pw@host:6379/0", "redis://:***@host:6379/0"),
        ("http://a:p@ss@host/x and http://b:q@host", "http://a:***@host/x and http://b:***@host"),
        ("http://host:5000/path?mail=me@example.org", "http://host:5000/path?mail=me@example.org"),
        ("http://t0ken@host/", "http://***@host/"),
        ("no url: me@example.org", "no url: me@example.org"),
    ],
)
def test_masks_the_password_of_a_url_only(text: str, masked: str) -> None:
    assert mask_url_passwords(text) == masked


def test_looks_into_nested_values() -> None:
    value = {"auth": {"token": "t", "user": "u"}, "uris": ["http://a:b@c"], "n": 1, "secret": None}
    assert redact(value) == {
        "auth": {"token": "***", "user": "u"},
        "uris": ["http://a:***@c"],
        "n": 1,
        "secret": None,
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:s3/cr3t@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u:p@ss@host/db", "postgresql://u:***@host/db"),
        (
            "postgresql://host/db?password=s3cr3t&sslmode=require",
            "postgresql://host/db?password=***&sslmode=require",
        ),
        ("http://host:5000/?token=s3cr3t", "http://host:5000/?token=***"),
        ("http://s3cr3t@host:5000", "http://***@host:5000"),
        ("http://host:5000/models/a@production", "http://host:5000/models/a@production"),
        ("postgresql://mlflow@host:5432/db", "postgresql://mlflow@host:5432/db"),
        ("models:/churn@production", "models:/churn@production"),
    ],
)
def test_secrets_of_urls_wherever_they_stand(text: str, shown: str) -> None:
    assert mask_url_passwords(text) == shown
