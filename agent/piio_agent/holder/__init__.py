"""The outputs' own small process: it holds the lines, outlives the rest of the agent and keeps them safe without it."""
