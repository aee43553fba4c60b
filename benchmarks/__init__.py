"""How fast and how small Argosy is, beside a bare program that reads and writes as much."""
