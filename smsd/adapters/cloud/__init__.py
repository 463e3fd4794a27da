"""Cloud providers as phones: pure codecs, and the one adapter that does the I/O for all of them."""
