"""MySQL world to Snapshot: one module per source. Never imports the engine."""
