"""What all tests share."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("argosy", deadline=None)
settings.load_profile("argosy")


# What is started in the background ignores these, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _no_settings_of_the_developers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that Argosy reads are those that a test sets; no bytecode is among its files."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for name in os.environ:
        if name.startswith(("ARGOSY_", "MAGNUS_", "AWS_")) and not name.startswith("ARGOSY_TEST_"):
            monkeypatch.delenv(name)
