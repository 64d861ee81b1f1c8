"""Secrets that pods, registries and events may say never come through; what people need does."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.redaction import HIDDEN, redacted

CANARY = "hunter2Canary"

LEAKS = [
    f"password={CANARY}",
    f"DB_PASSWORD: {CANARY}",
    f'{{"password": "{CANARY}", "user": "a"}}',
    f'{{\\"api_key\\": \\"{CANARY}\\"}}',
    f"passwd = '{CANARY} with blanks'",
    f"secret access key: {CANARY}",
    f"AWS_SECRET_ACCESS_KEY={CANARY}",
    f"api-key={CANARY}&x=1",
    f"--token {CANARY}",
    f"--db-password={CANARY}",
    f"Authorization: Bearer {CANARY}",
    f"Authorization: Basic dXNlcjo{CANARY}=",
    f"postgres://admin:{CANARY}@db.example:5432/x",
    f"could not connect to https://{CANARY}@registry.example/v2/",
    f"https://b.s3.amazonaws.com/f?X-Amz-Credential=a&X-Amz-Signature={CANARY}&X-Amz-Date=1",
    f"https://a.blob.core.windows.net/f?sv=2024&sig={CANARY}",
    f"https://example.com/f?token={CANARY}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY} and it is cut off",
    f"credential={CANARY}",
    f"AccountKey={CANARY};EndpointSuffix=core.windows.net",
]

PATTERNS = [
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "glpat-12345678901234567890",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "xoxb-1234567890-abcdefghij",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "3f786850e387550fdab836ed7e6dc881de23001b",
    "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MFhZWg==",
]

NEEDED = [
    "registry.example/team/train:1@sha256:" + "0a1b2c3d" * 8,
    "blobs/sha256/0a/" + "0a1b2c3d" * 8 + " is not what its digest says",
    "pods 6f1c1f0e-6a1d-4b7a-9a55-0d2f6f1c7a11 preempted it",
    "no node has nvidia.com/gpu: 1 free; it starts by itself when one appears",
    "Secret modelyard-store has no key AWS_ACCESS_KEY_ID, which the pod needs; add it",
    'MountVolume.SetUp failed for volume "code" : configmap "my-code" not found',
    "churn-prod-eu-central-1-build-12-3fa8-0-x7k2p",
    "s3://lake/churn/2026/03/part-00012-of-00100.parquet: no file matches",
    "ModuleNotFoundError: No module named 'sklearn.ensemble._hist_gradient_boosting'",
    "max_tokens=512 is more than the model has; tokenizer: bpe",
    "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0",
    "https://example.com:8443/data/file.csv?version=3",
    "10.2.3.4:443: connect: connection refused",
]


@pytest.mark.parametrize("text", LEAKS)
def test_the_value_of_a_secret_is_hidden(text: str) -> None:
    for around in ("{}", "failed: {} (see above)", "Traceback\n  {}\nValueError"):
        shown = redacted(around.format(text))
        assert CANARY not in shown
        assert HIDDEN in shown


@pytest.mark.parametrize("secret", PATTERNS)
def test_what_looks_like_a_key_is_hidden(secret: str) -> None:
    assert secret not in redacted(f"the answer was {secret} and nothing else")


@pytest.mark.parametrize("text", NEEDED)
def test_what_people_need_stays(text: str) -> None:
    assert redacted(text) == text


@given(
    st.sampled_from(["password", "DB_PASSWORD", "client_secret", "apiKey", "api-key", "access_token", "private_key"]),
    st.sampled_from(["=", ": ", " = ", '="', ": '", ":="]),
    st.text(string.ascii_letters + string.digits + "!#$%*+-./:<>?@[^_`{|~", min_size=8, max_size=60),
    st.text(max_size=60),
)
def test_no_value_after_a_secret_name_comes_through(name: str, sign: str, value: str, before: str) -> None:
    assert value not in redacted(f"{before} {name}{sign}{value}\n".replace(value, "", before.count(value)))


@given(st.text(max_size=400), st.sampled_from(LEAKS + PATTERNS + NEEDED))
def test_a_second_look_hides_nothing_more(before: str, known: str) -> None:
    once = redacted(f"{before} {known}")
    assert redacted(once) == once


@pytest.mark.parametrize("text", ["a-" * 8192, "password" * 2048, "=" * 16000, "eyJ" * 5000, "https://" * 2000])
def test_a_long_text_takes_no_time(text: str) -> None:
    """Patterns that try every place against every other would take minutes."""
    redacted(text)
