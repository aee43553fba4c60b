"""The working directory of a step: what it is made of, and what the step wrote there."""
