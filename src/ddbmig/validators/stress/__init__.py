"""The design under stress: what no emulator does is simulated, by the facts A1 and A2; the rest runs on the engine."""
