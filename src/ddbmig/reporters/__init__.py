"""Values to files for people and tools; decides nothing."""
