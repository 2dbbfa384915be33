"""Settings: what is wrong is said by name, all of it at once, and nothing secret is shown."""

import sys
from pathlib import Path

import pytest

from infra.settings import BadSetting, Settings, declared, example, load_settings

PROJECT = Path(__file__).parents[2]


def refusal(**environment: str) -> str:
    with pytest.raises(BadSetting) as stopped:
        load_settings(environment)
    return str(stopped.value)


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load_settings({}) == Settings()


def test_values_are_read_with_their_kinds() -> None:
    settings = load_settings(
        {
            "FOOTLIGHT_POSTGRES_POOL": "3",
            "FOOTLIGHT_POSTGRES_TIMEOUT": " 0.5 ",
            "FOOTLIGHT_REDIS_NODES": "redis://a:1, redis://b:2",
            "FOOTLIGHT_SEARCH_PLAIN_MIME": "yes",
            "FOOTLIGHT_MONGO_URL": "mongodb://a:1,b:2/?replicaSet=rs",
            "FOOTLIGHT_KEYS": "/run/keys",
            "FOOTLIGHT_LOG_LEVEL": "DEBUG",
            "PATH": "/bin",
        }
    )
    assert (settings.postgres.pool_size, settings.postgres.timeout_seconds) == (3, 0.5)
    assert settings.redis.nodes == ("redis://a:1", "redis://b:2")
    assert settings.search.plain_mime is True
    assert settings.auth.keys == Path("/run/keys")
    assert settings.logs.level == "DEBUG"


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("FOOTLIGHT_POSTGRES_POOL", "many", "a whole number"),
        ("FOOTLIGHT_POSTGRES_POOL", "0", "a number from 1 to 200"),
        ("FOOTLIGHT_POSTGRES_TIMEOUT", "nan", "a number from 0.1 to 120"),
        ("FOOTLIGHT_POSTGRES_TIMEOUT", "soon", "a number"),
        ("FOOTLIGHT_SEARCH_PLAIN_MIME", "perhaps", "true or false"),
        ("FOOTLIGHT_LOG_LEVEL", "TRACE", "one of DEBUG, INFO, ERROR"),
        ("FOOTLIGHT_PUBLIC_URL", "footlight.tv", "a URL that starts with http:// or https://"),
        ("FOOTLIGHT_PUBLIC_URL", "https://[half", "a URL that starts with http:// or https://"),
        ("FOOTLIGHT_REDIS_NODES", "redis://a:1,b:2", "a URL that starts with redis:// or rediss://"),
        ("FOOTLIGHT_REDIS_NODES", ",", "at least one value"),
        ("FOOTLIGHT_TRUSTED_PROXIES", "10.0.0.1/8", "IP networks such as 10.0.0.0/8"),
        ("FOOTLIGHT_BUS_URL", "kafka://x", "redis: or a URL that starts with amqp:// or amqps://"),
        ("FOOTLIGHT_RTMP_PORT", "70000", "a number from 1 to 65535"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(variable: str, value: str, allowed: str) -> None:
    said = refusal(**{variable: value})
    assert f"{variable}={value!r} is not allowed" in said
    assert allowed in said


def test_all_problems_are_told_at_once_and_the_status_is_1() -> None:
    said = refusal(FOOTLIGHT_RTMP_PORT="x", FOOTLIGHT_LOG_STYLE="loud", FOOTLIGHT_USER_LIMITS="3")
    for name in ("FOOTLIGHT_RTMP_PORT", "FOOTLIGHT_LOG_STYLE", "FOOTLIGHT_USER_LIMITS"):
        assert name in said
    assert len(said.splitlines()) == 4


def test_the_service_that_makes_videos_needs_all_of_its_settings() -> None:
    said = refusal(FOOTLIGHT_TRANSCODER="mediaconvert", FOOTLIGHT_MEDIACONVERT_QUEUE="arn:aws:q")
    assert "FOOTLIGHT_MEDIACONVERT_ROLE must be set" in said
    assert "FOOTLIGHT_MEDIACONVERT_INBOX must be set" in said
    assert len(said.splitlines()) == 3


def test_a_name_nobody_knows_is_reported() -> None:
    assert "FOOTLIGHT_POSTGRES is not a setting" in refusal(FOOTLIGHT_POSTGRES="x")


@pytest.mark.parametrize(
    "environment",
    [
        {"FOOTLIGHT_SECRET": "hunter2"},
        {"FOOTLIGHT_POSTGRES_URL": "mysql://u:hunter2@db/x"},
        {"FOOTLIGHT_REDIS_NODES": "http://u:hunter2@db/x"},
        {"FOOTLIGHT_BUS_URL": "kafka://u:hunter2@db/x"},
        {"FOOTLIGHT_STRIPE_SECRET_KEY": "pk_hunter2"},
        {"FOOTLIGHT_STRIPE_WEBHOOK_SECRETS": "whsec_1,hunter2"},
    ],
)
def test_secrets_are_not_shown_when_they_are_wrong(environment: dict[str, str]) -> None:
    said = refusal(**environment)
    assert next(iter(environment)) in said
    assert "hunter2" not in said


def test_secrets_are_not_shown_by_accident() -> None:
    settings = load_settings(
        {
            "FOOTLIGHT_SECRET": "hunter2-" * 4,
            "FOOTLIGHT_S3_SECRET_KEY": "hunter2",
            "FOOTLIGHT_POSTGRES_URL": "postgresql://u:hunter2@db/x",
            "FOOTLIGHT_REDIS_NODES": "redis://:hunter2@a:1",
            "FOOTLIGHT_BUS_URL": "amqp://u:hunter2@mq/",
            "FOOTLIGHT_STRIPE_SECRET_KEY": "sk_hunter2",
            "FOOTLIGHT_STRIPE_WEBHOOK_SECRETS": "whsec_hunter2,whsec_hunter2-before",
        }
    )
    assert "hunter2" not in repr(settings)
    assert settings.auth.secret.startswith("hunter2")
    assert settings.stripe.webhook_secrets == ("whsec_hunter2", "whsec_hunter2-before")


def test_every_default_is_allowed() -> None:
    lines = [line for line in example().splitlines() if line and not line.startswith("#")]
    assert load_settings(dict(line.split("=", 1) for line in lines)) == Settings()


def test_names_are_unique_and_explained() -> None:
    names = [item.variable for item in declared()]
    assert len(names) == len(set(names))
    assert all(item.variable.startswith("FOOTLIGHT_") and item.meaning for item in declared())


def test_the_example_file_is_what_the_code_declares() -> None:
    write = f"{Path(sys.executable).name} -c 'import infra.settings as s; print(s.example(), end=\"\")' > .env.example"
    assert (PROJECT / ".env.example").read_text() == example(), f"write it again: {write}"
