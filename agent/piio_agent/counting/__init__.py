"""Channels that count: pulses, frequency, period and duty of any line whose driver reports its edges."""
