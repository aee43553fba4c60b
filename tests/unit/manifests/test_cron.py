"""Cron expressions: what an API server of Kubernetes 1.34 takes for a CronJob, and what not."""

import pytest

from argosy.compiler.options.cron import cron
from argosy.compiler.options.readers import WrongValue


@pytest.mark.parametrize(
    "text",
    [
        "0 6 * * 1-5",
        "0  6 * * *",
        "0 0 ? * ?",
        "5/15 * * * *",
        "0 0 * jan-mar MON,wed",
        "0 0 * * sun-mon/2",
        "0 0 */40 * *",
        "05 * * * *",
        "?/2 * * * *",
        "@midnight",
        "@every 1h30m",
    ],
)
def test_what_the_engines_take(text: str) -> None:
    assert cron(text) == text


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("noon", "cannot be 'noon'", "five fields"),
        ("* * * * * *", "cannot be '* * * * * *'", "five fields"),
        ("@dayly", "cannot be '@dayly'", "or @daily"),
        ("@Daily", "cannot be '@Daily'", "or @daily"),
        ("@every 90", "cannot be '@every 90'", ""),
        ("60 * * * *", "'60' is no minute", "0 to 59"),
        ("0 25 * * *", "'25' is no hour", "the hour is 0 to 23"),
        ("0 0 1-40 * *", "'1-40' is no day of the month", "1 to 31"),
        ("0 0 0 * *", "'0' is no day of the month", "1 to 31"),
        ("0 0 * january *", "'january' is no month", "1 to 12, or jan to dec"),
        ("0 0 * * 7", "'7' is no day of the week", "0 to 6, or sun to sat"),
        ("0 0 * * L", "'L' is no day of the week", ""),
        ("*/0 * * * *", "'*/0' is no minute", ""),
        ("10-5 * * * *", "'10-5' is no minute", ""),
        ("-1 * * * *", "'-1' is no minute", ""),
        ("0 0 1--3 * *", "'1--3' is no day of the month", ""),
        ("0 0 1/2/3 * *", "'1/2/3' is no day of the month", ""),
        ("CRON_TZ=UTC 0 6 * * *", "the time zone", "{schedule: '0 6 * * *', timezone: UTC}"),
    ],
)
def test_what_they_do_not(text: str, message: str, hint: str) -> None:
    with pytest.raises(WrongValue) as error:
        cron(text)
    (fault,) = error.value.faults
    assert message in fault.message
    assert hint in fault.hint
