"""Servers that speak the OpenAI protocol: one request, and many with retries and a cache of replies."""
