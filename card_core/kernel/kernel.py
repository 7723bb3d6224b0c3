"""The kernel: the one place through which every act that changes state goes.

One act is one transaction, in this order:

    1  the signed request's nonce is spent, where there is one; it stays spent if the act is refused
    2  the request id is taken; of requests with the same id one goes on and the others wait for it
    3  the actor's state and roles are read anew, and locked against change
    4  a request id that was answered before gets that answer, and nothing more happens
    5  the act is allowed and applied
    6  audit event, outbox event and the answer, sealed for retries, are written

All of it commits together or not at all; then, before the answer is out, the fast store is told
which cards changed (`card_pushes`). Nothing else in this project opens a transaction that
writes; a test of the sources holds that.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from card_core import states
from card_core.errors import (
    ApprovalNeededError,
    CardCoreError,
    ContentChangedError,
    NotAllowedError,
    StoreConflictError,
    StoreError,
    TooManyShortCodesError,
    WrongStateError,
)
from card_core.kernel import (
    approvals,
    authorisation,
    card_pushes,
    identified,
    limits,
    requests,
    scan_groups,
    sweeping,
)
from card_core.kernel.act import Act, Answer, DangerousAct, Done, Scene
from card_core.kernel.actors import Actor, ActorKind, RequestProof
from card_core.kernel.box_keys import BoxKeyWrap
from card_core.kernel.card_pushes import CardPusher
from card_core.kernel.content import canonical_bytes
from card_core.kernel.grants import Grants
from card_core.kernel.identified import IdentifiedScan
from card_core.kernel.permissions import ACTS, RULES, Rule
from card_core.kernel.personalising import Personaliser
from card_core.kernel.requests import Performed, Request
from card_core.kernel.scan_requests import ScanRequest
from card_core.states import Step
from card_core.store import (
    Lock,
    Store,
    Transaction,
    answers,
    epochs,
    outbox,
    printed_codes,
    sessions,
    short_codes,
)
from card_core.store import approvals as stored_approvals
from card_core.store.approvals import Approval
from card_core.store.short_codes import ShortCode

# Deadlocks and lost races for a unique value are tried again; what is left after that is not luck.
ATTEMPTS_MAX = 5
# Of one holder at a time; an app that shows a new one every 30 s has three.
SHORT_CODES_MAX = 8
# With each new one that is kept: more go than come, so that the table stays small by itself.
SHORT_CODES_SWEPT = 2

_Result = TypeVar("_Result")


class Kernel:
    """All acts of a service go through one of these; it keeps no state of its own.

    clock: returns the time, aware, UTC. random_bytes: a cryptographic source.
    box_key_wrap: opens the day's box keys; without it none is kept. grants: what accepted scans
    are answered with; without it they get neither receipt nor visit, and none is reversed.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        box_key_wrap: BoxKeyWrap | None = None,
        grants: Grants | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.random_bytes = random_bytes
        self.box_key_wrap = box_key_wrap
        self.grants = grants
        # Tells the fast store of cards that changed. It is made of a kernel itself, so the
        # composition root sets it afterwards; None where there is no fast store.
        self.card_pusher: CardPusher | None = None
        # Makes what is written into cards; set where cards are issued, and nowhere else.
        self.personaliser: Personaliser | None = None

    def perform(
        self,
        act: Act,
        *,
        actor: Actor,
        request_id: str,
        proof: RequestProof | None = None,
        fingerprint: bytes | None = None,
    ) -> Answer:
        """Do an act that needs no second person, and return its answer.

        request_id: 1 to 64 printable ASCII characters, unique for each request of this actor; the
        same id with the same content gets the same answer for `sweeping.ANSWERS_KEPT` and does
        nothing again.
        fingerprint: a digest of the caller's whole request, which then is what has to be the same,
        whatever the act was made of meanwhile.
        Raises: KernelError and its children, StoreError; nothing has changed then, except that
        the proof is spent.
        """

        def work(scene: Scene) -> Done:
            if isinstance(act, DangerousAct) and not (
                actor.kind is ActorKind.SYSTEM and act.is_part_of_set_up(scene.tx)
            ):
                raise ApprovalNeededError
            authorisation.check_may_perform(scene, type(act))
            return act.apply(scene)

        return self._run(
            Request(act.act, act.request(), actor, request_id, proof, act.chain, fingerprint),
            work,
        )

    def answered(self, request_id: str, fingerprint: bytes, *, actor: Actor) -> Answer | None:
        """The answer that this request got before; None where there is none yet.

        For whatever a first request has to show and a retry need not. Raises
        IdempotencyConflictError where the id was another request's.
        """
        limits.check_request_id(request_id)
        key = answers.RequestKey(actor.kind.value, actor.id, request_id)
        with self.store.read() as tx:
            kept = answers.find(tx, key, requests.repeated(fingerprint))
        if kept is None:
            return None
        answer = requests.read_answer(kept)
        # As for any retry: perhaps the process died before the fast store was told.
        self._push(card_pushes.named_in(answer))
        return answer

    def complete(self, request_id: str, more: Answer, *, actor: Actor) -> Answer:
        """Add to a kept answer what could only be made after its act, such as signatures, and
        return the whole; of several that do so the first one's is kept and returned to all.

        Raises StoreError; StoreConflictError where no answer is kept.
        """
        key = answers.RequestKey(actor.kind.value, actor.id, request_id)
        with self.store.write() as tx:
            tx.lock(f"answers/{key}", Lock.OWN)
            kept = answers.reopen(tx, key)
            answer = requests.read_answer(kept)
            if more.keys() <= answer.keys():
                return answer
            whole = canonical_bytes({**answer, **more})
            answers.keep(tx, key, whole)
            return requests.read_answer(whole)

    def record_scans(self, asked: Sequence[ScanRequest]) -> list[bytes | CardCoreError]:
        """Record a group of scans in one transaction (`scan_groups`): an answer or error for each.

        Raises StoreError where none of them was recorded and none of their nonces spent: all may
        be tried again as they are.
        """
        return self._again_on_conflict(lambda: self._record_scans(asked))

    def record_identified(self, group: Sequence[IdentifiedScan]) -> int:
        """Write the records of scans that are answered already; how many were not there yet.

        Raises StoreError, NoSigningKeyError, CryptoError: nothing is recorded then, and the same
        group may be given again.
        """
        return self._again_on_conflict(lambda: self._record_identified(group))

    def propose(self, act: DangerousAct, *, actor: Actor, request_id: str) -> Answer:
        """Keep a dangerous act until another person decides.

        Returns approval_id, content_hash and summary. Raises as `perform`.
        """
        rule = RULES[type(act)]

        def work(scene: Scene) -> Done:
            authorisation.check_may_propose(scene, rule)
            approval = approvals.propose(scene, act)
            answer = {
                "approval_id": approval.id,
                "content_hash": approval.content_hash,
                "summary": approval.summary,
            }
            detail = {"act": approval.act, "content_hash": approval.content_hash}
            return Done(answer, f"approval/{approval.id}", detail)

        content = {"act": act.act, "content": act.request()}
        return self._run(Request("propose", content, actor, request_id), work)

    def approve(
        self, approval_id: str, *, content_hash: str, actor: Actor, request_id: str
    ) -> Answer:
        """Apply what was proposed, and return the act's answer.

        content_hash: of what the approver has read. The proposal, its stored content, the
        approver and the maker are all read anew in the same transaction.
        Raises as `perform`; SamePersonError, ContentChangedError, WrongStateError.
        """
        limits.check_id("approval_id", approval_id)
        limits.check_hash("content_hash", content_hash)

        def work(scene: Scene) -> Done:
            approval, kind, rule = _decide(scene, approval_id, Step.APPLY)
            authorisation.check_may_approve(scene, rule, approval.maker_id)
            if content_hash != approval.content_hash:
                raise ContentChangedError
            done = approvals.proposed_act(scene.tx, approval, kind).apply(scene)
            _close(scene, approval, Step.APPLY)
            decided = {"approval_id": approval.id, "maker_id": approval.maker_id}
            return Done(done.answer, done.subject, {**done.detail, **decided}, approval.act)

        self._examine(approval_id)
        content = {"approval_id": approval_id, "content_hash": content_hash}
        return self._run(Request("approve", content, actor, request_id), work)

    def reject(self, approval_id: str, *, actor: Actor, request_id: str) -> Answer:
        """Close a proposal without applying it; its maker may, too. Returns approval_id, state."""
        limits.check_id("approval_id", approval_id)

        def work(scene: Scene) -> Done:
            approval, kind, rule = _decide(scene, approval_id, Step.REJECT)
            authorisation.check_may_reject(scene, rule, approval.maker_id)
            approvals.proposed_act(scene.tx, approval, kind).withdraw(scene)
            closed = _close(scene, approval, Step.REJECT)
            answer = {"approval_id": approval.id, "state": closed.value}
            return Done(answer, f"approval/{approval.id}", {"act": approval.act})

        return self._run(Request("reject", {"approval_id": approval_id}, actor, request_id), work)

    def spend_proof(self, proof: RequestProof, *, actor: Actor) -> None:
        """Spend the nonce of a signed request that changes nothing else.

        Raises ReplayedRequestError, StoreError.
        """
        with self.store.write() as tx:
            requests.spend(tx, proof, actor, self.clock())

    def keep_short_code(self, new: ShortCode) -> None:
        """Keep what a short code stands for; some that expired go at the same time.

        Raises TooManyShortCodesError for a holder who has SHORT_CODES_MAX of them; StoreError.
        """
        now = self.clock()
        with self.store.write() as tx:
            short_codes.sweep(tx, now, SHORT_CODES_SWEPT)
            if short_codes.count_of(tx, new.holder_id, now) >= SHORT_CODES_MAX:
                raise TooManyShortCodesError
            short_codes.add(tx, new)

    def keep_code_of_print(self, printed_id: str, code: str) -> str | None:
        """Let a printed code stand for this code from now on, and return what it stands for: of two
        that show it at once, the first one's. None where its holder has another one meanwhile."""
        with self.store.write() as tx:
            found = printed_codes.find(tx, printed_id, Lock.OWN)
            if found is None or found.code is not None:
                return None if found is None else found.code
            printed_codes.set_code(tx, printed_id, code)
            return code

    def touch_session(self, token_digest: bytes) -> None:
        """Note that a session is in use, so that it does not count as idle."""
        with self.store.write() as tx:
            sessions.touch(tx, token_digest, self.clock())

    def advance_outbox(self, consumer: str, chain: str, seq: int) -> None:
        """Note that a consumer of the outbox has taken all events up to this one."""
        with self.store.write() as tx:
            outbox.advance(tx, consumer, chain, seq, self.clock())

    def forget_consumer(self, consumer: str) -> int:
        """Tell a consumer nothing more; in how many chains it stood, 0 for a name unknown."""
        with self.store.write() as tx:
            return outbox.forget(tx, consumer)

    def hold_fast_store(self, owner: str, *, stale_after: timedelta) -> bool:
        """Take or keep the fast store that lives in a process; False while another owner lives.

        owner: 32 hex, drawn by each process.
        """
        with self.store.write() as tx:
            return epochs.hold(tx, owner, stale_after=stale_after)

    def release_fast_store(self, owner: str) -> None:
        with self.store.write() as tx:
            epochs.release(tx, owner)

    def sweep(self) -> dict[str, int]:
        """Delete what has outlived its promise (`sweeping`); how many rows of each kind went."""
        with self.store.write() as tx:
            return sweeping.sweep(tx, self.clock())

    def _examine(self, approval_id: str) -> None:
        """Let the proposed act look at what takes long, with nobody waiting for it."""
        with self.store.read() as tx:
            approval = stored_approvals.get(tx, approval_id)
            kind = ACTS[approval.act] if approval else None
            if approval is None or approval.state is not states.ApprovalState.PENDING:
                return  # the transaction says what is wrong, or gives the answer again
            if kind is not None and issubclass(kind, DangerousAct):
                approvals.proposed_act(tx, approval, kind).examine(tx)

    def _run(self, request: Request, work: Callable[[Scene], Done]) -> Answer:
        limits.check_request_id(request.request_id)
        try:
            performed = self._again_on_conflict(lambda: self._transact(request, work))
        except WrongStateError:
            # Perhaps it was done under another id, by somebody who never heard whether it counts.
            self._push(card_pushes.named_in(request.content))
            raise
        self._push(performed.card_ids)
        return performed.answer

    def _push(self, card_ids: set[str]) -> None:
        if self.card_pusher is not None:
            card_pushes.push(self.store, self.card_pusher, card_ids)

    def _again_on_conflict(self, attempt: Callable[[], _Result]) -> _Result:
        for _ in range(1, ATTEMPTS_MAX):
            with suppress(StoreConflictError):
                return attempt()
        return attempt()

    def _record_scans(self, asked: Sequence[ScanRequest]) -> list[bytes | CardCoreError]:
        with self.store.write() as tx:
            return scan_groups.record_group(tx, asked, self.clock(), self.random_bytes, self.grants)

    def _record_identified(self, group: Sequence[IdentifiedScan]) -> int:
        with self.store.write() as tx:
            return identified.record_group(tx, group, self.clock(), self.grants)

    def _transact(self, request: Request, work: Callable[[Scene], Done]) -> Performed:
        proof, actor = request.proof, request.actor
        if proof is None:
            with self.store.write() as tx:
                return self._answer(tx, request, work, self.clock())
        with self.store.write() as tx:
            now = self.clock()
            # 1 spend the nonce
            requests.spend(tx, proof, actor, now)
            try:
                with tx.savepoint():
                    return self._answer(tx, request, work, now)
            except StoreError:
                raise  # nothing was decided: the same request may be tried again, nonce and all
            except CardCoreError as error:
                refusal = error
        raise refusal

    def _answer(
        self,
        tx: Transaction,
        request: Request,
        work: Callable[[Scene], Done],
        now: datetime,
    ) -> Performed:
        actor = request.actor
        # 2 take the request id
        content = request.to_repeat()
        key = answers.RequestKey(actor.kind.value, actor.id, request.request_id)
        answer = answers.take(tx, key, content, now)
        # 3 read the actor
        standing = authorisation.read_actor(tx, actor)
        # 4 the same request again
        if answer is not None:
            known = requests.read_answer(answer)
            return Performed(known, card_pushes.named_in(known))
        # 5 allow and apply
        done = work(
            Scene(
                tx,
                actor,
                now,
                self.random_bytes,
                standing,
                self.box_key_wrap,
                self.grants,
                self.personaliser,
            )
        )
        # 6 record
        requests.record(tx, request, done, now)
        answer = canonical_bytes(done.answer)
        answers.keep(tx, key, answer)
        return Performed(requests.read_answer(answer), card_pushes.changed_in(tx))


def _decide(
    scene: Scene, approval_id: str, step: Step
) -> tuple[Approval, type[DangerousAct], Rule]:
    """The proposal, locked and still open, the act it is about, and the act's rule."""
    approval = approvals.lock(scene, approval_id)
    states.after(states.APPROVAL, "approval", approval.state, step)
    kind = ACTS[approval.act]
    if not issubclass(kind, DangerousAct):
        raise NotAllowedError
    return approval, kind, RULES[kind]


def _close(scene: Scene, approval: Approval, step: Step) -> states.ApprovalState:
    state = states.after(states.APPROVAL, "approval", approval.state, step)
    stored_approvals.close(scene.tx, approval, state, scene.actor.id, scene.now)
    return state
