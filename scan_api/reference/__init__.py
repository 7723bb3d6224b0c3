"""The reference at /docs: drawn from the OpenAPI document, with nothing loaded from elsewhere."""
