//! The conversation as a person reads it.
