"""The exact choice of a design as a 0/1 program: what it is, how it is solved, and how a design becomes one."""
