"""The data plane: raw readings become values with a quality, on a thread and a connection of its own."""
