"""The vocabulary: frozen values that flow through the program. Imports nothing else of ours."""
