"""Alembic's migrations; `store.upgrade()` runs them."""
