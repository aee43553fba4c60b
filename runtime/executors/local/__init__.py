"""The local executor: one small process that walks a plan and forks each of its steps."""
