"""Tasks: the process that the user's code runs in, and what it is told and says."""
