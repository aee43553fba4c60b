"""What each executor is: its type, its options, and what an integration may change of it."""
