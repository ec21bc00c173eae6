"""What became of statements: which appeared, which are gone, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Mapping

from ecg_core.comparison.differences import Told, log_odds, which
from ecg_core.comparison.noise import Level, Noise
from ecg_core.comparison.value import Change, Fate, StatementChange, Verdict
from ecg_core.findings.stated import FAMILY_HEAD, READER, STATEMENT_HEAD
from ecg_core.findings.value import KINDS
from ecg_core.predictors.views import FULL
from ecg_core.predictors.windows import INPUTS

HEADS = ("superclass", "subclass", "statements", "rhythm", "af")
"""Heads of the 12-lead model whose labels come and go."""
_QUIET = ("quality", "risk")
"""Findings on the recording, and on what may come: that they come and go says nothing of the heart."""
_WITHHELD = "nothing is said of it in {}: {}"
_UNMEASURED = "how much it differs where nothing changed was not measured"
Labels = Mapping[str, Mapping[str, Change]]


def judge(before: float, after: float, by: float, level: Level | None, reason: str | None) -> Change:
    """Return the change of a figure that both recordings have."""
    if reason is None and level is None:
        reason = _UNMEASURED
    verdict: Verdict = "cannot be told"
    if reason is None and level is not None:
        verdict = "changed" if abs(by) > level.limit else "within noise"
    return Change(before, after, by, verdict, level, reason)


def label_changes(before: Told, after: Told, noise: Noise) -> dict[str, dict[str, Change]]:
    """Return the probability of every label of the 12-lead model in both; the difference is in log odds."""
    first, second = _said(before), _said(after)
    whole = _why_not(first, second, noise)
    found: dict[str, dict[str, Change]] = {}
    for head in HEADS:
        start, end = first.get(head) or {}, second.get(head) or {}
        row = {
            name: _label_change(start.get(name), end.get(name), noise.labels.get(f"{head}.{name}"), whole)
            for name in dict.fromkeys((*start, *end))
        }
        if row:
            found[head] = row
    return found


def age_change(before: Told, after: Told, noise: Noise) -> Change:
    """Return the age that the model estimates in both, in years."""
    first, second = _said(before), _said(after)
    values = [(said.get("age") or {}).get("value") for said in (first, second)]
    if values[0] is None or values[1] is None:
        return Change(values[0], values[1], None, "cannot be told", None, "it was not estimated in both recordings")
    return judge(values[0], values[1], values[1] - values[0], noise.age_years, _why_not(first, second, noise))


def statement_changes(
    before: Told, after: Told, measured: Mapping[str, Change], labels: Labels
) -> tuple[StatementChange, ...]:
    """Return what became of each finding, the critical first, then by theme."""
    sides = [
        {item["code"]: item for item in told["findings"] if item["kind"] not in _QUIET} for told in (before, after)
    ]
    found = [
        _fate_of(code, sides[0].get(code), sides[1].get(code), (before, after), measured, labels)
        for code in dict.fromkeys((*sides[1], *sides[0]))
    ]
    return tuple(sorted(found, key=lambda item: KINDS.index(item.kind)))


def _fate_of(
    code: str,
    first: Told | None,
    second: Told | None,
    both: tuple[Told, Told],
    measured: Mapping[str, Change],
    labels: Labels,
) -> StatementChange:
    item = second or first
    assert item is not None  # noqa: S101 - the code is of one of them
    head = next((head for head in (STATEMENT_HEAD, FAMILY_HEAD) if code in labels.get(head, {})), None)
    label = labels[head][code] if head else None
    fate: Fate = "stays" if first and second else "appeared" if second else "disappeared"
    reason = None
    if fate != "stays":
        other = both[0] if second else both[1]
        if reason := _why_untold(code, head, other, item, both):
            fate = "cannot be told"
        elif _holds(code, head, other, item):
            fate = "stays"
    return StatementChange(
        code,
        item["text"],
        item["kind"],
        fate,
        first["confidence"] if first else label.before if label else None,
        second["confidence"] if second else label.after if label else None,
        None if reason else _beyond(code, item, label, measured),
        reason,
    )


def _holds(code: str, head: str | None, other: Told, item: Told) -> bool:
    """Return whether a recording shows what is told of it under another name.

    Of several statements of one group the most probable is told, and a limit that a statement rests on is not told
    again.
    """
    if head is not None:
        return bool(((_said(other).get(head) or {}).get(code) or {}).get("positive")) and item["model"] is not None
    name, _, flag = code.rpartition("_")
    figure = other["measurements"].get(name)
    return isinstance(figure, Mapping) and figure["value"] is not None and figure["flag"] == flag


def _why_untold(code: str, head: str | None, other: Told, item: Told, both: tuple[Told, Told]) -> str | None:
    """Return why a recording that lacks a finding is not known to lack it, or None."""
    where = which(other is both[0], other is both[1] and other is not both[0])
    if other["quality"]["verdict"] == "poor":
        return f"the signal of {where} is poor"
    if item["model"] is None:
        missing = [
            name
            for name in item["values"]
            if name in other["measurements"] and other["measurements"][name]["value"] is None
        ]
        return _WITHHELD.format(where, other["measurements"][missing[0]]["reason"]) if missing else None
    if head is None:
        return None
    said = _said(other)
    points = [told["provenance"]["settings"]["operating_point"] for told in both]
    if points[0] != points[1]:
        return f"statements were called at two operating points: {points[0]} and {points[1]}"
    answer = (said.get(head) or {}).get(code)
    if answer is None:
        refusals = said.get("out_of_scope") or ["the 12-lead model was not asked"]
        return _WITHHELD.format(where, "; ".join(refusals))
    return _WITHHELD.format(where, answer["reason"]) if answer["probability"] is None else None


def _beyond(code: str, item: Told, label: Change | None, measured: Mapping[str, Change]) -> bool | None:
    """Return whether what a finding rests on changed beyond its noise; None where that is not known."""
    if item["model"] is not None and label is not None:
        resting = [label]
    else:
        names = {code.rpartition("_")[0], *item["values"]}
        resting = [measured[name] for name in names if name in measured]
    known = [found.verdict == "changed" for found in resting if found.verdict != "cannot be told"]
    return any(known) if known else None


def _label_change(first: Told | None, second: Told | None, level: Level | None, whole: str | None) -> Change:
    values = [None if item is None else item["probability"] for item in (first, second)]
    if values[0] is None or values[1] is None:
        lacks = values[0] is None, values[1] is None
        reasons = [item["reason"] for item in (first, second) if item and item["probability"] is None]
        reason = _WITHHELD.format(which(*lacks), reasons[0] if reasons else whole or "the model was not asked")
        return Change(values[0], values[1], None, "cannot be told", level, reason)
    by = float(log_odds(values[1]) - log_odds(values[0]))
    return judge(values[0], values[1], by, level, whole)


def _said(told: Told) -> Told:
    found: Told = told["predictions"].get(READER, {})
    return found


def _why_not(first: Told, second: Told, noise: Noise) -> str | None:
    """Return why the answers of the 12-lead model cannot be set beside one another, or None."""
    abstained = not first.get("view"), not second.get("view")
    if any(abstained):
        return f"the 12-lead model says nothing of {which(*abstained)}"
    if first["version"] != second["version"]:
        return f"two versions of the model spoke: {first['version']} and {second['version']}"
    if first["version"] != noise.model.get("version"):
        return f"how much version {first['version']} differs where nothing changed was not measured"
    fewer = [said["view"] != FULL or len(said["leads"]) < len(INPUTS) for said in (first, second)]
    return f"the model read fewer leads of {which(*fewer)} than the noise was measured for" if any(fewer) else None
