"""What differs between two sets of objects: by object, by field, as a person reads it."""
