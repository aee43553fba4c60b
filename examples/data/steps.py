"""The steps of data/pipeline.yaml."""

import hashlib
import hmac
from pathlib import Path

from argosy.runtime import get_secret

WORK = Path("work")


def extract(rows: int) -> None:
    """What matches `put` when the step has succeeded goes into the catalog."""
    WORK.mkdir(exist_ok=True)
    lines = [f"{number},{number * number}\n" for number in range(rows)]
    (WORK / "orders.csv").write_text("".join(lines))
    (WORK / "names.csv").write_text("order,amount\n")


def sign() -> str:
    """What matches `get` is there when the step starts."""
    key = get_secret("SIGNING_KEY").encode()
    files = b"".join(path.read_bytes() for path in sorted(WORK.glob("*.csv")))
    signature = hmac.new(key, files, hashlib.sha256).hexdigest()
    (WORK / "signature.txt").write_text(signature + "\n")
    return signature[:8]
