"""See and drive the pins of many boards over one MQTT broker: the client and the `piio` command."""
