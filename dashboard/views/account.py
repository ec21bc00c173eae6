"""What somebody looks after themselves: API tokens, password, the account, and who touched their records."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import islice

import streamlit as st

from api.schemas import ApiToken, AuditEvent, CreatedApiToken, Me, TokenScope
from dashboard import session, telling, words
from dashboard.client.accounts import AuditFilters
from dashboard.views.memory import tell, told, when, zone
from dashboard.views.problems import refused

_LIVES: dict[str, int | None] = {"30 days": 30, "90 days": 90, "1 year": 365, "No end": None}
_SCOPES: dict[TokenScope, str] = {
    "read": "Read: see, and compute without storing.",
    "write": "Write: store, change, delete.",
    "admin": "Admin: manage accounts.",
}
_MADE = "token just made"
_WIDTH_PX = 520
_AT_ONCE = 50
_ACTIONS = ("created", "read", "listed", "changed", "exported", "deleted", "signed_in", "sign_in_failed", "signed_out")
_KINDS = ("recording", "analysis", "job", "account", "token")


def show_tokens(me: Me) -> None:
    """Make, list and delete personal API tokens."""
    st.subheader("API tokens", anchor=False)
    st.caption("For scripts and other programs. They do what their scopes say, until they expire or you delete them.")
    made: CreatedApiToken | None = st.session_state.get(_MADE)
    if made is not None:
        _show_made(made)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _make_token(me)
    with right:
        tokens = session.api().accounts.tokens()
        if not tokens:
            st.info("You have none yet.", icon=":material/key:")
        for token in tokens:
            _token_row(token)


def _show_made(made: CreatedApiToken) -> None:
    """Show a token's secret, until that is closed: it is nowhere else."""
    with st.container(border=True):
        st.markdown(f":material/key: **{words.literally(made.name)}** is made. Copy it now: it is shown only here.")
        st.code(made.token, language=None, wrap_lines=True)
        if st.button("I have copied it", type="primary", key="copied"):
            del st.session_state[_MADE]
            st.rerun()


def _make_token(me: Me) -> None:
    scopes: list[TokenScope] = [scope for scope in _SCOPES if scope != "admin" or me.role == "admin"]
    first: list[TokenScope] = ["read"]
    with st.form("new token", clear_on_submit=False):
        name = st.text_input("What it is for", max_chars=100, placeholder="nightly import", key="token_name")
        chosen = st.pills(
            "Scopes",
            scopes,
            selection_mode="multi",
            default=first,
            format_func=words.sentence,
            help="  \n".join(_SCOPES[scope] for scope in scopes),
            key="token_scopes",
        )
        life = st.selectbox("Good for", list(_LIVES), index=1, key="token_life")
        if st.form_submit_button("Make a token", type="primary"):
            if not name.strip() or not chosen:
                st.warning("Say what it is for, and choose a scope at least.", icon=":material/edit:")
                return
            with refused():
                st.session_state[_MADE] = session.api().accounts.create_token(name.strip(), chosen, _LIVES[life])
                st.rerun()


def _token_row(token: ApiToken) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        used = f"last used {when(token.last_used_at)}" if token.last_used_at else "never used"
        ends = f"ends {when(token.expires_at)}" if token.expires_at else "does not end"
        scopes = " ".join(f":gray-badge[{scope}]" for scope in token.scopes)
        about = words.literally(f"Made {when(token.created_at)}, {used}, {ends}.")
        st.markdown(f"**{words.literally(token.name)}** {scopes}  \n:gray[:small[{about}]]", width="stretch")
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown("What uses this token is refused from then on.")
            if st.button("Delete it", type="primary", key=f"delete {token.id}"):
                session.api().accounts.delete_token(token.id)
                st.rerun()


def show_account(me: Me) -> None:
    """Change the password, sign out everywhere, delete the account."""
    if text := told():
        st.success(text, icon=":material/check:")
    with st.container(width=_WIDTH_PX):
        st.subheader("Password", anchor=False)
        _change_password()
        st.subheader("Sign out everywhere", anchor=False)
        st.caption("Ends every sign-in of yours, here and on other machines. API tokens stay good.")
        if st.button("Sign out everywhere", icon=":material/logout:", key="everywhere"):
            session.api().accounts.sign_out(everywhere=True)
            session.sign_out()
            st.rerun()
        st.subheader("Delete the account", anchor=False)
        _close_account(me)


def _change_password() -> None:
    with st.form("password", clear_on_submit=False):
        old = st.text_input("Password now", type="password", autocomplete="current-password", key="old_password")
        new = st.text_input(
            "New password",
            type="password",
            autocomplete="new-password",
            help="10 characters or more, of any kind.",
            key="changed_password",
        )
        again = st.text_input("New password, again", type="password", autocomplete="new-password", key="again")
        if st.form_submit_button("Change the password", type="primary"):
            if new != again:
                st.warning("The two new passwords differ.", icon=":material/edit:")
                return
            with refused():
                session.api().accounts.change_password(old, new)
                tell("The password is changed. Every other sign-in of yours has ended.")
                st.rerun()


def _close_account(me: Me) -> None:
    st.caption("Your recordings, analyses, jobs and tokens go with it. This cannot be undone.")
    with st.expander("Delete the account and all that is in it", icon=":material/delete_forever:"), st.form("close"):
        typed = st.text_input(f"Type your name to confirm: {telling.name(me.name)}", key="close_name")
        password = st.text_input("Password", type="password", autocomplete="current-password", key="close_password")
        if st.form_submit_button("Delete everything", icon=":material/delete_forever:"):
            if typed.strip() != me.name:
                st.warning("This is not your name; nothing was deleted.", icon=":material/edit:")
                return
            with refused():
                session.api().accounts.close(password)
                session.sign_out()
                st.rerun()


def show_appearance(_me: Me) -> None:
    """Say where light and dark are chosen."""
    st.subheader("Appearance", anchor=False)
    now = st.context.theme.type
    st.markdown(
        f"The pages follow your browser and system{f'; now they are {now}' if now else ''}. "
        "To choose for yourself, open the menu at the top right (:material/more_vert:), then **Settings**: light, "
        "dark, or as the system is. The choice stays in this browser."
    )
    here = zone()
    st.markdown(f"Times are those of {words.literally(str(here)) if here else 'UTC'}, as your browser says.")
    st.markdown("The ECG paper has its own controls for speed, gain, layout and marks; press `?` on it for its keys.")


def show_audit(me: Me) -> None:
    """List who did what to one's records."""
    st.subheader("Audit trail", anchor=False)
    st.caption("What you did, and what was done to your account and records, also when those are gone.")
    if me.role == "admin" and "admin" in me.scopes:
        st.caption("As an administrator you see everybody's.")
    columns = st.columns(3)
    action = columns[0].selectbox("What was done", _ACTIONS, index=None, format_func=_spoken, key="audit_action")
    kind = columns[1].selectbox("To what", _KINDS, index=None, format_func=_spoken, key="audit_kind")
    since = columns[2].date_input("Since", value=None, key="audit_since")
    filters = AuditFilters()
    if action:
        filters["action"] = action
    if kind:
        filters["object_kind"] = kind
    if since:
        filters["since"] = datetime.combine(since, time(), zone() or UTC)
    most = st.session_state.setdefault("audit events", _AT_ONCE)
    events = list(islice(session.api().accounts.audit(**filters), most + 1))
    if not events:
        st.info("Nothing passes these filters.", icon=":material/filter_alt_off:")
        return
    st.dataframe([_event(event) for event in events[:most]], hide_index=True, height="content")
    if len(events) > most and st.button("Show more", key="more events"):
        st.session_state["audit events"] = most + _AT_ONCE
        st.rerun()


def _event(event: AuditEvent) -> dict[str, str]:
    return {
        "When": when(event.at),
        "Who": event.actor_name or ("nobody signed in" if event.actor_id is None else "an account that is gone"),
        "Did": _spoken(event.action),
        "To": event.object_kind,
        "Its id": event.object_id or "",
        "With": "API token" if event.token_id else "sign-in" if event.actor_id else "",
    }


def _spoken(name: str) -> str:
    return words.sentence(name.replace("_", " "))
