"""Every `code` that an error can have: part of the API, as its paths are. A test holds the list to the code."""

from __future__ import annotations

CODES: dict[str, tuple[tuple[int, ...], str]] = {
    # what is wrong with the request
    "bad_request": ((400,), "The body cannot be taken apart: a broken form, a tensor that is not what it says."),
    "cors_refused": ((400,), "Pages of this origin may not send this."),
    "invalid_request": ((400, 422), "A parameter or field cannot be used: `errors` names each."),
    "unsupported_grant_type": ((400,), "`POST /token` knows `password` and `refresh_token`."),
    "model_not_ready": ((400,), "This version of the model is there, and cannot be run."),
    "not_authenticated": ((401,), "There is no token."),
    "invalid_token": ((401,), "The token is unknown, was changed, has expired, or was revoked: sign in again."),
    "wrong_credentials": ((401,), "The name or the password is wrong."),
    "wrong_password": ((403,), "The password that was given as proof is wrong."),
    "wrong_scope": ((403,), "The token does not reach so far, or a sign-in is needed."),
    "not_an_admin": ((403,), "Only administrators may."),
    "account_deactivated": ((403,), "An administrator has deactivated the account."),
    "registration_closed": ((403,), "Administrators make the accounts here."),
    "not_found": ((404,), "There is no such thing, or it is another's."),
    "not_analysed": ((404,), "The recording was not analysed yet: `POST /recordings/{id}/analyses`."),
    "unknown_name": ((404,), "There is no model, case, set or format of this name: `options` lists them."),
    "method_not_allowed": ((405,), "The route knows other methods: see the header `Allow`."),
    "request_timeout": ((408,), "The body came too slowly."),
    "name_taken": ((409,), "Another has this name."),
    "duplicate_name": ((409,), "Two things have the same name."),
    "last_admin": ((409,), "The last active administrator stays one."),
    "password_changed": ((409,), "The password was changed meanwhile."),
    "too_many_tokens": ((409,), "The account has as many API tokens as it may."),
    "no_results": ((409,), "The job has no results yet, or never will."),
    "withheld": ((409,), "The model says nothing of this recording, or holds this answer back: `detail` says why."),
    "idempotency_in_progress": ((409,), "The first request with this key is still being answered: `Retry-After`."),
    "changed_meanwhile": ((412,), "It is no longer what `If-Match` says: get it again."),
    "body_too_large": ((413,), "The request is larger than its route takes."),
    "limit_exceeded": ((413,), "The upload holds more than the limits allow: `expected` says how much."),
    "recording_too_long": ((413,), "Too long to be waited for: send it to `POST /batches`."),
    "signal_too_large": ((413,), "More samples than one answer carries: ask for a shorter window or fewer leads."),
    "too_many_marks": ((413,), "More annotations than one answer carries: ask for a shorter window."),
    "unknown_format": ((415,), "No reader recognises the content."),
    "unsupported_encoding": ((415,), "The body is packed in a way that is not understood."),
    "invalid_value": ((422,), "A value cannot be used: `field`, `found`, `expected` and `options` say which and why."),
    "unreadable_file": ((422,), "The file is damaged, empty, or not what it says."),
    "needs_option": ((422,), "The file does not say it: send `fs` or `units`."),
    "several_recordings": ((422,), "One was expected: send several to `POST /batches`."),
    "reader_failed": ((422,), "Reading the file broke off, or took too long."),
    "read_error": ((422,), "The file cannot be read."),
    "write_error": ((422,), "The format cannot hold this recording."),
    "set_not_installed": ((422,), "The data set is not installed on this service."),
    "weak_password": ((422,), "The password is among the first that are guessed."),
    "idempotency_key_reused": ((422,), "The key was sent before with another request."),
    # too much, or too early
    "too_many_attempts": ((429,), "Too many wrong passwords: wait for `Retry-After`."),
    "too_many_requests": ((429,), "The account waits for as many analyses as it may: `Retry-After`."),
    "busy": ((503,), "The service waits for as much as it can: `Retry-After`."),
    "reader_unavailable": ((503,), "No process is free to read the upload: `Retry-After`."),
    "not_ready": ((503,), "The service cannot do its work, or cannot yet: `checks` says why."),
    "data_set_error": ((503,), "An installed data set cannot be used."),
    # what is wrong with the service
    "internal_error": ((500,), "The service failed; its log says how, under `request_id`."),
    "gave_up": ((500,), "Of a job: its process ended each time that it was taken up."),
    "model_error": ((500,), "A model is damaged."),
    "database_behind": ((500,), "The database has not the tables of this version."),
    "ecg_error": ((500,), "Something else went wrong."),
}
"""Code to its statuses and what it means."""


def describe_codes() -> str:
    """Return the list, for `/docs`."""
    return "\n".join(f"- `{code}`: {what}" for code, (_, what) in CODES.items())
