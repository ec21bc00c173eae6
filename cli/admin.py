"""`ecg admin`: accounts, for whoever runs the service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import AsJson, console, fails_clearly, print_json, require
from ecg_core.errors import EcgError, InvalidValue

if TYPE_CHECKING:
    from api.db import Database
    from api.security.passwords import Passwords

app = typer.Typer(
    name="admin",
    help="Accounts of the service, on the machine that runs it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="Examples:  ecg admin create ada@example.org   ecg admin list   ecg admin deactivate bob",
)


class Role(StrEnum):
    """What an account may."""

    admin = "admin"
    user = "user"


Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="First line is the password; - for standard input. Without it the password is asked for on a terminal, "
        "else read from standard input.",
    ),
]


@app.command()
@fails_clearly
def create(
    name: Name,
    password_file: PasswordFile = None,
    role: Annotated[Role, typer.Option(help="What the account may.")] = Role.admin,
) -> None:
    """Make an account, by default of an administrator. The password is never an argument: others could see it there.

    [bold]Examples[/bold]

        ecg admin create ada@example.org

        pass show einthoven/ada | ecg admin create ada@example.org
    """
    require("sqlalchemy", "api")
    from api.services.accounts import add_account

    password = _new_password(password_file)
    with _opened() as (database, passwords):
        account = add_account(database, passwords, None, name, password, role.value)
    sys.stdout.write(f"{account.name} can sign in now ({account.role})\n")


@app.command("list")
@fails_clearly
def list_(as_json: AsJson = False) -> None:
    """Show the accounts, by name."""
    require("sqlalchemy", "api")
    from rich.markup import escape
    from rich.table import Table

    from api.repositories.users import list_users
    from api.services.accounts import describe_account

    with _opened() as (database, _), database.read() as session:
        found = [describe_account(user) for user in list_users(session)]
    if as_json:
        print_json([account.model_dump(mode="json") for account in found])
        return
    table = Table("name", "role", "active", "made", "last sign-in", box=None, padding=(0, 2, 0, 0))
    for account in found:
        last = account.last_sign_in_at
        table.add_row(
            escape(account.name),
            account.role,
            "yes" if account.is_active else "no",
            f"{account.created_at:%Y-%m-%d}",
            f"{last:%Y-%m-%d %H:%M}" if last else "never",
        )
    console().print(table)


@app.command()
@fails_clearly
def reset_password(name: Name, password_file: PasswordFile = None) -> None:
    """Give an account another password; it is signed out everywhere."""
    require("sqlalchemy", "api")
    from api.services import accounts

    password = _new_password(password_file)
    with _opened() as (database, passwords):
        account = accounts.reset_password(database, passwords, name, password)
    sys.stdout.write(f"{account.name} has another password, and is signed out everywhere\n")


@app.command()
@fails_clearly
def deactivate(name: Name) -> None:
    """Let an account sign in no more, and sign it out; what it owns stays. The last administrator cannot go."""
    require("sqlalchemy", "api")
    from api.repositories.users import find_user_named
    from api.services.administration import change_account

    with _opened() as (database, _):
        with database.read() as session:
            user = find_user_named(session, name)
        if user is None:
            raise InvalidValue("no such account", field="name", found=name, options=("ecg admin list",))
        account = change_account(database, None, user.id, is_active=False)
    sys.stdout.write(f"{account.name} cannot sign in any more\n")


@contextmanager
def _opened() -> Iterator[tuple[Database, Passwords]]:
    """Give the service's accounts; what the service refuses is said in one sentence."""
    from api.errors import Refusal
    from api.runtime import open_database
    from api.security.passwords import Passwords
    from cli.settings import database_errors, read_settings

    settings = read_settings()
    try:
        with database_errors(settings), open_database(settings) as database:
            yield database, Passwords(settings.password_cost, settings.password_memory_kib)
    except Refusal as refusal:
        more = {name: refusal.more.get(name) for name in ("field", "found")}
        raise EcgError(refusal.detail, options=refusal.more.get("options", ()), **more) from refusal


def _new_password(file: Path | None) -> str:
    """Return the password: from a file, a terminal where it is asked for twice, or standard input."""
    if file is None and _is_terminal():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return password
    if file is None or str(file) == "-":
        lines = sys.stdin.readline()
    else:
        try:
            lines = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidValue("cannot be read", file=str(file), found=error) from error
    password = lines.split("\n", 1)[0].removesuffix("\r")
    if not password:
        raise InvalidValue("no password was given", options=("--password-file FILE", "run it on a terminal"))
    return password


def _is_terminal() -> bool:
    return sys.stdin.isatty()
