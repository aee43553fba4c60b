"""The objects that engines take: every field with its type, and what is wrong with an object."""
