"""Two recordings of one person beside one another."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import DatabaseOf, ReaderOf
from api.errors import describe_problems
from api.routes.fields import AnalysisId, EarlierId
from api.schemas import Comparison
from api.services import comparisons

router = APIRouter(tags=["Analysis"])


@router.get("/analyses/{analysis_id}/comparison", responses=describe_problems(401, 403, 404, 422, 500))
def compare_analyses(analysis_id: AnalysisId, before: EarlierId, who: ReaderOf, database: DatabaseOf) -> Comparison:
    """Set an analysis beside an earlier one of the same person: each difference beside its noise.

    The noise is what a figure was measured to differ by where nothing changed; `noise` says on what, and what it leaves
    out: other days, and electrodes that were placed anew. `changed` means beyond it, and not better or worse.
    `warnings` say where the two may not be of one person, or not in this order.
    """
    return comparisons.compare(database, who, before, analysis_id)
