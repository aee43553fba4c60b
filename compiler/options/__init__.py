"""An executor's options: what reads their values, the table that names them, and those of a pod
and of a run, which every executor that starts pods has."""
