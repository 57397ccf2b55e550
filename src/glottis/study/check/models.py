"""What of the settings of models does not fit this cohort: batches of the harmonisation, the named volume."""

from __future__ import annotations

from collections import Counter

from glottis._errors import nearest
from glottis.modelling.confounding import tangled
from glottis.study.check.finding import Finding, Severity, counted
from glottis.study.source import Source

ROWS_A_FOLD = 2
CENTRE = "centre"


def check_models(source: Source) -> list[Finding]:
    """Findings on harmonisation and controls; empty where the study asks for neither."""
    study = source.study
    findings: list[Finding] = []
    wanted = study.controls.volume
    if isinstance(wanted, str) and source.given is not None and wanted not in source.given.columns.features:
        message = f"controls.volume names '{wanted}', which is no feature of the table."
        findings.append(_of_cohort("error", "no-volume", message, "Correct the name, or set it to true or false."))
    if study.harmonise is None:
        return findings
    for name in (study.harmonise.batch, *study.harmonise.covariates):
        if name != CENTRE and name not in source.frame.columns:
            message = f"harmonise names the column '{name}', which the manifest has not."
            remedy = f"Correct the name ({nearest(name, list(map(str, source.frame.columns))[:50])})."
            findings.append(_of_cohort("error", "no-batch", message, remedy))
    if findings and findings[-1].code == "no-batch":
        return findings
    batch = _batches(source)
    for name, n in sorted(Counter(batch.values()).items()):
        if n < ROWS_A_FOLD * study.model.folds:
            message = (
                f"Batch '{name}' of the harmonisation has {counted(n, 'patient')}, fewer than {ROWS_A_FOLD} for each "
                f"of the {study.model.folds} inner folds."
            )
            remedy = "Merge it with a batch like it, use fewer folds, or set harmonise.unseen to reference."
            findings.append(_of_cohort("warning", "rare-batch", message, remedy))
    return [*findings, *_tangled(source, batch)]


def _batches(source: Source) -> dict[str, str]:
    """Batch of every patient who has one."""
    block = source.study.harmonise
    assert block is not None
    if block.batch == CENTRE:
        return {case.patient: case.centre for case in source.cohort if case.centre}
    ids = source.frame[source.roles.id].astype(str).str.strip()
    cells = zip(ids, source.frame[block.batch], strict=True)
    return {patient: str(cell) for patient, cell in cells if str(cell).strip() not in ("", "nan", "None")}


def _tangled(source: Source, batch: dict[str, str]) -> list[Finding]:
    """Whether batch and outcome go together; of the centre another check says it."""
    if source.study.harmonise is not None and source.study.harmonise.batch == CENTRE:
        return []
    known = [(batch[case.patient], case.outcome) for case in source.cohort if case.patient in batch]
    pairs = [(name, outcome) for name, outcome in known if outcome is not None]
    if len({name for name, _ in pairs}) < 2 or len({outcome for _, outcome in pairs}) < 2:
        return []
    warning = tangled([name for name, _ in pairs], [outcome for _, outcome in pairs]).warning
    remedy = "Judge the model within each batch too; do not read a fall of the AUC as honesty alone."
    return [_of_cohort("warning", "tangled-batch", warning, remedy)] if warning else []


def _of_cohort(severity: Severity, code: str, message: str, remedy: str) -> Finding:
    return Finding(severity=severity, code=code, message=message, remedy=remedy)
