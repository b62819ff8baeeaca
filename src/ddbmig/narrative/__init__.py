"""Prose for people: what a section says as facts, what a language model may make of it, and the guard between them."""
