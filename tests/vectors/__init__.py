"""Test vectors for both Python and TypeScript; `make_codecs.py` and `make_growing.py` write them."""
