"""What writes a round's records: the model itself, an endpoint, a script."""
