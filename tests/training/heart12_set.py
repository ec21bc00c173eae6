"""A small set in the form of PTB-XL, synthetic, and noise recordings beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ecg_core.readers import READERS
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize

FOLDS = range(1, 10)
EACH = 10
STATEMENTS = """,description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass
NORM,normal ECG,1.0,,,NORM,NORM
IMI,inferior infarct,1.0,,,MI,IMI
NDT,non-diagnostic T,1.0,1.0,,STTC,STTC
CLBBB,complete left bundle branch block,1.0,,,CD,CLBBB
LVH,left ventricular hypertrophy,1.0,,,HYP,LVH
SR,sinus rhythm,,,1.0,,
AFIB,atrial fibrillation,,,1.0,,
"""


def write_set(root: Path) -> None:
    """Write ``ptbxl`` with `EACH` records a fold, half of them in AF, and ``nstdb``."""
    folder = root / "ptbxl"
    rows = ["ecg_id,age,sex,scp_codes,strat_fold,filename_lr,filename_hr"]
    elsewhere = ["ecg_id,af_elsewhere"]
    for fold in FOLDS:
        for number in range(EACH):
            ecg_id, af = 100 * fold + number, number % 2 == 1
            stem = f"records100/00000/{ecg_id:05d}_lr"
            made = synthesize("af" if af else "sinus", seed=ecg_id, fs=100, noise="muscle", snr_db=20).recording
            (folder / stem).parent.mkdir(parents=True, exist_ok=True)
            for name, content in READERS["wfdb"].write(made, Path(stem).name).items():
                ((folder / stem).parent / name).write_bytes(content)
            other = ("NORM", "IMI", "NDT", "CLBBB", "LVH")[number % 5]
            codes = f"{{'{other}': 100.0, '{'AFIB' if af else 'SR'}': 0.0}}"
            rows.append(f'{ecg_id},{40 + number * 4 + fold},{number % 3 % 2},"{codes}",{fold},{stem},{stem}')
            if not af:
                elsewhere.append(f"{ecg_id},{int(number == 0)}")
    (folder / "ptbxl_database.csv").write_text("\n".join(rows) + "\n")
    (folder / "scp_statements.csv").write_text(STATEMENTS)
    (folder / "af_elsewhere.csv").write_text("\n".join(elsewhere) + "\n")
    rng = np.random.default_rng(0)
    (root / "nstdb").mkdir()
    for kind in ("bw", "em", "ma"):
        noise = Recording(np.cumsum(rng.normal(0, 0.02, (2, 360 * 80)), axis=1), 360, ("ECG1", "ECG2"))
        for name, content in READERS["wfdb"].write(noise, kind).items():
            (root / "nstdb" / name).write_bytes(content)
