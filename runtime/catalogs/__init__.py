"""Catalogs, one provider a module."""
