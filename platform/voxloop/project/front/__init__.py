"""The front: the HTTP server of the product. It buffers, so that a slow client holds a socket and never a thread."""
