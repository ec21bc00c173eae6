"""Whether a secret, a key or a password that was given is worth the name."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LEAST_LENGTH = 32
LEAST_DISTINCT = 10
LEAST_RSA_BITS = 2048
_KNOWN = ("secret", "changeme", "change-me", "change_me", "password", "default", "example", "your-", "insecure", "dev-")

LEAST_PASSWORD = 10
LONGEST_PASSWORD = 1024
_LEAST_DISTINCT_IN_PASSWORD = 4
_COMMON = frozenset(
    """
    0123456789 0987654321 1029384756 1111122222 11223344556677 1122334455 12341234123 123412341234 1234512345
    1234554321 12345678900 1234567890 12345678901 123456789012 1234567890123 123456789123 123456789987654321
    123456789a 123456789abc 123456789q 1234567891 12345678910 1234567891234 1234567899 12345qwert 12345qwerty
    123456abcdef 123456qwerty 123qweasdzxc 123qwe123qwe 147258369147 1472583690 1q2w3e4r5t 1q2w3e4r5t6y
    1q2w3e4r5t6y7u8i9o0p 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc 3141592653 3141592654 9876543210 98765432100
    a123456789 a1b2c3d4e5 aa12345678 aa123456789 abc1234567 abc123456789 abcd123456 abcd1234567 abcde12345
    abcdefghij abcdefghijk admin12345 admin123456 adminadmin administrator asdf123456 asdfasdfasdf asdfghjkl1
    asdfghjkl123 asdfghjkl; baseball123 basketball cardiology charlie123 changeme123 chocolate1 computer123 dragon12345
    electrocardiogram football123 heartbeat1 iloveyou12 iloveyou123 iloveyou1234 jordan2323 letmein123 letmein1234
    liverpool1 liverpoolfc manchester master12345 michael123 minecraft1 monkey12345 mypassword p@ssw0rd123 p@ssword123
    p@ssword1234 passw0rd12 passw0rd123 passw0rd1234 password00 password01 password10 password11 password12
    password123 password1234 password12345 password123456 password1! password123! passwordpassword pokemon123
    princess12 princess123 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedc1 qazwsxedc123 qazwsxedcrfv qwe123qwe123 qweasdzxc1
    qweasdzxc123 qwer123456 qwert12345 qwerty1234 qwerty12345 qwerty123456 qwertyqwerty qwertyuiop qwertyuiop1
    qwertyuiop123 qwertyuiop[] secret12345 skywalker1 spiderman1 starwars123 sunshine12 sunshine123 superman12
    superman123 test123456 testpassword testtest123 trustno1trustno1 welcome123 welcome1234 yourpassword zaq12wsxcde3
    zaq1zaq1zaq1 zxcvbnm123 zxcvbnm1234 zxcvbnm12345 zxcvbnm,./
    """.split()
)


def find_weakness(secret: str) -> str | None:
    """Return what is wrong with a signing secret, as the rest of a sentence; None where nothing is."""
    if len(secret) < LEAST_LENGTH:
        return f"is too short: {len(secret)} characters, at least {LEAST_LENGTH} are needed"
    if len(set(secret)) < LEAST_DISTINCT:
        return f"is weak: it has only {len(set(secret))} different characters"
    if known := next((word for word in _KNOWN if word in secret.lower()), None):
        return f"looks like a default: it contains {known!r}"
    return None


def find_key_weakness(pem: str, algorithm: str) -> str | None:
    """Return what is wrong with a signing key for RS256 or ES256, as the rest of a sentence; None where nothing is."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "is no private key in PEM without a passphrase"
    if algorithm == "RS256":
        if not isinstance(key, RSAPrivateKey):
            return "is no RSA key, as RS256 needs"
        return f"is too short: {key.key_size} bits" if key.key_size < LEAST_RSA_BITS else None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        return "is no key on the curve P-256, as ES256 needs"
    return None


def find_password_weakness(password: str, name: str) -> str | None:
    """Return why ``password`` is too easily guessed for the account ``name``; None where it is not known to be."""
    if not LEAST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return f"a password has {LEAST_PASSWORD} to {LONGEST_PASSWORD} characters"
    folded = password.strip().casefold()
    if len(set(folded)) < _LEAST_DISTINCT_IN_PASSWORD:
        return "the same few characters over and over are guessed at once"
    if folded in _COMMON:
        return "this is one of the passwords that are tried first"
    name = name.strip().casefold()
    if folded in (name, name[::-1]):
        return "the name of the account is tried first"
    return None
