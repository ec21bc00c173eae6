"""Passwords are checked slower and slower for whoever keeps guessing them.

Wrong ones are counted for the account as tried from an address, for the address, and for the account from everywhere.
The first is the strictest: who guesses waits, and the account's owner at another address does not. The other two are
far looser, and the last one's wait is short: it takes many addresses to reach it, and then it costs a minute.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy.orm import Session

from api.errors import Refusal
from api.principal import Principal
from api.repositories import audit, login_failures
from api.repositories.users import fold_name
from api.runtime import Runtime
from api.services.keeping import retried
from api.tables import LoginFailure, User, now

_HALF_LIFE = timedelta(hours=1)
_LOOSER = 20
"""How many times more failures an address, or an account, is free to have than the two together."""
_LONGEST_WAIT_S = 900.0
_LONGEST_WAIT_OF_ACCOUNT_S = 60.0
_HOST_BITS = 64
"""Of an IPv6 address: they are their subscriber's to choose."""


@dataclass(frozen=True)
class _Rule:
    free: float
    """Failures that cost no wait; each further one doubles it."""
    longest_s: float

    def wait_s(self, failures: LoginFailure) -> float:
        """Return the seconds that are left to wait."""
        over = failures.weight - self.free
        # Weights of failures shortly after each other are a little under their number.
        if over <= -0.5:
            return 0.0
        wait = self.longest_s if over > math.log2(self.longest_s) else 2.0**over
        return wait - (now() - failures.last_at).total_seconds()


def verify_password(
    runtime: Runtime, user: User | None, name: str, password: str, address: str, who: Principal | None = None
) -> bool:
    """Return whether this is the account's password; a wrong one is written down.

    Parameters
    ----------
    user
        Who has the name; None, in the same time, where nobody has.
    who
        On whose behalf the request is, where somebody is signed in.

    Raises
    ------
    Refusal
        Too many were wrong of late, or too many are being checked.
    """
    pair, *_ = rules = _rules(runtime, fold_name(name), address)
    seen = _refuse_while_waiting(runtime, rules)
    with runtime.passwords.turn() as is_right:
        # Others may have failed while this one waited for its turn; and the next to have one sees this one's failure.
        _refuse_while_waiting(runtime, rules)
        right = is_right(password, None if user is None else user.password_hash)
        if not right:
            retried(lambda: _write_down(runtime, rules, user, who))
    if right and pair in seen:
        with runtime.database.write() as session:
            login_failures.forget_failures(session, pair)
    return right


def _rules(runtime: Runtime, folded: str, address: str) -> dict[str, _Rule]:
    """Return what is counted, by its key; the account at the address first."""
    free, site = runtime.settings.login_free_tries, _site(address)
    keyed = runtime.access_tokens.keyed_hash
    return {
        keyed("failures of account at address", f"{site} {folded}"): _Rule(free, _LONGEST_WAIT_S),
        keyed("failures at address", site): _Rule(free * _LOOSER, _LONGEST_WAIT_S),
        keyed("failures of account", folded): _Rule(free * _LOOSER, _LONGEST_WAIT_OF_ACCOUNT_S),
    }


def _site(address: str) -> str:
    """Return whose address it is, as far as that can be told."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> _HOST_BITS << _HOST_BITS))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _refuse_while_waiting(runtime: Runtime, rules: Mapping[str, _Rule]) -> Mapping[str, LoginFailure]:
    with runtime.database.read() as session:
        failures = login_failures.find_failures(session, rules)
    wait_s = max((rules[key].wait_s(row) for key, row in failures.items()), default=0.0)
    if wait_s > 0:
        after = math.ceil(wait_s)
        raise Refusal(
            429,
            "too_many_attempts",
            f"too many wrong passwords; try again in {after} s",
            headers={"Retry-After": str(after)},
        )
    return failures


def _write_down(runtime: Runtime, rules: Mapping[str, _Rule], user: User | None, who: Principal | None) -> None:
    with runtime.database.write() as session:
        login_failures.add_failure(session, rules, _HALF_LIFE)
        _note(session, user, who)


def _note(session: Session, user: User | None, who: Principal | None) -> None:
    account = None if user is None else user.id
    action = "sign_in_failed" if who is None else "password_refused"
    audit.note(session, who, action, "account", account, owner_id=account)
