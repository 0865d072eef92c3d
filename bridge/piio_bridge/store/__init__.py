"""What the bridge keeps: configurations with every revision, boards, removed topics and history, by SQLAlchemy."""
