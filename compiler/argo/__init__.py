"""The back end for Argo Workflows: graphs become DAG templates, tasks become pods that share
templates, and what was made is held to the engine's schema and limits."""
