"""What operators do about their own way in: enrol a second factor, change the password."""

from card_core.errors import InvalidActError, WeakPasswordError
from card_core.kernel import Kernel, second_factor
from card_core.kernel.acts.own_access import ChangePassword, EnrolFactor
from card_core.sign_in import entering
from card_core.sign_in.factors import Prover
from card_core.sign_in.passwords import check_new_operator_password, hash_password
from card_core.sign_in.profile import Profile
from card_core.store.credentials import SubjectKind
from card_core.store.operator_factors import Factor, FactorKind


def enrol_operator(
    kernel: Kernel,
    name: str,
    password: str,
    *,
    new_password: str,
    factor: Factor,
    prover: Prover,
    pepper: bytes,
    profile: Profile = Profile.SM,
) -> None:
    """Give an operator without a second factor their first, and a password of their own.

    password: what somebody else gave them. prover: answers with the new factor, to show that it is
    at hand. Raises SignInRefusedError, also where there is a second factor;
    SignInLockedError, WeakPasswordError; AlreadyExistsError where somebody else has this key;
    InvalidActError.
    """
    if factor.kind is FactorKind.DYNAMIC and not profile.admits_dynamic_passwords:
        raise InvalidActError(
            "kind",
            "本安装按密评要求运行，第二因素只能是 SM2 密钥",
            "this installation takes an SM2 key alone as the second factor (profile sm)",
        )
    _check_change(password, new_password, name)
    compared = entering.compare(
        kernel,
        SubjectKind.OPERATOR,
        entering.typed(name).lower(),
        password,
        pepper=pepper,
        profile=profile,
    )
    attempt = entering.token_digest(kernel, entering.new_token(kernel))
    hashed = hash_password(
        new_password, pepper=pepper, random_bytes=kernel.random_bytes, profile=profile
    )
    act = EnrolFactor(
        name_index=compared.name_index,
        operator_id=compared.subject_id,
        password_digest=compared.digest,
        matches=compared.matches,
        attempt=attempt,
        password_hash=hashed,
        kind=factor.kind,
        public_key=factor.public_key,
        secret=factor.secret,
        proof=prover(second_factor.challenge_bytes(compared.name_index, attempt)),
    )
    entering.perform_attempt(kernel, act)


def change_password(
    kernel: Kernel,
    name: str,
    password: str,
    *,
    new_password: str,
    prover: Prover,
    pepper: bytes,
    profile: Profile = Profile.SM,
) -> None:
    """Prove both factors anew, set the password and end every session of the operator.

    Raises as `sign_in_operator`; WeakPasswordError.
    """
    _check_change(password, new_password, name)
    opened = entering.sign_in_operator(
        kernel, name, password, prover, pepper=pepper, profile=profile
    )
    hashed = hash_password(
        new_password, pepper=pepper, random_bytes=kernel.random_bytes, profile=profile
    )
    act = ChangePassword(entering.token_digest(kernel, opened.token), hashed)
    kernel.perform(act, actor=opened.actor, request_id=entering.new_request_id(kernel))


def _check_change(password: str, new_password: str, name: str) -> None:
    check_new_operator_password(new_password, name)
    if new_password == password:
        raise WeakPasswordError(
            "新密码不能与原密码相同", "The new password must differ from the old one"
        )
