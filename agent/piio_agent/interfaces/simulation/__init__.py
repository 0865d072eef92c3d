"""A board that is not there: nets, wires, pulls, an MCP3008, faults on demand, and a trace of every line."""
