"""What the errors of AWS's library mean: which may pass, and the way out of the others."""

from __future__ import annotations

from typing import Any

from botocore import exceptions as of

from .aws import KEYS, credentials_file
from .errors import ArgosyError, NodeError, ServiceError
from .retry import Pauses, TryAgainError

MAY_PASS = frozenset(
    (
        *("RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "RequestThrottled"),
        *("TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded"),
        *("IncompleteBody", "OperationAborted"),
    )
)
"""Codes of refusals that may pass, whatever status they come with."""
STAY = frozenset((501, 505, 507))
"""Statuses over 500 of what stays as it is."""

CUT = (of.ConnectionError, of.HTTPClientError, of.IncompleteReadError)
NO_CREDENTIALS_NOW = (of.CredentialRetrievalError, of.MetadataRetrievalError)
"""Where they come from is a service too."""
MISCONFIGURED = (
    *(of.NoCredentialsError, of.PartialCredentialsError, of.ProfileNotFound, of.ConfigNotFound),
    *(of.ConfigParseError, of.NoRegionError, of.InvalidRegionError, of.ParamValidationError),
    *(of.InvalidConfigError, of.InvalidEndpointConfigurationError, of.UnauthorizedSSOTokenError),
)
PLACES = "AWS's usual places are {file}, the variable {variable}, and the role of where this runs"

WRONG_CREDENTIALS = "the credentials are wrong or have expired: `aws sts get-caller-identity`"
WRONG_REGION = "is it in another `region`?"
FULL = "make room there"
WAYS_OUT = {
    "InvalidAccessKeyId": WRONG_CREDENTIALS,
    "SignatureDoesNotMatch": WRONG_CREDENTIALS,
    "InvalidToken": WRONG_CREDENTIALS,
    "ExpiredToken": WRONG_CREDENTIALS,
    "ExpiredTokenException": WRONG_CREDENTIALS,
    "UnrecognizedClientException": WRONG_CREDENTIALS,
    "NoSuchBucket": "make the bucket, or correct `bucket`",
    "PermanentRedirect": WRONG_REGION,
    "AuthorizationHeaderMalformed": WRONG_REGION,
    "ResourceNotFoundException": f"make it, or correct `secret_id`; {WRONG_REGION}",
    "QuotaExceeded": FULL,
    "XMinioStorageFull": FULL,
}


def meaning(error: Exception, what: str, permissions: str) -> Exception | None:
    """What to raise for an error of the library's; `None` for any other. It begins with `what`,
    unless another try may go well. `permissions` are those that the service's requests need."""
    error = getattr(error, "last_exception", error)  # of a transfer that was tried several times
    if isinstance(error, of.ClientError):
        return refused(error, what, permissions)
    if not isinstance(error, of.BotoCoreError):
        return None
    reason = " ".join(str(error).split())
    if isinstance(error, of.NoCredentialsError):
        reason += "; " + PLACES.format(file=credentials_file(None), variable=KEYS[0])
    if isinstance(error, MISCONFIGURED):
        return NodeError(f"{what}: {reason}")
    if isinstance(error, of.SSLError):
        return ServiceError(f"{what}: {reason}; AWS_CA_BUNDLE names a file of certificates")
    if isinstance(error, (*CUT, *NO_CREDENTIALS_NOW)):
        return TryAgainError(f"{reason}; is it up, and can it be reached from here?")
    return ServiceError(f"{what}: {reason}")


def refused(error: Any, what: str, permissions: str) -> ArgosyError | TryAgainError:
    """What to raise where the service has answered with an error."""
    code, status = code_of(error), status_of(error)
    said = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    reason = f"it answers {code}: {said}" if code != str(status) else f"it answers {code} {said}"
    if may_pass(error):
        return TryAgainError(reason, asked_to_wait(error))
    way_out = WAYS_OUT.get(code)
    if error.operation_name == "AssumeRole":
        way_out = "the credentials need sts:AssumeRole, and the role must trust them"
    elif way_out is None and status in (401, 403):
        way_out = f"the credentials need {permissions}"
    elif way_out is None and status == 507:
        way_out = FULL
    return ServiceError("; ".join(filter(None, (f"{what}: {reason}", way_out))))


def code_of(error: Any) -> str:
    """AWS's code of a refusal; the status where there is no other."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def may_pass(error: Any) -> bool:
    """Whether a refused request may go well the next time."""
    status = status_of(error)
    busy = status in (408, 429) or (status >= 500 and status not in STAY)
    return busy or code_of(error) in MAY_PASS


def asked_to_wait(error: Any) -> float | None:
    """The seconds that the service has asked for."""
    said = str(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after"))
    return float(said) if said.isdigit() else None


def pause(
    request_dict: dict[str, Any],
    operation: Any,
    response: tuple[Any, dict[str, Any]] | None = None,
    caught_exception: Exception | None = None,
    **_: Any,
) -> float | None:
    """The library asks this after each request: the seconds after which it is sent again; `None`
    where it is not."""
    error = caught_exception
    if response is not None and getattr(response[0], "status_code", 200) >= 300:
        error = of.ClientError(response[1], operation.name)
    found = None if error is None else meaning(error, "", "")
    if not isinstance(found, TryAgainError):
        return None
    pauses: Pauses = request_dict["context"].setdefault("argosy", Pauses())
    return pauses.next(found.after)


def refuse_beginning(http_response: Any, **_: Any) -> None:
    """The library asks this after each answer. One that was cut in its headers would pass for an
    empty one: nothing says how long it should have been."""
    headers = http_response.headers
    if http_response.status_code in (204, 304) or "transfer-encoding" in headers:
        return
    if "content-length" not in headers:
        raise TryAgainError("its answer was cut; is it up, and can it be reached from here?")
