"""Access tokens: short-lived, signed, and bound to a sign-in that can be ended."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from jose import JWTError, jwt

from api.security.secret import kept_secret
from api.settings import Settings

_REQUIRED = {f"require_{claim}": True for claim in ("iss", "aud", "exp", "iat", "jti", "sub")}


@dataclass(frozen=True)
class Claims:
    """Whom a token speaks for."""

    user_id: str
    sign_in_id: str


class AccessTokens:
    """Makes and checks access tokens."""

    def __init__(self, settings: Settings) -> None:
        self.lifetime_s = settings.access_token_s
        self._algorithm = settings.jwt_algorithm
        self._issuer, self._audience = settings.jwt_issuer, settings.jwt_audience
        if settings.jwt_algorithm == "HS256":
            given = settings.secret_key
            self._signing = self._checking = (
                kept_secret(settings.state_dir) if given is None else given.get_secret_value()
            )
        else:
            assert settings.jwt_private_key is not None  # noqa: S101 - the settings ask for it
            self._signing = settings.jwt_private_key.get_secret_value()
            key = load_pem_private_key(self._signing.encode(), password=None)
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            self._checking = public.decode()

    def issue(self, claims: Claims) -> str:
        """Return a new token."""
        now = int(time.time())
        token: str = jwt.encode(
            {
                "iss": self._issuer,
                "aud": self._audience,
                "sub": claims.user_id,
                "sid": claims.sign_in_id,
                "jti": str(uuid4()),
                "iat": now,
                "exp": now + self.lifetime_s,
            },
            self._signing,
            algorithm=self._algorithm,
        )
        return token

    def read(self, token: str) -> Claims | None:
        """Return whom a token speaks for; None where it is not ours, was changed, or has expired."""
        try:
            found = jwt.decode(
                token,
                self._checking,
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options=_REQUIRED,
            )
        except JWTError:
            return None
        user_id, sign_in_id = found["sub"], found.get("sid")
        return Claims(user_id, sign_in_id) if isinstance(sign_in_id, str) else None

    def keyed_hash(self, purpose: str, text: str) -> str:
        """Return a hash that nobody can make or try out without the key, 64 hexadecimal digits."""
        return hmac.new(self._signing.encode(), f"{purpose}: {text}".encode(), sha256).hexdigest()
