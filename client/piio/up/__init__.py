"""`piio up`: a whole installation on one machine, started, watched and stopped as one."""
