-- By which modem a phone is known, so that a stick keeps its phone whatever it is called and where it is.
ALTER TABLE phone ADD COLUMN imei TEXT;
ALTER TABLE phone ADD COLUMN seen_at INTEGER; -- when the modem last told its IMEI
