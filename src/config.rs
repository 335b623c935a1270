//! Configuration (loom.toml).
