"""What the code of steps says: it is read (Python's `ast`), never imported."""
