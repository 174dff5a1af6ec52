"""This installation's own record: which state folder the database belongs to, fingerprints of its keys, its
back-ups."""
