//! The model that is always there: no key, no network, no download. It is not a language model.

#[cfg(test)]
mod requests;
