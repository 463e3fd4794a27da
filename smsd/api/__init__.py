"""HTTP on a Unix socket, in RaspiSMS's words."""
