"""The outputs: lines, policies and leases. No MQTT, an injected clock, plain messages in and out."""
