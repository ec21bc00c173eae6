"""What administrators look after: accounts, everybody's jobs, the health of the service. They see nobody's ECGs."""

from __future__ import annotations

from itertools import islice
from typing import get_args

import streamlit as st

from api.schemas import Account, Checks, JobKind, JobStatus, Me, NotReady, Role
from dashboard import session, telling, words
from dashboard.client import ApiProblem
from dashboard.views.memory import tell, told, when
from dashboard.views.problems import refused

_AT_ONCE = 30
_ROLES: dict[Role, str] = {"user": "User", "admin": "Administrator"}
_STATES = {"Active and not": None, "Active": True, "Deactivated": False}
_CHECKS = {
    "database": "Database",
    "store": "Store of uploads",
    "models": "Models",
}
_SIGNS = {"ok": ":green-badge[OK]", "starting": ":orange-badge[Starting]", "failed": ":red-badge[Failed]"}


def show_users(me: Me) -> None:
    """Find, make, change and delete accounts."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("Users", anchor=False, width="content")
        with st.popover("New account", icon=":material/person_add:"):
            _make_user()
    if text := told():
        st.success(words.literally(text), icon=":material/check:")
    columns = st.columns([2, 1, 1])
    search = columns[0].text_input("Search", key="user_search", icon=":material/search:", max_chars=254).strip()
    role = columns[1].selectbox("Role", list(_ROLES), index=None, format_func=_ROLES.__getitem__, key="user_role")
    state = columns[2].selectbox("State", list(_STATES), key="user_state")
    most = st.session_state.setdefault("users shown", _AT_ONCE)
    listed = session.api().accounts.users(search or None, role=role, is_active=_STATES[state])
    found = list(islice(listed, most + 1))
    if not found:
        st.info("No account passes these filters.", icon=":material/person_search:")
    for account in found[:most]:
        _user_row(account, me)
    if len(found) > most and st.button("Show more", key="more users"):
        st.session_state["users shown"] = most + _AT_ONCE
        st.rerun()


def _make_user() -> None:
    with st.form("new user", border=False):
        name = st.text_input("Name or email", key="made_name", autocomplete="off")
        password = st.text_input(
            "First password", type="password", key="made_password", autocomplete="new-password", help="They change it."
        )
        role = st.selectbox("Role", list(_ROLES), format_func=_ROLES.__getitem__, key="made_role")
        if st.form_submit_button("Make the account", type="primary"):
            with refused():
                made = session.api().accounts.create_user(name, password, role)
                tell(f"{made.name} is made.")
                st.rerun()


def _user_row(account: Account, me: Me) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        badge = ":blue-badge[Administrator]" if account.role == "admin" else ""
        state = "" if account.is_active else ":orange-badge[Deactivated]"
        seen = f"last sign-in {when(account.last_sign_in_at)}" if account.last_sign_in_at else "never signed in"
        about = words.literally(f"Made {when(account.created_at)}, {seen}.")
        st.markdown(f"**{telling.name(account.name)}** {badge} {state}  \n:gray[:small[{about}]]", width="stretch")
        if account.id == me.id:
            st.caption("This is you", width="content")
        with st.popover("Change", icon=":material/manage_accounts:"), refused():
            _change_user(account)


def _change_user(account: Account) -> None:
    accounts, name = session.api().accounts, telling.name(account.name)
    other: Role = "user" if account.role == "admin" else "admin"
    if st.button(f"Make {name} {'a user' if other == 'user' else 'an administrator'}", key=f"role {account.id}"):
        accounts.change_user(account.id, role=other)
        st.rerun()
    if account.is_active:
        st.caption("Deactivated, nobody signs in to it, and its tokens rest; what it owns stays.")
        if st.button(f"Deactivate {name}", key=f"deactivate {account.id}"):
            accounts.change_user(account.id, is_active=False)
            st.rerun()
    elif st.button(f"Activate {name} again", key=f"activate {account.id}"):
        accounts.change_user(account.id, is_active=True)
        st.rerun()
    st.caption("Deleted, all that it owns goes with it, for good.")
    is_sure = st.checkbox(f"Yes, delete {name} and all that is theirs", key=f"sure {account.id}")
    if st.button("Delete", key=f"delete {account.id}", disabled=not is_sure, icon=":material/delete_forever:"):
        accounts.delete_user(account.id)
        tell(f"{account.name} is deleted.")
        st.rerun()


def show_jobs(_me: Me) -> None:
    """List everybody's jobs, without what they are about."""
    st.subheader("All jobs", anchor=False)
    columns = st.columns(2)
    status = columns[0].selectbox("Status", get_args(JobStatus), index=None, key="job_status")
    kind = columns[1].selectbox("Kind", get_args(JobKind), index=None, key="job_kind")
    most = st.session_state.setdefault("jobs shown", _AT_ONCE)
    found = list(islice(session.api().jobs.list_all(status=status, kind=kind), most + 1))
    if not found:
        st.info("There are no such jobs.", icon=":material/inbox:")
        return
    names = {account.id: account.name for account in islice(session.api().accounts.users(), 200)}
    rows = [
        {
            "Made": when(job.created_at),
            "Whose": names.get(job.owner_id, job.owner_id),
            "Kind": words.sentence(job.kind),
            "Status": words.sentence(job.status) + (", to be cancelled" if job.cancel_asked else ""),
            "Of": job.total,
            "Done": job.done,
            "Failed": job.failed,
            "Error": job.error_code or "",
            "Worker": job.worker or "",
        }
        for job in found[:most]
    ]
    st.dataframe(rows, hide_index=True, height="content")
    if len(found) > most and st.button("Show more", key="more jobs"):
        st.session_state["jobs shown"] = most + _AT_ONCE
        st.rerun()


def show_health(_me: Me) -> None:
    """Show whether the service can do its work, part by part."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("Health", anchor=False, width="content")
        st.button("Look again", icon=":material/refresh:", key="look")
    client = session.api()
    try:
        checks, problem = client.health_ready().checks, None
    except ApiProblem as error:
        if not isinstance(error.problem, NotReady):
            raise
        checks, problem = error.problem.checks, error.problem
    if problem is None:
        st.success("The service can do its work.", icon=":material/check_circle:")
    else:
        st.warning(words.literally(words.what_happened(problem)), icon=":material/warning:")
    _show_checks(checks)
    info = session.info()
    st.caption(
        words.literally(f"Einthoven {info.version} at {client.url}. Models: {', '.join(info.models) or 'none'}.")
    )


def _show_checks(checks: Checks) -> None:
    for name, title in _CHECKS.items():
        check = getattr(checks, name)
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title}**", width="stretch")
            if check.reason:
                st.caption(words.literally(words.sentence(check.reason)), width="content")
            st.markdown(_SIGNS[check.state], width="content")
