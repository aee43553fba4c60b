"""The reference evaluator, generated definitions, and what runs them on the executors."""
