"""A USB or serial GSM modem as a phone: AT commands by 27.005 and 27.007, PDU mode."""
