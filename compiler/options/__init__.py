"""An executor's options: what reads their values, the table that names them, and those of a pod,
which every executor that starts pods has."""
