"""Objects of Kubernetes as data: their names, pods and access, which every engine's manifests have,
and what an API server takes of them."""
