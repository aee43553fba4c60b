"""The pipeline's manifests as Jinja templates, one folder an engine."""
