"""Our status lists for another issuer, whose terminals carry them: a signed question, as for scans.

The lists are no secret, and signed by themselves. Who asks is checked all the same, so that how
many cards are lost on which day is told to issuers of the trust list alone.
"""

from card_core.codes import KeyPurpose
from card_core.kernel import Actor, ActorKind
from scan_api.bundles.answers import CarriedAnswers
from scan_api.issuers.answering import SignedAnswer, authenticate, proof_of
from scan_api.issuers.signatures import sign_answer
from scan_api.services import Services
from scan_api.signed_requests import SignedRequest


def answer_list(
    services: Services,
    answers: CarriedAnswers,
    signed: SignedRequest,
    day_ends_at: int,
    have: int | None,
) -> SignedAnswer:
    """A whole list or an update. Raises: ProblemError, KernelError, StoreError, NoSigningKeyError.

    have: the version that the asking issuer has.
    """
    question = authenticate(services, signed, services.clock())
    asking = Actor(ActorKind.ISSUER, str(question.asking))
    services.kernel.spend_proof(proof_of(question), actor=asking)
    found = answers.status_list(services.peers.issuer, day_ends_at, have)
    key = services.peers.signing_keys.current(KeyPurpose.PEER)
    return SignedAnswer(found.data, sign_answer(question, found.data, key))
