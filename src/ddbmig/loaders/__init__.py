"""Rows to items by the contract, and items into an endpoint."""
