"""The steps of magnus/pipeline.yaml."""


def read_numbers() -> dict[str, list[int]]:
    return {"numbers": [1, 2, 3]}


def keep(squared: list[int]) -> dict[str, int]:
    return {"total": sum(squared)}
