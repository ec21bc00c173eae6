"""Access tokens that were tampered with, secrets that are none, keys of every kind."""

from __future__ import annotations

import base64
import hmac
import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jose import jwt
from pydantic import ValidationError

from api.security.jwt import AccessTokens, Claims
from api.security.opaque import API_PREFIX, REFRESH_PREFIX, is_secret, new_secret, read_token, write_token
from api.security.secret import kept_secret
from api.security.strength import find_password_weakness
from api.settings import Settings
from api.tables import new_id
from tests.accounts import refusal, sign_in, sign_up, with_token
from tests.service import running_app, runtime_of

SECRET = "kP2vX9qLr7mWz4tYb8nJc3hDf6gSa1eU"
WHO = Claims(new_id(), new_id())


def pem(key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="module")
def keys():
    rsa_key, ec_key = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    return {
        "HS256": {"secret_key": SECRET},
        "RS256": {"jwt_private_key": pem(rsa_key)},
        "ES256": {"jwt_private_key": pem(ec_key)},
        "public": rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }


@pytest.fixture(scope="module", params=["HS256", "RS256", "ES256"])
def tokens(request, keys, tmp_path_factory):
    settings = Settings(jwt_algorithm=request.param, state_dir=tmp_path_factory.mktemp("state"), **keys[request.param])
    return AccessTokens(settings)


@pytest.fixture
def hs256(tmp_path):
    return AccessTokens(Settings(secret_key=SECRET, state_dir=tmp_path))


def claims_of(token):
    return jwt.get_unverified_claims(token)


def test_a_token_says_whom_it_speaks_for_and_all_that_it_must(tokens):
    token = tokens.issue(WHO)
    assert tokens.read(token) == WHO
    found = claims_of(token)
    assert set(found) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert found["exp"] - found["iat"] == tokens.lifetime_s
    assert claims_of(tokens.issue(WHO))["jti"] != found["jti"]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_of_which_one_character_changed_is_refused(tokens, part):
    parts = tokens.issue(WHO).split(".")
    # The last character may carry bits that are not read; the first does not.
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    assert tokens.read(".".join(parts)) is None


def encode(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_a_token_without_a_signature_is_refused(tokens, algorithm):
    body = tokens.issue(WHO).split(".")[1]
    assert tokens.read(f"{encode({'alg': algorithm, 'typ': 'JWT'})}.{body}.") is None


def test_a_token_signed_by_another_algorithm_with_the_right_secret_is_refused(hs256):
    body = claims_of(hs256.issue(WHO))
    assert hs256.read(jwt.encode(body, SECRET, algorithm="HS256")) == WHO
    assert hs256.read(jwt.encode(body, SECRET, algorithm="HS512")) is None


def test_the_public_key_is_no_secret_to_sign_with(keys, tmp_path):
    tokens = AccessTokens(Settings(jwt_algorithm="RS256", state_dir=tmp_path, **keys["RS256"]))
    head, body = encode({"alg": "HS256", "typ": "JWT"}), tokens.issue(WHO).split(".")[1]
    signature = hmac.digest(keys["public"], f"{head}.{body}".encode(), "sha256")
    forged = f"{head}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
    assert tokens.read(forged) is None


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1},
        {"iss": "another"},
        {"aud": "another"},
        {"aud": None},
        {"sub": None},
        {"sub": 7},
        {"sid": None},
        {"sid": 7},
        {"jti": None},
        {"iat": None},
        {"exp": None},
        {"exp": "never"},
        {"nbf": 10**10},
    ],
    ids=str,
)
def test_a_token_that_is_signed_rightly_and_says_the_wrong_thing_is_refused(hs256, change):
    body = {name: value for name, value in (claims_of(hs256.issue(WHO)) | change).items() if value is not None}
    assert hs256.read(jwt.encode(body, SECRET, algorithm="HS256")) is None


def test_a_token_of_another_deployment_is_refused(hs256, tmp_path):
    other = AccessTokens(Settings(secret_key=SECRET[::-1], state_dir=tmp_path))
    assert hs256.read(other.issue(WHO)) is None


@given(st.text(max_size=200) | st.lists(st.text(alphabet="abcdefgAZ09-_=", max_size=40), max_size=4).map(".".join))
def test_what_is_no_token_is_refused(text):
    tokens = AccessTokens(Settings(secret_key=SECRET))
    assert tokens.read(text) is None
    assert read_token(API_PREFIX, text) is None


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_a_token_whose_content_is_anything_is_refused(content):
    tokens = AccessTokens(Settings(secret_key=SECRET))
    head = encode({"alg": "HS256", "typ": "JWT"})
    assert tokens.read(f"{head}.{encode(content)}.x") is None
    assert tokens.read(f"{encode(content)}.{encode({})}.x") is None


def test_the_service_signs_with_each_algorithm(keys):
    for algorithm in ("RS256", "ES256"):
        with running_app(jwt_algorithm=algorithm, **keys[algorithm]) as client:
            token = sign_in(client, sign_up(client))["access_token"]
            assert jwt.get_unverified_header(token)["alg"] == algorithm
            assert with_token(client, token).get("/me").status_code == 200


def test_an_expired_token_is_refused_while_its_sign_in_lasts(on_each_database, monkeypatch):
    name = sign_up(on_each_database)
    monkeypatch.setattr(runtime_of(on_each_database).access_tokens, "lifetime_s", -2)
    tokens = sign_in(on_each_database, name)
    answer = with_token(on_each_database, tokens["access_token"]).get("/me")
    assert refusal(answer) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert on_each_database.post("/refresh", json=tokens).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "bearer x.y.z", "\u00e9"])
def test_a_header_that_carries_no_token_is_refused(on_each_database, header):
    answer = on_each_database.get("/me", headers={"Authorization": header.encode()})
    assert refusal(answer) in {(401, "not_authenticated"), (401, "invalid_token")}


def test_an_opaque_token_carries_its_row_and_secret():
    row, secret = new_id(), new_secret()
    token = write_token(REFRESH_PREFIX, row, secret)
    assert read_token(REFRESH_PREFIX, token) == (row, secret)
    assert read_token(API_PREFIX, token) is None
    assert not is_secret(secret, secret)


def test_the_secret_made_on_first_start_is_kept_and_only_its_owner_reads_it(tmp_path):
    folder = tmp_path / "state"
    with ThreadPoolExecutor(8) as threads:
        (secret,) = set(threads.map(lambda _: kept_secret(folder), range(8)))
    assert len(secret) >= 64
    assert kept_secret(folder) == secret
    assert [path.name for path in folder.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert kept_secret(tmp_path / "other") != secret


def test_a_sign_in_survives_a_restart_of_the_embedded_service(tmp_path):
    with running_app(state_dir=tmp_path) as client:
        tokens = sign_in(client, sign_up(client))
    with running_app(state_dir=tmp_path) as client:
        assert with_token(client, tokens["access_token"]).get("/me").status_code == 200
        assert client.post("/refresh", json=tokens).status_code == 200


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("changeme", "too short"),
        ("", "too short"),
        ("a" * 64, "different characters"),
        ("your-256-bit-secret-your-256-bit-secret", "default"),
        ("change-me-change-me-change-me-now-123", "default"),
    ],
)
def test_a_weak_secret_is_refused(secret, why):
    with pytest.raises(ValidationError, match=f"EINTHOVEN_SECRET_KEY .*{why}"):
        Settings(secret_key=secret)


def test_production_needs_a_secret_that_was_given_to_it(keys):
    with pytest.raises(ValidationError, match="EINTHOVEN_SECRET_KEY"):
        Settings(environment="production")
    assert Settings(environment="production", secret_key=SECRET)
    assert Settings(environment="production", jwt_algorithm="ES256", **keys["ES256"])


def test_a_secret_is_read_from_its_file(tmp_path, monkeypatch):
    (tmp_path / "einthoven_secret_key").write_text(SECRET + "\n")
    monkeypatch.setenv("EINTHOVEN_SECRETS_DIR", str(tmp_path))
    found = Settings().secret_key
    assert found is not None
    assert found.get_secret_value() == SECRET
    assert SECRET not in repr(Settings())


@pytest.mark.parametrize(
    ("algorithm", "key", "why"),
    [
        ("RS256", "no PEM", "no private key in PEM"),
        ("RS256", pem(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
        ("RS256", pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),  # noqa: S505 - that is the point
        ("ES256", pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
    ],
)
def test_a_key_that_does_not_fit_its_algorithm_is_refused(algorithm, key, why):
    with pytest.raises(ValidationError, match=f"EINTHOVEN_JWT_PRIVATE_KEY .*{why}"):
        Settings(jwt_algorithm=algorithm, jwt_private_key=key)


@pytest.mark.parametrize(
    ("password", "weak"),
    [
        ("correct horse battery staple", False),
        ("\u00fcberl\u00e4nge \u5fc3\u7535\u56fe", False),
        ("  qwertyuiop ", True),
        ("1212121212", True),
        ("ada.lovelace", True),
        ("ecalevol.ada", True),
        ("ninechars", True),
    ],
)
def test_passwords_that_are_tried_first_are_known(password, weak):
    assert (find_password_weakness(password, "Ada.Lovelace") is not None) is weak
