"""Modules that steps of definitions of Magnus's import. The folder is on their path where the
definition is one; nothing of the runtime imports from here."""
