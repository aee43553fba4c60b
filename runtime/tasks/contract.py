"""What a container task finds, and where: names that its pod is rendered with, and runs with."""

from __future__ import annotations

ROOT = "/argosy"
"""The folder that the container finds everything in."""
PARAMETERS, OUTPUTS, WORK, SECRETS = "parameters", "outputs", "work", "secrets"
ITEMS = "map_variable"
"""A file with the items of the maps that the step is in, as JSON."""
BROUGHT = "brought"
"""A file, for the runtime only: how the files in WORK were before the container started."""
CONTAINER = "task"
"""The user's container in a pod."""
ARGUMENT = "ARGOSY_ARG_"
"""In a pod, the variable of each word of its command line, with the word's number."""
