"""All tables. `migrations/` makes them; a test holds that both say the same on both databases.

Columns marked "sealed" hold personal data under SM4-GCM; `*_index` columns are blind indexes
(HMAC-SM3) to find it by. Tables in GUARDED decide something: each of their rows carries a version
and an HMAC over everything in it, checked whenever the row is used. Everything about a person
carries the holder's id, so that the database can be spread by it.
"""

from card_core.store.schema.base import metadata
from card_core.store.schema.card_dates import card_dates
from card_core.store.schema.consents import consents
from card_core.store.schema.devices import (
    bundles,
    device_credentials,
    devices,
    offline_policies,
    status_lists,
)
from card_core.store.schema.epochs import fast_epochs, fast_owners
from card_core.store.schema.field_keys import field_keys, field_reseals
from card_core.store.schema.filings import (
    blank_cards,
    family_members,
    filings,
    guardianships,
)
from card_core.store.schema.holder_base import holder_changes, stock_cards
from card_core.store.schema.holders import (
    applications,
    batch_chunks,
    batches,
    card_policies,
    cards,
    ecards,
    holders,
)
from card_core.store.schema.making import makers, making_chunks, making_orders, makings
from card_core.store.schema.offline_scans import offline_pairs, offline_scans
from card_core.store.schema.parties import (
    approvals,
    enrolments,
    institutions,
    issuer_keys,
    issuers,
    operators,
    terminals,
)
from card_core.store.schema.person_checks import person_checks
from card_core.store.schema.presenting import printed_codes, short_codes
from card_core.store.schema.records import (
    answers,
    audit_checkpoints,
    audit_events,
    audit_heads,
    outbox,
    outbox_positions,
    proofs,
    restores,
)
from card_core.store.schema.retention import holder_exports, retention_policies
from card_core.store.schema.scan_reports import scan_reports
from card_core.store.schema.scans import code_box_keys, scans, spent
from card_core.store.schema.signing_in import (
    credentials,
    operator_factors,
    sessions,
    sign_in_attempts,
)
from card_core.store.schema.trust import peer_scans, trust
from card_core.store.schema.visits import reversals, visits

# Acts record each change of such a row in the audit log, so that an old row put back is seen.
AUDITED = frozenset(
    {
        issuers,
        issuer_keys,
        trust,
        operators,
        operator_factors,
        institutions,
        terminals,
        enrolments,
        approvals,
        batches,
        card_policies,
        retention_policies,
        cards,
        ecards,
        visits,
        reversals,
        fast_epochs,
        devices,
        offline_policies,
        holder_changes,
        makers,
        making_orders,
        field_keys,
        restores,
        filings,
        blank_cards,
        guardianships,
        family_members,
        consents,
    }
)
# Whoever uses an epoch sees that its row went back, and opens a new one (decision 8); to refuse the
# row would keep them from it.
FOLLOWED = AUDITED - {fast_epochs}
GUARDED = AUDITED | {
    credentials,
    sign_in_attempts,
    sessions,
    printed_codes,
    person_checks,
    device_credentials,
    status_lists,
    bundles,
    offline_scans,
    offline_pairs,
    makings,
}

__all__ = [
    "AUDITED",
    "FOLLOWED",
    "GUARDED",
    "answers",
    "applications",
    "approvals",
    "audit_checkpoints",
    "audit_events",
    "audit_heads",
    "batch_chunks",
    "batches",
    "blank_cards",
    "bundles",
    "card_dates",
    "card_policies",
    "cards",
    "code_box_keys",
    "consents",
    "credentials",
    "device_credentials",
    "devices",
    "ecards",
    "enrolments",
    "family_members",
    "fast_epochs",
    "fast_owners",
    "field_keys",
    "field_reseals",
    "filings",
    "guardianships",
    "holder_changes",
    "holder_exports",
    "holders",
    "institutions",
    "issuer_keys",
    "issuers",
    "makers",
    "making_chunks",
    "making_orders",
    "makings",
    "metadata",
    "offline_pairs",
    "offline_policies",
    "offline_scans",
    "operator_factors",
    "operators",
    "outbox",
    "outbox_positions",
    "peer_scans",
    "person_checks",
    "printed_codes",
    "proofs",
    "restores",
    "retention_policies",
    "reversals",
    "scan_reports",
    "scans",
    "sessions",
    "short_codes",
    "sign_in_attempts",
    "spent",
    "status_lists",
    "stock_cards",
    "terminals",
    "trust",
    "visits",
]
