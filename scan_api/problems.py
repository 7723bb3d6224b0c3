"""Problem documents (RFC 9457): what a caller hears about its own faults, in English and Chinese.

A refused code is no problem but a verdict; see scan_api/scans. This module is the one place where
errors of the lower layers get an HTTP status.

    ProblemError        one entry of the catalogue below, with what the case adds
    CardCoreError       of card_core, by the table in scan_api/error_answers.py
    CryptoError         of crypto, by the same table
    everything else     a bland 500, made by scan_api/request_log.py
"""

from collections.abc import Sequence

from scan_api import clerk_problems, person_check_problems, problem_document

MEDIA_TYPE = problem_document.MEDIA_TYPE
Problem = problem_document.Problem
ProblemError = problem_document.ProblemError

MALFORMED_JSON = Problem(
    "malformed_json",
    400,
    "The body is not JSON",
    "请求体不是 JSON",
    "Send one JSON object in UTF-8.",
    "请以 UTF-8 编码发送一个 JSON 对象。",
)
BAD_REQUEST = Problem(
    "bad_request",
    400,
    "The request can't be read",
    "无法读取该请求",
    "Check the request against the reference at /docs.",
    "请对照 /docs 的接口说明检查请求。",
)
NOT_AUTHENTICATED = Problem(
    "not_authenticated",
    401,
    "The terminal did not prove itself",
    "终端身份未通过验证",
    "Sign every request anew with the enrolled terminal's key, or get a new access token. If this "
    "stays, the terminal has to be enrolled by the bureau.",
    "请用已登记终端的密钥对每个请求重新签名，或重新获取访问令牌。若仍不通过，须由发卡机构登记该终端。",
)
SIGNATURE_NEEDED = Problem(
    "signature_needed",
    401,
    "The request itself must be signed",
    "该请求须由终端签名",
    "Here money or goods move, or a key changes: an access token is not enough. Send the same "
    "request with the terminal's signature.",
    "此业务涉及资金、物品或密钥变更，仅凭访问令牌不能办理。请由终端对同一请求签名后重发。",
)
PEER_NOT_AUTHENTICATED = Problem(
    "peer_not_authenticated",
    401,
    "The issuer did not prove itself",
    "发卡机构身份未通过验证",
    "Sign every request anew with the issuer's peer key. Both sides must hold a trust list with "
    "each other's entry and keys.",
    "请用本机构的 peer 密钥对每个请求重新签名。双方的信任列表中须有对方的条目和密钥。",
)
CLOCK_OFF = Problem(
    "clock_off",
    401,
    "The terminal's clock is wrong",
    "终端时钟不准",
    "The signature is good, but its time is more than 300 seconds from the service's. Set the "
    "clock by server_time and send again.",
    "签名有效，但签名时间与服务时间相差超过 300 秒。请按 server_time 校正时钟后重发。",
)
SIGN_IN_NEEDED = Problem(
    "sign_in_needed",
    401,
    "Please sign in",
    "请先登录",
    "The session has ended or there was none. Sign in with your number and password.",
    "登录已失效或尚未登录。请用社会保障号码和密码登录。",
)
SIGN_IN_REFUSED = Problem(
    "sign_in_refused",
    401,
    "The number or the password is wrong",
    "号码或密码不正确",
    "Check both and try again. After 5 failures sign-in is locked for 15 minutes.",
    "请核对后重试。连续失败 5 次后锁定 15 分钟。",
)
NOT_ALLOWED = Problem(
    "not_allowed",
    403,
    "You may not do this",
    "无权进行此操作",
    "Ask the bureau what this terminal, this card or this operator may do.",
    "请向发卡机构了解本终端、本卡或本岗位可办理的业务。",
)
TERMINAL_SUSPENDED = Problem(
    "terminal_suspended",
    403,
    "This terminal is suspended",
    "该终端已停用",
    "Use another terminal and ask the bureau about this one.",
    "请换用其他终端，并就本终端联系发卡机构。",
)
INSTITUTION_SUSPENDED = Problem(
    "institution_suspended",
    403,
    "This institution is suspended",
    "该定点机构已停用",
    "No scan is possible until the bureau reinstates the institution.",
    "在发卡机构恢复该机构之前不能扫码核验。",
)
ENROLMENT_REFUSED = Problem(
    "enrolment_refused",
    403,
    "The terminal was not enrolled",
    "终端未能登记",
    "The enrolment code does not fit, was used or has run out, or the proof of the key is wrong. "
    "Check the code and the serial number; after 5 wrong tries or 24 hours ask the bureau for "
    "another code.",
    "登记码不符、已使用或已过期，或密钥证明有误。请核对登记码和终端序列号；连续输错 5 次或超过 "
    "24 小时，请向发卡机构重新申请登记码。",
)
BUSINESS_TYPE_NOT_ALLOWED = Problem(
    "business_type_not_allowed",
    403,
    "This institution may not scan for this business type",
    "该机构不能使用此用码业务类型",
    "Choose one of the business types that GET /v1/terminal lists.",
    "请从 GET /v1/terminal 列出的业务类型中选择。",
)
CROSS_SITE = Problem(
    "cross_site",
    403,
    "The request does not come from this service's own page",
    "请求不是来自本服务的页面",
    "Open the page of this service and try again there.",
    "请打开本服务的页面后重试。",
)
NOT_FOUND = Problem(
    "not_found",
    404,
    "There is nothing here",
    "此处没有内容",
    "Check the address.",
    "请检查地址。",
)
NO_TRUST_LIST = Problem(
    "no_trust_list",
    404,
    "No trust list holds here",
    "本地没有现用的信任列表",
    "None was imported, or the last one has expired. Codes of this issuer alone are taken.",
    "尚未导入信任列表，或最近一版已过期。目前只认可本机构签发的动态码。",
)
METHOD_NOT_ALLOWED = Problem(
    "method_not_allowed",
    405,
    "This method is not offered here",
    "此处不支持该方法",
    "The header Allow lists what is offered.",
    "可用的方法见响应头 Allow。",
)
BODY_TOO_SLOW = Problem(
    "body_too_slow",
    408,
    "The body came too slowly",
    "请求体发送过慢",
    "Send the whole request within 10 seconds.",
    "请在 10 秒内发完整个请求。",
)
WRONG_STATE = Problem(
    "wrong_state",
    409,
    "Not possible in the card's present state",
    "卡片当前状态下不能进行此操作",
    "Read the card's state with GET /v1/holder/card.",
    "请用 GET /v1/holder/card 查看卡片状态。",
)
CARD_UNUSABLE = Problem(
    "card_unusable",
    409,
    "The card can't be used now",
    "卡片当前不可用",
    "No code was made; `reason` says why.",
    "未生成动态码，原因见 reason。",
)
NOT_REVERSIBLE = Problem(
    "not_reversible",
    409,
    "This scan can't be taken back",
    "该笔业务不能撤销",
    "Only accepted scans that moved money or goods are taken back, within 90 days.",
    "只有 90 天内已通过且涉及收费或发药的业务可以撤销。",
)
APPLICATION_REFUSED = Problem(
    "application_refused",
    409,
    "This application can't be taken",
    "不能受理该申领",
    "`reason` says why, and the detail what to do.",
    "reason 为原因，detail_zh 说明如何办理。",
)
FAMILY_REFUSED = Problem(
    "family_refused",
    409,
    "This e-card can't be offered, taken or shown",
    "不能授权、领取或出示该电子社保卡",
    "`reason` says why, and the detail what to do.",
    "reason 为原因，detail_zh 说明如何办理。",
)
ALREADY_EXISTS = Problem(
    "already_exists",
    409,
    "There is one already",
    "记录已存在",
    "Read what is there before asking for another.",
    "请先查看已有的记录。",
)
BODY_TOO_LARGE = Problem(
    "body_too_large",
    413,
    "The body is too large",
    "请求体过大",
    "Send at most 65536 bytes.",
    "请求体最多 65536 字节。",
)
NOT_JSON = Problem(
    "not_json",
    415,
    "The body must be JSON",
    "请求体必须为 JSON",
    "Send Content-Type: application/json.",
    "请发送 Content-Type: application/json。",
)
INVALID_REQUEST = Problem(
    "invalid_request",
    422,
    "Some fields are wrong",
    "部分字段有误",
    "`errors` names each field and what to do.",
    "errors 列出了每个有误的字段及处理办法。",
)
UNKNOWN_BUSINESS_TYPE = Problem(
    "unknown_business_type",
    422,
    "This business type is unknown",
    "用码业务类型不存在",
    "Choose one of the business types that GET /v1/terminal lists.",
    "请从 GET /v1/terminal 列出的业务类型中选择。",
)
IDEMPOTENCY_CONFLICT = Problem(
    "idempotency_conflict",
    422,
    "This request_id was used for another content",
    "该 request_id 已用于其他内容",
    "Use a new request_id for a new request; only a retry repeats both.",
    "新请求请换用新的 request_id；只有重试才重复原 request_id 和原内容。",
)
IDEMPOTENCY_KEY_NEEDED = Problem(
    "idempotency_key_needed",
    400,
    "The header Idempotency-Key is missing or can't be read",
    "缺少 Idempotency-Key 请求头或其格式有误",
    "Send one Idempotency-Key with 1 to 64 letters, digits and . _ ~ : - in it, such as a UUID: a "
    "new one for each request, the same one for a retry.",
    "请发送一个 Idempotency-Key，内容为 1 至 64 个字母、数字或 . _ ~ : -（如 UUID）：新请求换新值，"
    "重试用原值。",
)
IDEMPOTENCY_KEY_REUSED = Problem(
    "idempotency_key_reused",
    422,
    "This Idempotency-Key was used for another request",
    "该 Idempotency-Key 已用于其他请求",
    "Use a new key for a new request; only a retry repeats both key and request.",
    "新请求请换用新的 Idempotency-Key；只有重试才重复原值和原请求。",
)
REQUEST_RUNNING = Problem(
    "request_running",
    409,
    "The same request is still running",
    "同一请求正在处理中",
    "Wait a second and send it again under the same Idempotency-Key to get its answer.",
    "请等待一秒后用同一 Idempotency-Key 重发，以取得其答复。",
)
SIGN_IN_LOCKED = Problem(
    "sign_in_locked",
    429,
    "Too many failures",
    "失败次数过多",
    "Sign-in is locked for 15 minutes; Retry-After says how long still.",
    "登录已锁定 15 分钟，剩余时间见 Retry-After。",
)
TOO_MANY_REFUSALS = Problem(
    "too_many_refusals",
    429,
    "Too many codes that are not ours",
    "无效码过多",
    "This terminal sent more than 10 unreadable or forged codes in a minute. Check the scanner; "
    "wait as long as Retry-After says before the next such code. Good codes are still served.",
    "该终端一分钟内提交的无法识别或伪造的码超过 10 个。请检查扫码设备，并按 Retry-After "
    "等待后再试。有效码仍可核验。",
)
TOO_MANY_SHORT_CODES = Problem(
    "too_many_short_codes",
    429,
    "Too many short codes are alive",
    "正在使用的短码过多",
    "No more short codes can be shown at the same time. Wait a minute, or show the QR code alone.",
    "同时有效的短码数量已达上限。请一分钟后再试，或只出示二维码。",
)
TOO_MANY_EXPORTS = Problem(
    "too_many_exports",
    429,
    "Your data was taken out several times today",
    "今日导出次数已达上限",
    "Use what you have, or try again a day after the first export.",
    "请使用已导出的内容，或在首次导出满一天后再试。",
)
TOO_MANY_FAILURES = Problem(
    "too_many_failures",
    429,
    "Too many requests that proved nothing",
    "身份验证失败次数过多",
    "More than 10 requests in a minute from here did not prove this terminal. Wait as long as "
    "Retry-After says. A request with a good signature is served all the same.",
    "一分钟内从此处以该终端名义提交的未通过验证的请求超过 10 个。请按 Retry-After 等待后再试；"
    "签名正确的请求不受影响。",
)
TOO_MANY_CHECKS = Problem(
    "too_many_checks",
    429,
    "Too many receipts that are not genuine",
    "无效凭据过多",
    "More than 10 in a minute from here were not genuine. Wait as long as Retry-After says.",
    "一分钟内从此处提交的无效凭据超过 10 张。请按 Retry-After 等待后再试。",
)
HEADERS_TOO_LARGE = Problem(
    "headers_too_large",
    431,
    "Too many or too large headers",
    "请求头过多或过大",
    "Send at most 64 headers and 32768 bytes of them.",
    "请求头最多 64 个，共 32768 字节。",
)
INTERNAL_ERROR = Problem(
    "internal_error",
    500,
    "The service failed",
    "服务出错",
    "Try again with the same request_id or Idempotency-Key. If it stays, tell the bureau the "
    "reference.",
    "请用同一 request_id 或 Idempotency-Key 重试。若仍失败，请将 reference 告知发卡机构。",
)
NOT_READY = Problem(
    "not_ready",
    503,
    "The service is not ready",
    "服务尚未就绪",
    "Try again with the same request_id or Idempotency-Key in a few seconds.",
    "请几秒后用同一 request_id 或 Idempotency-Key 重试。",
)
OVERLOADED = Problem(
    "overloaded",
    503,
    "Too many requests at this moment",
    "当前请求过多",
    "Nothing was recorded. Send the same request again, signed anew, as soon as Retry-After says.",
    "未作任何记录。请按 Retry-After 等待后，重新签名再发同一请求。",
)
SELF_TEST_FAILED = Problem(
    "self_test_failed",
    503,
    "The service has taken itself out of service",
    "服务已自行停止受理",
    "A cryptographic self-test failed, so that no signature can be relied on. Serve people by "
    "other means; whoever runs the service must look at it.",
    "密码模块自检未通过，签名已不可信赖。请改用其他方式办理业务，并由运维人员检查服务。",
)

PERSON_CHECK_MISSING = person_check_problems.MISSING
PERSON_CHECK_REFUSED = person_check_problems.REFUSED
PERSON_CHECK_UNDECIDED = person_check_problems.UNDECIDED
PERSON_CHECK_OVER = person_check_problems.OVER
PERSON_CHECK_LOCKED = person_check_problems.LOCKED
PERSON_CHECK_UNAVAILABLE = person_check_problems.UNAVAILABLE
WEAK_PASSWORD = person_check_problems.WEAK_PASSWORD
CARD_NOT_HERE = clerk_problems.CARD_NOT_HERE
TOO_MANY_TRIES = clerk_problems.TOO_MANY_TRIES

CATALOGUE: Sequence[Problem] = tuple(
    value for value in list(globals().values()) if isinstance(value, Problem)
)
