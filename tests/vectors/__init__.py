"""Vectors that Python and TypeScript are both held to; `make_codecs.py` and `make_growing.py` write them."""
