"""Run log stores, one provider a module."""
