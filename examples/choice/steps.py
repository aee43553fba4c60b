"""The steps of choice/pipeline.yaml."""


def measure(size: int) -> str:
    return "large" if size > 100 else "small"


def inline(size: int) -> int:
    return size


def batches(size: int, attempts: int) -> int:
    return size * attempts


def archive(rows: int) -> bool:
    """Runs when `publish` has failed, with what that step was given."""
    print(f"keeping {rows} rows for later")
    return True


def finish(kind: str, rows: int, archived: bool = False) -> str:
    """Runs whichever of the two it was; `archived` is there only if `archive` ran."""
    return f"{rows} {kind} rows, {'archived' if archived else 'published'}"
