"""MAVLink 1 and 2: raw frames in MQTT payloads. See README.md."""
