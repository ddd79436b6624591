"""Every check there is, in one table: its id, what it certifies, what it is judged on, and its function.

A check returns its evidence in numbers, or raises Finding or Inconclusive. Any other exception means that
the harness or an input of it cannot work, which is no verdict on the connector.

To add one: write a function in its family's file, then its line here, its sentence in docs/checks, and a
test in which it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pytest_connproof.checks import (
    agreed,
    altered,
    cfg,
    credentials_sent,
    drf,
    err,
    errors_played,
    lim,
    limits_played,
    limits_told,
    ovr,
    pag,
    par,
    rec,
    refreshed,
    ret,
    rpl,
    tok,
    ver,
)
from pytest_connproof.checks import map as mapped  # a submodule of that name hides the function
from pytest_connproof.finding import Evidence
from pytest_connproof.subject import Subject

__all__ = ["CHECKS", "FAMILIES", "Check", "Judge", "targets"]

Judge: TypeAlias = Callable[[Subject, str], Evidence]
Scope: TypeAlias = Literal["connector", "recording", "lane", "operation", "listing", "answers", "contract", "model"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check, and what it is judged on.

    `operation` is every lane, and every operation without one; `answers` is every operation with answers, of a
    connector that has contracts; `contract` is every operation that has one, and of which something is read; `listing`
    is every operation with pages; `model` is every unified model that is mapped to.
    """

    id: str
    certifies: str
    scope: Scope
    judge: Judge

    @property
    def family(self) -> str:
        return self.id.partition("-")[0].lower()


CHECKS: Final[Sequence[Check]] = (
    Check("CFG-001", "the config is valid, its expressions included", "connector", cfg.is_valid),
    Check("CFG-002", "every recorded request went to an allowed origin", "connector", cfg.origins_are_pinned),
    Check("CFG-003", "the config holds no secret", "connector", cfg.holds_no_secret),
    Check(
        "CFG-004",
        "the connector is data: no code beside it, no name of it in the engine",
        "connector",
        cfg.is_data_only,
    ),
    Check("CFG-005", "nothing that the last certificate promised is gone", "connector", cfg.is_compatible),
    Check("REC-001", "the recording can be read, whole", "recording", rec.is_readable),
    Check("REC-002", "the recording is proved clean of secrets and persons", "recording", rec.is_clean),
    Check("REC-003", "the recording says what kind of evidence it is", "recording", rec.provenance_is_stated),
    Check("REC-004", "the recording is fresh", "recording", rec.is_fresh),
    Check("REC-005", "the recording is of the config's API version", "recording", rec.has_the_version),
    Check("REC-006", "every lane replays an operation of the config", "recording", rec.lanes_are_known),
    Check("RPL-001", "every recorded exchange is used", "operation", rpl.every_exchange_is_used),
    Check("RPL-002", "every request is recorded, in its turn", "lane", rpl.every_request_is_recorded),
    Check(
        "RPL-003",
        "credentials are sent where they belong, and nowhere else",
        "lane",
        credentials_sent.credentials_are_in_place,
    ),
    Check("RPL-004", "the read ends by itself, or in the provider's error", "lane", rpl.the_read_ends),
    Check("RPL-005", "every record of every page reaches the caller once", "lane", rpl.every_record_arrives),
    Check("RPL-006", "every listing with pages was read past the first", "connector", rpl.every_paging_is_exercised),
    Check("RPL-007", "a read that is broken off goes on without loss", "lane", altered.broken_reads_go_on),
    Check(
        "RPL-008",
        "a page that comes again, is gone or is shorter leaves no hole",
        "lane",
        altered.odd_pages_leave_no_hole,
    ),
    Check(
        "RPL-009",
        "a field of another type is told or allowed, a new one changes nothing",
        "lane",
        altered.odd_fields_change_nothing_unseen,
    ),
    Check("PAR-001", "the records equal the baseline, field by field", "lane", par.records_are_equal),
    Check("PAR-002", "the requests equal the baseline's", "lane", par.requests_are_equal),
    Check("PAR-003", "every mapped field is exercised", "connector", par.every_field_is_exercised),
    Check("PAR-004", "every waiver is valid and used", "connector", par.deviations_are_in_order),
    Check("PAR-005", "every snapshot has a lane", "connector", par.every_snapshot_has_a_lane),
    Check("PAG-001", "every record arrives once, in order", "listing", pag.every_record_arrives_once),
    Check("PAG-002", "no request is made that tells nothing", "listing", pag.no_request_too_many),
    Check("PAG-003", "a read goes on from any page without loss", "listing", pag.it_goes_on_from_any_page),
    Check("PAG-004", "a listing that contradicts itself ends in an error", "listing", pag.contradictions_are_told),
    Check("PAG-005", "reads share nothing", "listing", pag.reads_share_nothing),
    Check("PAG-006", "data that moves loses no record that stays", "listing", pag.moving_data_loses_nothing),
    Check("PAG-007", "what is read stands where the contract says", "contract", agreed.what_is_read_stands),
    Check("LIM-001", "a throttle reaches the caller at once", "connector", lim.throttles_reach_the_caller),
    Check(
        "LIM-002",
        "no more is told of a quota than the provider said",
        "connector",
        limits_told.limits_are_not_overstated,
    ),
    Check("LIM-003", "what looks like a throttle and is none is none", "connector", lim.look_alikes_are_no_throttles),
    Check(
        "LIM-004",
        "a listing that a throttle broke off goes on without loss",
        "connector",
        lim.nothing_is_lost_to_a_throttle,
    ),
    Check(
        "LIM-005",
        "a throttle at any point is told at once and exactly",
        "listing",
        limits_played.throttles_are_told_right,
    ),
    Check("LIM-006", "a throttled read goes on without loss", "listing", limits_played.throttled_reads_go_on),
    Check(
        "LIM-007",
        "what a throttle looks like without its marks is none",
        "listing",
        limits_played.look_alikes_are_passed_on,
    ),
    Check(
        "LIM-008",
        "a throttle of one account reaches no other",
        "listing",
        limits_played.a_throttle_is_its_accounts_own,
    ),
    Check("ERR-001", "an error reaches the caller as what it is", "connector", err.errors_reach_the_caller),
    Check("ERR-002", "no success says in its body that it failed", "connector", err.successes_hold_no_error),
    Check("ERR-003", "every error rule is exercised", "connector", err.every_rule_is_exercised),
    Check("ERR-004", "every failing element of a batch is told", "connector", err.failing_elements_are_told),
    Check("ERR-005", "an error in a listing is never a hole", "listing", errors_played.errors_are_no_holes),
    Check("ERR-006", "what breaks on the way is no page and no end", "listing", errors_played.what_breaks_is_no_end),
    Check("TOK-001", "workers that refresh at once make one exchange", "connector", tok.one_refresh_for_all),
    Check(
        "TOK-002",
        "a refusal that comes late refreshes nothing twice",
        "connector",
        tok.a_late_refusal_refreshes_nothing_twice,
    ),
    Check(
        "TOK-003",
        "a lost answer or a dead worker loses no account in silence",
        "connector",
        tok.no_account_is_lost_in_silence,
    ),
    Check(
        "TOK-004",
        "a lost answer ends no grant whose access token lives",
        "connector",
        tok.a_lost_answer_ends_no_grant,
    ),
    Check("TOK-005", "recorded refreshes are as declared", "connector", refreshed.refreshes_are_as_declared),
    Check("MAP-001", "the fast path means what jsonata-python means", "model", mapped.fast_path_is_the_reference),
    Check("MAP-002", "every mapped record is what its model allows", "model", mapped.results_meet_the_model),
    Check(
        "MAP-003", "a record that cannot be mapped is told by its place alone", "model", mapped.errors_name_their_place
    ),
    Check("OVR-001", "a layer that changes nothing changes nothing", "connector", ovr.nothing_changes_nothing),
    Check("OVR-002", "no account's layer is seen by another", "connector", ovr.accounts_are_apart),
    Check(
        "OVR-003", "a field comes by configuration alone, and goes by null", "model", ovr.fields_come_by_configuration
    ),
    Check("OVR-004", "every field says which level gave it", "model", ovr.every_field_says_its_level),
    Check("DRF-001", "what the config reads is as in the contract", "answers", drf.what_is_read_holds),
    Check("DRF-002", "all else is as in the contract, or only more", "answers", drf.all_else_is_reviewed),
    Check(
        "DRF-003", "every contract can be compared, of an operation there is", "connector", drf.contracts_are_in_order
    ),
    Check("VER-001", "the pinned API version is sent with every request", "connector", ver.is_sent),
    Check(
        "VER-002", "no end of the version is due that the config does not know", "connector", ver.nothing_ends_unknown
    ),
    Check("VER-003", "the version that was served is the one asked for", "connector", ver.served_is_asked),
    Check(
        "RET-001",
        "what a provider sent reaches the caller, and nothing else",
        "connector",
        ret.payloads_reach_the_caller_alone,
    ),
    Check("RET-002", "no error shows what a provider sent", "connector", ret.errors_hold_no_payload),
)

FAMILIES: Final[Sequence[str]] = tuple(dict.fromkeys(check.family for check in CHECKS))


def targets(check: Check, subject: Subject) -> Iterator[str]:
    """What a check is judged on for this connector: "" for the connector as a whole."""
    if check.scope == "connector":
        if _applies(check, subject):
            yield ""
    elif check.scope == "model":
        yield from subject.connector.unified
    elif check.scope == "answers":
        yield from subject.answers if subject.contracts else ()
    elif check.scope == "contract":
        yield from (one for one in _contracted(subject) if agreed.reads_something(subject, one))
    elif check.scope == "listing":
        yield from (one.id for one in subject.paged if check.id != "PAG-006" or pag.is_plain(one))
    elif check.scope == "recording":
        yield from (path.name for path in subject.recording_files)
    else:
        yield from (lane_id for lane_id in subject.lanes if _bears(check, subject, lane_id))
        if check.scope == "operation":
            exercised = {recorded.lane.operation for recorded in subject.lanes.values()}
            yield from (operation.id for operation in subject.connector.operations() if operation.id not in exercised)


def _contracted(subject: Subject) -> Iterator[str]:
    """The operations with a contract, in the config's order; of a contract of none, DRF-003 tells."""
    yield from (one.id for one in subject.connector.operations() if one.id in subject.contracts)


def _bears(check: Check, subject: Subject, lane_id: str) -> bool:
    """Whether a lane has what this check is about."""
    match check.id:
        case "RPL-007":
            return altered.bears(altered.broken_off, subject, lane_id)
        case "RPL-008":
            return altered.bears(altered.with_odd_pages, subject, lane_id)
        case "RPL-009":
            return altered.bears(altered.with_odd_fields, subject, lane_id)
        case _:
            return True


def _applies(check: Check, subject: Subject) -> bool:
    """Whether a connector has what this check is about."""
    version = subject.connector.api_version
    match check.id:
        case "RPL-006" | "LIM-004":
            return bool(subject.paged)
        case "LIM-001":
            return subject.connector.rate_limit is not None or lim.has_a_throttle(subject)
        case "LIM-002":
            return bool(limits_told.declared(subject))
        case "LIM-003":
            return subject.connector.rate_limit is not None
        case "ERR-001":
            return err.has_an_error(subject)
        case "ERR-003":
            return bool(err.declared_rules(subject))
        case "ERR-004":
            return any(operation.elements for operation in subject.connector.operations())
        case "PAR-003" | "OVR-001" | "OVR-002":
            return bool(subject.connector.unified)
        case "DRF-003":
            return bool(subject.contracts)
        case "TOK-001" | "TOK-002" | "TOK-003" | "TOK-004":
            return tok.is_refreshed(subject)
        case "TOK-005":
            return refreshed.applies(subject)
        case "VER-001":
            return version is not None
        case "VER-002":
            return bool(subject.recordings)
        case "VER-003":
            return version is not None and version.served is not None
        case _:
            return True
