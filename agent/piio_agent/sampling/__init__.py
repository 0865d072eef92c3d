"""What comes faster than messages should, gathered into blocks: samples at even spacing, and bursts of edges."""
