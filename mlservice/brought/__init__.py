"""Models that were made elsewhere: nothing in what was sent is trusted, and nothing of it is executed as code."""
