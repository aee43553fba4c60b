"""The Python steps of pipeline.yaml: parameters come as arguments by name."""


def say(name: str) -> dict[str, str]:
    """What is returned under the names in `returns` is a parameter of the steps that follow."""
    print(f"greeting {name}")
    return {"greeting": f"hello {name}"}
