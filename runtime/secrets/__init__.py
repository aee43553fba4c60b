"""Secrets, one provider a module."""
