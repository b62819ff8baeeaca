"""Runs a design: DynamoDB Local, moto or a named endpoint."""
