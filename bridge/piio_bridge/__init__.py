"""The bridge: applies equations, owns configuration and history."""
